// graft quantize MODEL OUT: writes a quantised directory. Waits for graft_engine_save.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "options.h"

namespace cli {
namespace {

struct Options {
  CommonOptions common;
  std::string directory;
};

}  // namespace

Action declare_quantize(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  app.add_option("OUT", options->directory, "Directory to write; must be empty or absent")->required()->type_name("");
  return [options]() -> int {
    validate(options->common);
    if (options->common.dtype != "int8" && options->common.dtype != "int4") {
      throw UsageError("quantize: needs --dtype int8 or --dtype int4");
    }
    throw Failure(GRAFT_STATUS_UNSUPPORTED, "quantize waits for graft_engine_save");
  };
}

}  // namespace cli

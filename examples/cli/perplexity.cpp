// graft perplexity MODEL FILE: how well the model predicts a text. Waits for a windowed evaluation over long texts.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "options.h"

namespace cli {
namespace {

struct Options {
  CommonOptions common;
  std::string file;
};

}  // namespace

Action declare_perplexity(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_common_options(app, options->common);
  app.add_option("FILE", options->file, "Text file, UTF-8")->required()->type_name("");
  return [options]() -> int {
    validate(options->common);
    throw Failure(GRAFT_STATUS_UNSUPPORTED, "perplexity waits for scoring texts longer than the context");
  };
}

}  // namespace cli

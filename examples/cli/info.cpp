// graft info MODEL: what opening the model would do; loads no weights.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "human.h"
#include "options.h"

namespace cli {

Action declare_info(CLI::App& app) {
  const auto options = std::make_shared<CommonOptions>();
  add_common_options(app, *options);
  return [options] {
    const EngineOptions engine_options = make_engine_options(*options);
    const Json plan =
        parse_json(make<String>(graft_engine_inspect, options->model.c_str(), int64_t{-1}, engine_options.get()));
    options->json ? print_json_line(plan) : print_human(plan, stdout);
    return exit_ok;
  };
}

}  // namespace cli

// graft doctor: what this machine offers. Something that is missing is a line of the answer, not a failure.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "human.h"

namespace cli {

Action declare_doctor(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Print one JSON object");
  return [json] {
    const Json found = parse_json(make<String>(graft_doctor));
    *json ? print_json_line(found) : print_human(found, stdout);
    return exit_ok;
  };
}

}  // namespace cli

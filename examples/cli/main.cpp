// graft: run models from a terminal or a script. Results on stdout, everything else on stderr; exit 0, 1 (failure), 2
// (usage) or 130 (Ctrl-C).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "commands.h"
#include "errors.h"
#include "output.h"
#include "program.h"
#include "ranks.h"

namespace cli {
namespace {

void print_usage(std::FILE* file) {
  std::fputs("usage: graft COMMAND MODEL [options]\n\n", file);
  for (const Command& command : commands) {
    const std::string form = std::string(command.name) + " " + command.synopsis;
    std::fprintf(file, "  %-46s %s\n", form.c_str(), command.summary);
  }
  std::fputs("\n'graft COMMAND --help' lists a command's options; 'graft --version' shows the version.\n", file);
}

const Command* find_command(const std::string& name) {
  for (const Command& command : commands) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

int run_command(const Command& command, int count, char** arguments) {
  CLI::App app(command.summary, std::string("graft ") + command.name);
  app.set_help_flag("-h,--help", "Print this help and exit");
  const Action action = command.declare(app);
  try {
    app.parse(count - 1, arguments + 1);
    // Under a launcher rank 0 alone speaks on stdout.
    if (launched_ranks().follows() && std::freopen("/dev/null", "w", stdout) == nullptr) return exit_failure;
    const int code = action();
    finish_stdout();
    return code;
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return exit_ok;
  } catch (const CLI::ParseError& error) {
    return fail_usage(std::string("graft ") + command.name, error.what());
  } catch (const UsageError& error) {
    return fail_usage(std::string("graft ") + command.name, error.what());
  }
}

int run(int count, char** arguments) {
  if (count < 2) {
    print_usage(stderr);
    return exit_usage;
  }
  const std::string name = arguments[1];
  if (name == "--help" || name == "-h" || name == "help") {
    print_usage(stdout);
    return exit_ok;
  }
  if (name == "--version") {
    std::printf("graft %s (ABI %d)\n", graft_version(), static_cast<int>(graft_abi_version()));
    return exit_ok;
  }
  const Command* command = find_command(name);
  if (command == nullptr) return fail_usage("graft", "unknown command '" + name + "'");
  return run_command(*command, count, arguments);
}

}  // namespace
}  // namespace cli

int main(int count, char** arguments) {
  return cli::run_program([&] { return cli::run(count, arguments); });
}

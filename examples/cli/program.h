// What every program of this folder does around its work.
#pragma once

#include <functional>
#include <string>

namespace cli {

/// Runs `body` with Ctrl-C handled and returns its exit code; a failure becomes a line on stderr and its own exit code.
int run_program(const std::function<int()>& body);

/// A wrong command line: the message and where help is to be had, on stderr. Returns exit_usage.
int fail_usage(const std::string& program, const std::string& message);

}  // namespace cli

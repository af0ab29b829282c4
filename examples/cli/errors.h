// How the command line fails: what main() turns into a line on stderr and an exit code.
#pragma once

#include <graft/status.h>

#include <stdexcept>
#include <string>

namespace cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failure = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_interrupted = 130;  ///< 128 + SIGINT, as shells expect

/// Something went wrong while working; exit 1.
struct Failure : std::runtime_error {
  Failure(graft_status code, const std::string& message) : std::runtime_error(message), status(code) {}
  graft_status status;
};

/// The command line itself is wrong; exit 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Ctrl-C while there was nothing to print yet; exit 130.
struct Interrupted {};

/// Throws Failure with the library's text unless `status` is OK. Call it on the thread that made the call, at once.
inline void check(graft_status status) {
  if (status != GRAFT_STATUS_OK) throw Failure(status, graft_last_error_message());
}

/// The same for a setter that was given the value of a command-line option: a refused value is a usage error.
inline void check_option(const std::string& option, graft_status status) {
  if (status == GRAFT_STATUS_INVALID_ARGUMENT) throw UsageError(option + ": " + graft_last_error_message());
  check(status);
}

}  // namespace cli

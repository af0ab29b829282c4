#include "program.h"

#include <cstdio>
#include <new>

#include "errors.h"
#include "handles.h"
#include "interrupt.h"

namespace cli {
namespace {

void print_error(graft_status status, const std::string& message) {
  std::fflush(stdout);
  std::fprintf(stderr, "graft: %s: %s\n", graft_status_name(status), message.c_str());
}

}  // namespace

int run_program(const std::function<int()>& body) {
  try {
    install_interrupt_handler();
    return body();
  } catch (const Failure& failure) {
    print_error(failure.status, failure.what());
  } catch (const Interrupted&) {
    print_error(GRAFT_STATUS_CANCELLED, "interrupted");
    return exit_interrupted;
  } catch (const std::bad_alloc&) {
    print_error(GRAFT_STATUS_OUT_OF_MEMORY, "no memory left");
  } catch (const std::exception& error) {
    print_error(GRAFT_STATUS_INTERNAL, error.what());
  }
  return exit_failure;
}

int fail_usage(const std::string& program, const std::string& message) {
  print_error(GRAFT_STATUS_INVALID_ARGUMENT, message);
  std::fprintf(stderr, "'%s --help' shows how to use it.\n", program.c_str());
  return exit_usage;
}

}  // namespace cli

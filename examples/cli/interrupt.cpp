#include "interrupt.h"

#include <csignal>

namespace cli {
namespace {

volatile std::sig_atomic_t interrupt_requested = 0;

void on_interrupt(int) { interrupt_requested = 1; }

}  // namespace

void install_interrupt_handler() {
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  // One-shot: a second Ctrl-C meets the default action. No SA_RESTART, so that reading a prompt from stdin ends too.
  action.sa_flags = SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
}

void clear_interrupt() {
  interrupt_requested = 0;
  install_interrupt_handler();
}

bool interrupted() { return interrupt_requested != 0; }

}  // namespace cli

// Ctrl-C: the first one asks the command to end with what it has, the second one ends the process.
#pragma once

namespace cli {

void install_interrupt_handler();

bool interrupted();

/// Forgets a Ctrl-C that was dealt with; the next one is a first one again.
void clear_interrupt();

/// How long a wait may last before it has to look at interrupted() again, in milliseconds.
inline constexpr int poll_ms = 50;

}  // namespace cli

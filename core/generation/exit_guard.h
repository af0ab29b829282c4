// Ending the process while engines work. Static destructors of LibTorch run at exit; an engine thread inside them would
// crash the host's last moments. One list for the process, touched only when an engine begins or ends.
#pragma once

#include <memory>

#include "core/generation/engine.h"

namespace graft {

/// Adds an engine to those that are stopped, and waited for briefly, before static destructors run. Call after LibTorch
/// was loaded. Forgotten by itself when the mailbox is gone.
void guard_exit(const std::shared_ptr<Engine::Mailbox>& mailbox);
/// Once an engine is ready, or could not be opened: before the destructors of the libraries that it has loaded, too.
void renew_exit_guard();

}  // namespace graft

#include "core/generation/exit_guard.h"

#include <cstdlib>
#include <vector>

#include "core/generation/mailbox.h"

namespace graft {
namespace {

// A step of a large model may take this long; after it the process ends anyway.
constexpr std::chrono::seconds patience{5};

struct LiveEngines {
  std::mutex mutex;
  std::vector<std::weak_ptr<Engine::Mailbox>> mailboxes;
};

// Never destroyed: it is used while the process ends.
LiveEngines& live_engines() {
  static LiveEngines* const engines = new LiveEngines;
  return *engines;
}

void stop_engines() {
  std::vector<std::shared_ptr<Engine::Mailbox>> alive;
  {
    LiveEngines& engines = live_engines();
    const std::lock_guard lock(engines.mutex);
    for (const auto& weak : engines.mailboxes) {
      if (auto mailbox = weak.lock()) alive.push_back(std::move(mailbox));
    }
  }
  for (const auto& mailbox : alive) mailbox->post_stop();
  const auto until = std::chrono::steady_clock::now() + patience;
  for (const auto& mailbox : alive) {
    std::unique_lock lock(mailbox->mutex);
    if (mailbox->thread == std::this_thread::get_id()) continue;  // exit() called from a log callback
    mailbox->changed.wait_until(lock, until, [&] { return mailbox->ended; });
  }
}

}  // namespace

void guard_exit(const std::shared_ptr<Engine::Mailbox>& mailbox) {
  LiveEngines& engines = live_engines();
  const std::lock_guard lock(engines.mutex);
  static const int registered = std::atexit(stop_engines);
  (void)registered;
  std::erase_if(engines.mailboxes, [](const auto& weak) { return weak.expired(); });
  engines.mailboxes.push_back(mailbox);
}

}  // namespace graft

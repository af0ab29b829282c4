#include "core/generation/exit_guard.h"

#include <link.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "core/generation/mailbox.h"

namespace graft {
namespace {

// A step of a large model may take this long; after it the process ends anyway.
constexpr std::chrono::seconds patience{5};

struct LiveEngines {
  const pid_t process = getpid();
  std::mutex mutex;
  std::vector<std::weak_ptr<Engine::Mailbox>> mailboxes;
  std::optional<uint64_t> libraries;  ///< that the process had loaded when stop_engines was last registered
};

// Never destroyed: it is used while the process ends.
LiveEngines& live_engines() {
  static LiveEngines* const engines = new LiveEngines;
  return *engines;
}

// Registered more than once: what was waited for is not waited for again. A forked child has none of the threads.
void stop_engines() {
  LiveEngines& engines = live_engines();
  if (engines.process != getpid()) return;
  std::vector<std::shared_ptr<Engine::Mailbox>> alive;
  {
    const std::lock_guard lock(engines.mutex);
    for (const auto& weak : std::exchange(engines.mailboxes, {})) {
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

// Of all times; what was closed again counts too.
uint64_t libraries_loaded() {
  uint64_t loaded = 0;
  const auto look = [](dl_phdr_info* info, size_t, void* out) {
    *static_cast<uint64_t*>(out) = info->dlpi_adds;
    return 1;  // the number is the same in every one
  };
  dl_iterate_phdr(look, &loaded);
  return loaded;
}

// What is registered last runs first, and a library registers its own when it is loaded: CUDA's, those of NCCL and
// cuBLASLt come with the first engine that wants them. Registered once for all engines that load nothing new.
void register_once_more(LiveEngines& engines) {
  const uint64_t now = libraries_loaded();
  if (engines.libraries != now && std::atexit(stop_engines) == 0) engines.libraries = now;
}

}  // namespace

void guard_exit(const std::shared_ptr<Engine::Mailbox>& mailbox) {
  LiveEngines& engines = live_engines();
  const std::lock_guard lock(engines.mutex);
  register_once_more(engines);
  std::erase_if(engines.mailboxes, [](const auto& weak) { return weak.expired(); });
  engines.mailboxes.push_back(mailbox);
}

void renew_exit_guard() {
  LiveEngines& engines = live_engines();
  const std::lock_guard lock(engines.mutex);
  register_once_more(engines);
}

}  // namespace graft

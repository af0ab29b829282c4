// The ranks of an engine that live beside rank 0 in its process: threads that load their share and run what rank 0
// says.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/status.h"
#include "core/engine/options.h"
#include "core/engine/rank_place.h"
#include "core/parallel/communicator.h"

namespace graft {

/// Made and destroyed by the engine's thread. They end when rank 0 dismisses them or its communicator is gone.
class Followers {
 public:
  /// Starts a thread for every communicator but the first, which is rank 0's and stays in the list.
  Followers(const std::string& path, const EngineOptions& options, const RankPlace& first,
            std::vector<std::unique_ptr<Communicator>>& ranks);
  ~Followers() { join(); }
  Followers(const Followers&) = delete;
  Followers& operator=(const Followers&) = delete;

  void join();
  /// Rank 0 failed in a step, with `own`: why the group did. Behind a COMM_ERROR is the failure of another rank, which
  /// is waited for, a second at most, or what one of them found before.
  Error reason_behind(const Error& own);
  /// After join: why a rank failed first, other than by the failure of another.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  void run(const std::string& path, const EngineOptions& options, const RankPlace& place,
           std::unique_ptr<Communicator> ranks) noexcept;
  void note_failure(int64_t rank) noexcept;

  std::mutex mutex_;
  std::condition_variable noted_;
  int64_t failed_ = 0;                               ///< ranks
  std::optional<Error> failure_, failure_of_group_;  ///< the first of each; the latter is a COMM_ERROR
  std::vector<std::thread> threads_;
};

}  // namespace graft

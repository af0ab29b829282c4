#include "core/generation/ranks/followers.h"

#include <system_error>

#include "core/engine/failure.h"
#include "core/engine/model_runner.h"

namespace graft {

Followers::Followers(const std::string& path, const EngineOptions& options, const RankPlace& first,
                     std::vector<std::unique_ptr<Communicator>>& ranks) {
  RankPlace place = first;
  try {
    threads_.reserve(ranks.size());
    for (size_t i = 1; i < ranks.size(); ++i) {
      place.share.rank = first.share.rank + static_cast<int64_t>(i);
      place.local_rank = first.local_rank + static_cast<int64_t>(i);
      threads_.emplace_back([this, path, options, place, own = std::move(ranks[i])]() mutable {
        run(path, options, place, std::move(own));
      });
    }
  } catch (const std::system_error& error) {
    ranks.clear();  // frees those that run already
    join();
    fail(StatusCode::limit_exceeded, "the thread of rank {} could not be started: {}", place.share.rank, error.what());
  } catch (...) {
    ranks.clear();
    join();
    throw;
  }
  ranks.resize(1);
}

void Followers::join() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Followers::run(const std::string& path, const EngineOptions& options, const RankPlace& place,
                    std::unique_ptr<Communicator> ranks) noexcept {
  StatusCode code = StatusCode::ok;
  std::string message;
  try {
    ModelPlan plan = plan_model(path, options, place);
    ModelRunner runner(std::move(plan), options, std::move(ranks), nullptr);
    runner.follow();
  } catch (...) {
    describe_failure(code, message);
  }
  ranks.reset();  // where planning failed, the others must not wait for this rank
  if (code == StatusCode::ok || code == StatusCode::comm_error) return;
  try {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_.emplace(code, fmt::format("rank {}: {}", place.share.rank, message));
  } catch (...) {  // no memory for the text; the others end with COMM_ERROR all the same
  }
}

}  // namespace graft

#include "core/generation/ranks/followers.h"

#include <chrono>
#include <system_error>

#include "core/engine/failure.h"
#include "core/engine/model_runner.h"

namespace graft {
namespace {

// For a rank that has failed to say why, which takes it microseconds.
constexpr std::chrono::seconds patience{1};

}  // namespace

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
  std::unique_ptr<ModelRunner> runner;
  try {
    ModelPlan plan = plan_model(path, options, place);
    runner = std::make_unique<ModelRunner>(std::move(plan), options, std::move(ranks), nullptr);
    runner->follow();
  } catch (...) {
    note_failure(place.share.rank);  // before the others hear that this rank is gone
  }
}

// Of the exception that is being handled.
void Followers::note_failure(int64_t rank) noexcept {
  StatusCode code = StatusCode::ok;
  std::string message;
  describe_failure(code, message);
  const std::lock_guard lock(mutex_);
  ++failed_;
  try {
    std::optional<Error>& first = code == StatusCode::comm_error ? failure_of_group_ : failure_;
    if (!first) first.emplace(code, fmt::format("rank {}: {}", rank, message));
  } catch (...) {  // no memory for the text; the others end with COMM_ERROR all the same
  }
  noted_.notify_all();
}

Error Followers::reason_behind(const Error& own) {
  if (own.code() != StatusCode::comm_error) return own;
  std::unique_lock lock(mutex_);
  const Error first = failure_of_group_.value_or(own);
  noted_.wait_for(lock, patience, [this] { return failure_ || failed_ == std::ssize(threads_); });
  return failure_.value_or(first);
}

}  // namespace graft

// Streams and graphs of the stand-in device: work is kept until somebody waits for it or asks, as on a slow device.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/device/stand_in_memory.h"

namespace graft::stand_in {

struct Piece {
  std::function<std::string()> run;  ///< gives the reason of its failure, or nothing
  std::function<bool()> ready;       ///< where it waits for others: whether it can run; null: always
};

struct Graph {
  std::vector<Piece> work;
};

/// One thread at a time. Also used by libraries that work on streams of a device (stand_in_nccl.cc).
class Stream {
 public:
  explicit Stream(Memory& memory) : memory_(memory) {}
  ~Stream() { work_of_thread() -= static_cast<int64_t>(waiting_.size()); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Pieces of work that wait on all streams of the calling thread.
  static int64_t& work_of_thread() {
    static thread_local int64_t pieces = 0;
    return pieces;
  }
  bool has_work() const { return !waiting_.empty(); }

  void give(std::function<std::string()> run, std::function<bool()> ready = nullptr) {
    Piece piece{std::move(run), std::move(ready)};
    if (capturing_) {
      captured_.push_back(std::move(piece));
    } else {
      waiting_.push_back(std::move(piece));
      ++work_of_thread();
    }
  }
  /// A failure found by the call that gave the work; told by the next wait, or by the end of the capture.
  void note(const std::string& failure) {
    if (failure_.empty()) failure_ = failure;
  }

  /// All pieces of work that were given so far.
  int64_t done() const { return done_; }
  int64_t given() const { return done_ + static_cast<int64_t>(waiting_.size()); }

  /// Does what can be done now of the first `pieces` that were given, and no more. Whether all of them are done.
  bool advance(int64_t pieces) {
    const auto can = [&] {
      return done_ < pieces && !waiting_.empty() && (!waiting_.front().ready || waiting_.front().ready());
    };
    if (!can()) return done_ >= pieces;
    memory_.open();
    do {
      note(waiting_.front().run());
      waiting_.pop_front();
      ++done_;
      --work_of_thread();
    } while (can());
    memory_.close();
    return done_ >= pieces;
  }
  bool advance() { return advance(given()); }

  /// Does everything that waits. The reason of the first failure, or nothing.
  std::string wait() { return wait(given()); }
  std::string wait(int64_t pieces) {
    if (capturing_) return "a wait while the stream is captured";
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!advance(pieces)) {
      if (std::chrono::steady_clock::now() > end) return "a wait that does not end";
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return std::exchange(failure_, {});
  }

  const Memory& memory() const { return memory_; }
  bool capturing() const { return capturing_; }
  std::string begin_capture() {
    if (capturing_) return "a capture within a capture";
    capturing_ = true;
    return {};
  }
  std::string end_capture(std::unique_ptr<Graph>& out) {
    if (!capturing_) return "the end of a capture that did not begin";
    capturing_ = false;
    out = std::make_unique<Graph>();
    out->work.swap(captured_);
    captured_.clear();
    return std::exchange(failure_, {});
  }
  void launch(const Graph& graph) {
    waiting_.insert(waiting_.end(), graph.work.begin(), graph.work.end());
    work_of_thread() += static_cast<int64_t>(graph.work.size());
  }

 private:
  Memory& memory_;
  bool capturing_ = false;
  std::deque<Piece> waiting_;
  int64_t done_ = 0;
  std::vector<Piece> captured_;
  std::string failure_;
};

}  // namespace graft::stand_in

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

class Stream;

struct Graph {
  std::vector<Piece> work;
};

/// Places in a stream's work. What waits in the stream may outlive the event.
struct Event {
  Stream* stream = nullptr;  ///< of the last place
  int64_t places = 0;
  std::shared_ptr<int64_t> reached = std::make_shared<int64_t>(0);
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

  /// Does what can be done now. Whether that was the last.
  bool advance() {
    const auto can = [this] { return !waiting_.empty() && (!waiting_.front().ready || waiting_.front().ready()); };
    if (!can()) return waiting_.empty();
    memory_.open();
    do {
      note(waiting_.front().run());
      waiting_.pop_front();
      --work_of_thread();
    } while (can());
    memory_.close();
    return waiting_.empty();
  }

  /// Does everything that waits. The reason of the first failure, or nothing.
  std::string wait() {
    if (capturing_) return "a wait while the stream is captured";
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!advance()) {
      if (std::chrono::steady_clock::now() > end) return "a wait that does not end";
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return std::exchange(failure_, {});
  }

  void record(Event& event) {
    event.stream = this;
    give([reached = event.reached, place = ++event.places]() -> std::string {
      *reached = place;
      return {};
    });
  }
  /// Does what comes before the event's last place, and no more than can be helped.
  static std::string wait_for(const Event& event) {
    if (event.stream == nullptr || *event.reached == event.places) return {};
    if (event.stream->capturing()) return "a wait for an event while the stream is captured";
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (*event.reached != event.places) {
      event.stream->advance();
      if (std::chrono::steady_clock::now() > end) return "a wait for an event that does not end";
    }
    return {};
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
  std::vector<Piece> captured_;
  std::string failure_;
};

}  // namespace graft::stand_in

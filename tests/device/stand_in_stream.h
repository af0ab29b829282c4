// Streams and graphs of the stand-in device: work is kept until somebody waits for it, as on a device that is slow.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/device/stand_in_memory.h"

namespace graft::stand_in {

using Work = std::vector<std::function<std::string()>>;  ///< each gives the reason of its failure, or nothing

struct Graph {
  Work work;
};

/// One thread at a time.
class Stream {
 public:
  explicit Stream(Memory& memory) : memory_(memory) {}

  void give(std::function<std::string()> work) { (capturing_ ? captured_ : waiting_).push_back(std::move(work)); }
  /// A failure found by the call that gave the work; told by the next wait, or by the end of the capture.
  void note(const std::string& failure) {
    if (failure_.empty()) failure_ = failure;
  }

  /// Does everything that waits. The reason of the first failure, or nothing.
  std::string wait() {
    if (capturing_) return "a wait while the stream is captured";
    Work work;
    work.swap(waiting_);
    memory_.open();
    for (const auto& one : work) note(one());
    memory_.close();
    return std::exchange(failure_, {});
  }

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
  void launch(const Graph& graph) { waiting_.insert(waiting_.end(), graph.work.begin(), graph.work.end()); }

 private:
  Memory& memory_;
  bool capturing_ = false;
  Work waiting_, captured_;
  std::string failure_;
};

}  // namespace graft::stand_in

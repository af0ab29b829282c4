// Ranks that are streams of one device and sum up at the same time.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/cuda/launch_error.h"
#include "kernels/spec/sum_residual_norm.h"
#include "kernels/spec/variant.h"
#include "tests/bench/cuda/measure.h"

namespace graft::bench {

/// Ranks whose graphs of many sums run at the same time, each on a stream of its own, the first on the clock's.
///
/// A sum lets the next one of its rank start before it has ended, so that all of a graph may take places on the device
/// while they wait. There are never more of them than multiprocessors: ranks that find no place would be waited for
/// without end. For the same reason everything is on the device before the first graph is launched.
class RankGraphs {
 public:
  RankGraphs(Clock& clock, int32_t multiprocessors, const kernels::Variant& variant,
             const std::vector<kernels::SumResidualNormArgs>& ranks)
      : variant_(variant), ranks_(ranks), multiprocessors_(multiprocessors) {
    sums_ = std::clamp(multiprocessors / (2 * static_cast<int32_t>(ranks.size())), 1, 32);
    for (size_t r = 0; r < ranks.size(); ++r) streams_.push_back(r == 0 ? clock.stream() : new_stream());
  }
  ~RankGraphs() {
    for (cudaGraphExec_t graph : graphs_) cudaGraphExecDestroy(graph);
    for (size_t r = 1; r < streams_.size(); ++r) cudaStreamDestroy(streams_[r]);
  }
  RankGraphs(const RankGraphs&) = delete;
  RankGraphs& operator=(const RankGraphs&) = delete;

  /// In a graph.
  int sums() const { return sums_; }

  void launch(size_t rank, int count) {
    for (int i = 0; i < count; ++i) {
      variant_.run(&ranks_[rank], kernels::Context{{nullptr, multiprocessors_, nullptr}, streams_[rank]});
    }
  }
  void capture() {
    for (size_t r = 0; r < ranks_.size(); ++r) {
      cudaGraph_t graph = nullptr;
      check(cudaStreamBeginCapture(streams_[r], cudaStreamCaptureModeRelaxed), "capture");
      launch(r, sums_);
      check(cudaStreamEndCapture(streams_[r], &graph), "capture");
      check(kernels::cuda::kept_launch_error(), "sums of ranks");
      graphs_.push_back(nullptr);
      check(cudaGraphInstantiate(&graphs_.back(), graph, 0), "graph");
      cudaGraphDestroy(graph);
      check(cudaGraphUpload(graphs_.back(), streams_[r]), "graph");
    }
    check(cudaDeviceSynchronize(), "graphs");
  }
  /// Rank 0 last, whose stream is measured.
  void run() {
    for (size_t r = ranks_.size(); r-- > 0;) check(cudaGraphLaunch(graphs_[r], streams_[r]), "graph");
  }

 private:
  static cudaStream_t new_stream() {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
    return stream;
  }

  const kernels::Variant& variant_;
  const std::vector<kernels::SumResidualNormArgs>& ranks_;
  int32_t multiprocessors_;
  std::vector<cudaStream_t> streams_;
  std::vector<cudaGraphExec_t> graphs_;
  int sums_ = 1;
};

}  // namespace graft::bench

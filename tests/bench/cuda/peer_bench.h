// Sums over peer memory between ranks that are streams of one device: the kernel, its exchange of words through L2 and
// the norm, without what a link between devices adds.
#pragma once

#include "kernels/spec/sum_residual_norm.h"
#include "tests/bench/cuda/kernel_bench.h"

namespace graft::bench {

/// Ranks whose graphs of many sums run at the same time, each on a stream of its own.
///
/// A sum lets the next one of its rank start before it has ended, so that all of a graph may take places on the device
/// while they wait. There are never more of them than multiprocessors: ranks that find no place would be waited for
/// without end. For the same reason everything is on the device before the first graph is launched.
class PeerRanks {
 public:
  PeerRanks(Bench& bench, int32_t ranks, int64_t width) : bench_(bench), ops_(static_cast<size_t>(ranks)) {
    const int32_t* rows = bench.number({1});
    const uint32_t* given_up = bench.copied(std::vector<uint32_t>{0});
    PeerExchange peers = {};
    peers.ranks = ranks;
    peers.most_width = width;
    peers.given_up = given_up;
    for (int32_t r = 0; r < ranks; ++r) {
      peers.areas[r] = zeros(exchange_bytes(ranks, width));
    }
    for (int32_t r = 0; r < ranks; ++r) {
      SumResidualNormArgs& args = ops_[static_cast<size_t>(r)];
      peers.rank = r;
      peers.epochs = static_cast<uint32_t*>(zeros(exchange_counters * static_cast<int64_t>(sizeof(uint32_t))));
      args.peers = peers;
      args.norm.rows = rows;
      args.norm.capacity = 1;
      args.norm.width = width;
      args.norm.residual = static_cast<float*>(zeros(width * 4));
      args.norm.delta = static_cast<float*>(zeros(width * 4));
      args.norm.kind = NormKind::rms;
      args.norm.weight = zeros(width * 2);
      args.norm.weight_dtype = DType::bfloat16;
      args.norm.epsilon = 1e-5f;
      args.norm.out = static_cast<float*>(zeros(width * 4));
      streams_.push_back(r == 0 ? bench.clock.stream() : new_stream());
    }
    sums_ = std::clamp(bench.multiprocessors / (2 * ranks), 1, launches);
    variant_ = cuda::choose(cuda_kernel_table(), bench.isa, Op::sum_residual_norm, &ops_[0]);
  }
  ~PeerRanks() {
    for (cudaGraphExec_t graph : graphs_) cudaGraphExecDestroy(graph);
    for (size_t r = 1; r < streams_.size(); ++r) cudaStreamDestroy(streams_[r]);
  }
  PeerRanks(const PeerRanks&) = delete;
  PeerRanks& operator=(const PeerRanks&) = delete;

  const Variant* variant() const { return variant_; }
  /// In a graph.
  int sums() const { return sums_; }

  void launch(size_t rank, int count) {
    for (int i = 0; i < count; ++i) {
      variant_->run(&ops_[rank], Context{{nullptr, bench_.multiprocessors, nullptr}, streams_[rank]});
    }
  }
  void capture() {
    for (size_t r = 0; r < ops_.size(); ++r) {
      cudaGraph_t graph = nullptr;
      check(cudaStreamBeginCapture(streams_[r], cudaStreamCaptureModeRelaxed), "capture");
      launch(r, sums_);
      check(cudaStreamEndCapture(streams_[r], &graph), "capture");
      check(cuda::kept_launch_error(), "sums of ranks");
      graphs_.push_back(nullptr);
      check(cudaGraphInstantiate(&graphs_.back(), graph, 0), "graph");
      cudaGraphDestroy(graph);
      check(cudaGraphUpload(graphs_.back(), streams_[r]), "graph");
    }
    check(cudaDeviceSynchronize(), "graphs");
  }
  /// Rank 0 last, whose stream is measured.
  void run_graphs() {
    for (size_t r = ops_.size(); r-- > 0;) check(cudaGraphLaunch(graphs_[r], streams_[r]), "graph");
  }

 private:
  void* zeros(int64_t bytes) {
    void* piece = bench_.scratch<unsigned char>(bytes);
    check(cudaMemset(piece, 0, static_cast<size_t>(bytes)), "memset");
    return piece;
  }
  static cudaStream_t new_stream() {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
    return stream;
  }

  Bench& bench_;
  std::vector<SumResidualNormArgs> ops_;
  std::vector<cudaStream_t> streams_;
  std::vector<cudaGraphExec_t> graphs_;
  const Variant* variant_ = nullptr;
  int sums_ = 1;
};

/// `bytes`: what one rank sends, takes and works on.
inline void peer_sums(Bench& bench, int32_t ranks, int64_t width) {
  const std::string what =
      "sum of " + std::to_string(ranks) + " ranks + residual + norm, width " + std::to_string(width);
  if (!bench.means(what)) return;
  const int64_t before = bench.small_taken;
  {
    PeerRanks all(bench, ranks, width);
    check(cudaDeviceSynchronize(), "memset");
    if (all.variant() == nullptr) {
      std::fprintf(stderr, "%s: no kernel\n", what.c_str());
    } else if (bench.plain) {
      for (size_t r = 0; r < static_cast<size_t>(ranks); ++r) all.launch(r, 3);
      check(cudaDeviceSynchronize(), what.c_str());
    } else {
      all.capture();
      const Times times = bench.measure([&] { all.run_graphs(); });
      check(cudaDeviceSynchronize(), what.c_str());
      bench.tell(what, *all.variant(), times, width * (2 * 8 * (ranks - 1) + 4 * 4 + 2), all.sums());
    }
  }
  bench.small_taken = before;
}

}  // namespace graft::bench

// Sums over peer memory between ranks of one device: the kernel, its exchange of words through L2 and the norm, without
// what a link between devices adds.
#pragma once

#include "tests/bench/cuda/kernel_bench.h"

namespace graft::bench {

/// The arguments of each rank, over areas and epochs that are zero.
inline std::vector<SumResidualNormArgs> peer_ranks(Bench& bench, int32_t ranks, int64_t width) {
  PeerExchange peers = {};
  peers.ranks = ranks;
  peers.most_width = width;
  peers.given_up = bench.zeros<uint32_t>(1);
  for (int32_t r = 0; r < ranks; ++r) peers.areas[r] = bench.zeros<unsigned char>(exchange_bytes(ranks, width));
  const int32_t* rows = bench.number({1});
  std::vector<SumResidualNormArgs> all(static_cast<size_t>(ranks));
  for (int32_t r = 0; r < ranks; ++r) {
    SumResidualNormArgs& args = all[static_cast<size_t>(r)];
    peers.rank = r;
    peers.epochs = bench.zeros<uint32_t>(exchange_counters);
    args.peers = peers;
    args.norm.rows = rows;
    args.norm.capacity = 1;
    args.norm.width = width;
    args.norm.residual = bench.zeros<float>(width);
    args.norm.delta = bench.zeros<float>(width);
    args.norm.kind = NormKind::rms;
    args.norm.weight = bench.zeros<uint16_t>(width);
    args.norm.weight_dtype = DType::bfloat16;
    args.norm.epsilon = 1e-5f;
    args.norm.out = bench.zeros<float>(width);
  }
  return all;
}

/// Bytes: what one rank sends and takes, a value being 8 of a word, and what it works on.
inline void peer_sums(Bench& bench, int32_t ranks, int64_t width) {
  const std::string what =
      "sum of " + std::to_string(ranks) + " ranks + residual + norm, width " + std::to_string(width);
  if (!bench.means(what)) return;
  const Scope scope(bench);
  const std::vector<SumResidualNormArgs> all = peer_ranks(bench, ranks, width);
  const Work work(width * (2 * 8 * (ranks - 1) + 4 * 4 + 2));
  const Kernel first = bench.kernel(Op::sum_residual_norm, all[0], work);
  if (!bench.all_exist(what, {first})) return;
  const std::optional<Microseconds> us = bench.time_ranks(what, *first.variant, all);
  if (us) bench.tell(what, first.variant->name, *us, work);
}

}  // namespace graft::bench

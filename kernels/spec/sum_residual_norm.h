#pragma once

#include <cstdint>

#include "kernels/spec/residual_norm.h"

#if defined(__CUDACC__)
#define GRAFT_EXCHANGE static __host__ __device__ __forceinline__
#else
#define GRAFT_EXCHANGE static inline
#endif

namespace graft::kernels {

constexpr int32_t most_exchange_ranks = 8;
constexpr int64_t most_exchange_rows = 8;
constexpr int64_t exchange_counters = most_exchange_rows + 1;

/// Memory through which the ranks of a group give each other values, one rank's view of it. Each rank has an area in
/// the memory of its own device, of exchange_bytes() bytes, all zero before the first op; its peers write to it.
///
/// Protocol, as NCCL's for low latency: values travel in words of 16 bytes {value, epoch, value, epoch}, which a rank
/// writes to the area of every peer and polls for in its own. Only 8 bytes need arrive together. Each row of a step has
/// a place of its own in the area and counts epochs of its own, so that neither the width nor the capacity nor how many
/// rows a step has moves anything. Words of even and odd epochs alternate between two slots: who has the words of epoch
/// e + 1 knows that their senders have read those of e, so that it may write over them with e + 2, and no barrier is
/// needed at the end.
struct PeerExchange {
  int32_t rank;
  int32_t ranks;
  int64_t most_width;                ///< of a row; the same on every rank
  void* areas[most_exchange_ranks];  ///< of rank i, at the address that this rank's device has for it
  /// [exchange_counters], this rank's alone, zero before the first op: the epoch of each row, and last whether a wait
  /// of this rank has been given up. From the next op on it gives nothing: what it has would not be its share, and the
  /// memory of a rank that is gone may be too.
  uint32_t* epochs;
  const uint32_t* given_up;  ///< host memory that the device reads: once it is not 0, this rank waits no longer
};

GRAFT_EXCHANGE uint32_t* exchange_stop(const PeerExchange& peers) { return peers.epochs + most_exchange_rows; }

/// Of ranks that each have a share of `norm.delta`: residual_norm with the sum of the shares, added in the order of
/// ranks, as delta. Residual, weights and *rows are the same on every rank, and so are the bits of what comes out. At
/// most most_exchange_rows rows of at most peers.most_width values; `norm.delta` is not null.
///
/// Every rank runs the same ops on one exchange in the same order, each on one stream; none ends before all ranks have
/// begun it, unless `given_up` says so: then what it writes has no meaning. One without rows waits for nobody, and does
/// not count as one of them. Kernels of ranks that share a device must be able to run at the same time.
struct SumResidualNormArgs {
  ResidualNormArgs norm;
  PeerExchange peers;
};

/// Bytes that a row of one rank's values takes in one slot.
GRAFT_EXCHANGE int64_t exchange_row_bytes(int64_t most_width) { return (most_width + 1) / 2 * 16; }

/// Where in an area the words lie that `source` sends of a row in an epoch: word i has values 2 i and 2 i + 1.
GRAFT_EXCHANGE int64_t exchange_place(const PeerExchange& peers, int64_t row, uint32_t epoch, int32_t source) {
  return ((2 * row + (epoch & 1u)) * peers.ranks + source) * exchange_row_bytes(peers.most_width);
}
GRAFT_EXCHANGE int64_t exchange_bytes(int32_t ranks, int64_t most_width) {
  return most_exchange_rows * 2 * ranks * exchange_row_bytes(most_width);
}

/// After 2^32 - 1 comes 2: 0 is what an area holds at first, and even and odd go on in turn.
GRAFT_EXCHANGE uint32_t next_epoch(uint32_t epoch) { return epoch == 0xffffffffu ? 2u : epoch + 1; }

/// What `norm` must be for the op to serve it.
GRAFT_EXCHANGE bool exchange_holds(const ResidualNormArgs& norm, const PeerExchange& peers) {
  return peers.ranks >= 2 && peers.ranks <= most_exchange_ranks && norm.delta != nullptr && norm.capacity >= 1 &&
         norm.capacity <= most_exchange_rows && norm.width <= peers.most_width;
}

}  // namespace graft::kernels

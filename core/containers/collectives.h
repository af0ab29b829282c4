// What the ranks of a tensor-parallel group do together in a fused step. One file per way between the ranks.
#pragma once

#include <cstdint>
#include <vector>

#include "core/containers/op_list.h"

namespace graft {

/// One rank's way to the others. Used by the engine's thread; outlives the lists that it recorded to. Everything that
/// is recorded runs on every rank, in the same order and with the same capacities and widths; running it throws
/// COMM_ERROR.
class Collectives {
 public:
  explicit Collectives(int64_t ranks) : ranks_(ranks) {}
  virtual ~Collectives() = default;
  Collectives(const Collectives&) = delete;
  Collectives& operator=(const Collectives&) = delete;

  int64_t ranks() const { return ranks_; }

  /// Appends: data[r, :] = sum over the ranks, for r < *rows; equal bits on every rank. `data` is [capacity, width];
  /// its other rows are nobody's. Nothing with one rank.
  void record_all_reduce(OpList& ops, const int32_t* rows, int64_t capacity, int64_t width, float* data) const {
    if (ranks_ > 1) add_all_reduce(ops, rows, capacity, width, data);
  }

  /// Appends: out[r, :] = the columns of all ranks side by side, for r < *rows. Rank i has columns[i] of them, `mine`
  /// is [capacity, columns[rank]] and `out` [capacity, sum of columns]; `columns` outlives the list. May take working
  /// memory. Several ranks.
  virtual void record_gather_columns(OpList& ops, const int32_t* rows, int64_t capacity,
                                     const std::vector<int64_t>& columns, const float* mine, float* out) const = 0;

  /// Frees this rank's device from collectives under way, so that what they work on can be given back. Later ones fail.
  virtual void abort() noexcept {}

 protected:
  virtual void add_all_reduce(OpList& ops, const int32_t* rows, int64_t capacity, int64_t width, float* data) const = 0;

 private:
  int64_t ranks_;
};

}  // namespace graft

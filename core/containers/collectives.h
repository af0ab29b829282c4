// What the ranks of a tensor-parallel group do together in a fused step. One file per way between the ranks.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "core/containers/op_list.h"
#include "kernels/spec/residual_norm.h"

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

  /// Appends what residual_norm does with norm.delta = the sum of `share` over the ranks. `share` is
  /// [norm.capacity, norm.width] and holds nothing of use afterwards.
  void record_sum_residual_norm(OpList& ops, kernels::ResidualNormArgs norm, float* share) const {
    norm.delta = share;
    if (ranks_ > 1) return add_sum_residual_norm(ops, norm, share);
    ops.add(kernels::Op::residual_norm, norm);
  }

  /// Appends: out[r, :] = the columns of all ranks side by side, for r < *rows. Rank i has columns[i] of them, `mine`
  /// is [capacity, columns[rank]] and `out` [capacity, sum of columns]; `columns` outlives the list. May take working
  /// memory. Several ranks.
  virtual void record_gather_columns(OpList& ops, const int32_t* rows, int64_t capacity,
                                     const std::vector<int64_t>& columns, const float* mine, float* out) const = 0;

  /// Frees this rank's device from collectives under way, so that what they work on can be given back. Later ones fail.
  virtual void abort() noexcept {}

  /// Every rank is ready: what was recorded may run from now on.
  virtual void begin() {}
  /// Where every rank has said that its device is done: what is lent between ranks goes back. Nothing runs after it.
  /// Every rank calls it. Throws COMM_ERROR.
  virtual void part() {}

  /// Returns when `done` does. Where work on a device may wait for other ranks, whoever waits for that device does it
  /// through this: it throws COMM_ERROR where a rank is gone, after the time-out or an abort, and such work then ends.
  virtual void wait(const std::function<bool()>& done) {
    while (!done()) std::this_thread::sleep_for(std::chrono::microseconds(20));
  }

 protected:
  virtual void add_all_reduce(OpList& ops, const int32_t* rows, int64_t capacity, int64_t width, float* data) const = 0;
  virtual void add_sum_residual_norm(OpList& ops, const kernels::ResidualNormArgs& norm, float* share) const {
    add_all_reduce(ops, norm.rows, norm.capacity, norm.width, share);
    ops.add(kernels::Op::residual_norm, norm);
  }

 private:
  int64_t ranks_;
};

}  // namespace graft

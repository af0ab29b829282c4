// How the ranks of a group agree on what to run: rank 0 tells each step to the others.
#pragma once

#include <cstddef>
#include <vector>

#include "core/parallel/communicator.h"
#include "core/step/cache_pool.h"
#include "core/step/step_buffer.h"

namespace graft {

/// Used by the thread that runs steps. Everything throws COMM_ERROR when a peer fails.
class StepExchange {
 public:
  enum class Kind : int32_t {
    idle,        ///< nothing to do; tells that rank 0 lives
    step,        ///< run the step that is in the buffer now
    step_by_op,  ///< the same, op by op: a collective may not be part of a graph on some ranks alone
    go_on,       ///< wait as rank 0 does for the first of the steps that were started and are not done
    stop,        ///< no more orders follow
  };
  struct Order {
    Kind kind = Kind::idle;
    int32_t next = 0;  ///< steps that are started first, each as the one before it leaves it on the device
  };

  /// All three outlive it. On rank 0 the pool begins to note its copies.
  StepExchange(Communicator& ranks, StepBuffer& step, CachePool& cache);

  /// Rank 0: gives an order; with those that run what is in the buffer, also the contents of the buffer and the cache
  /// copies made since the last one.
  void give(Order order);
  /// The others: waits for the next order. A step is in the buffer when it returns, the copies are made.
  Order take();

 private:
  struct Header;
  static bool has_contents(Order order) { return order.kind == Kind::step || order.kind == Kind::step_by_op; }

  void resize_for(int64_t copies);

  Communicator& ranks_;
  StepBuffer& step_;
  CachePool& cache_;
  std::vector<std::byte> message_;  ///< header, copies, step
};

/// The values of every rank, [rank][i]. There are equally many on every rank.
std::vector<std::vector<int64_t>> gather_values(Communicator& ranks, const std::vector<int64_t>& values);

/// The smallest of the ranks' values, each for itself; the same on every rank. Values are not negative, and there are
/// equally many on every rank.
void agree_on_least(Communicator& ranks, std::vector<int64_t>& values);

/// A value that must be the same on every rank, and what it is called in messages.
struct SharedValue {
  const char* name;
  int64_t value;  ///< not negative
};
/// Throws INVALID_ARGUMENT on every rank where one has another value: names it, the ranks and what they have. All ranks
/// give the same names in the same order.
void require_equal(Communicator& ranks, const std::vector<SharedValue>& values);

}  // namespace graft

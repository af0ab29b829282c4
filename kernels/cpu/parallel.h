// How a CPU kernel spreads its work over the pool it was given. Everything has internal linkage: this header is
// compiled for several instruction sets.
#pragma once

#include "kernels/spec/context.h"

namespace graft::kernels {
namespace {

/// Calls body(task, worker) for every task in [0, tasks): in this thread when there is nothing to share.
template <class Body>
[[maybe_unused]] void for_each_task(const Context& context, int64_t tasks, const Body& body) {
  if (tasks <= 1 || context.parallel.workers <= 1 || context.parallel.run == nullptr) {
    for (int64_t task = 0; task < tasks; ++task) body(task, 0);
    return;
  }
  context.parallel.run(context.parallel.pool, tasks, const_cast<Body*>(&body),
                       [](void* body_context, int64_t task, int32_t worker) {
                         (*static_cast<const Body*>(body_context))(task, worker);
                       });
}

/// Splits [0, count) into contiguous ranges of about `grain` elements or more, at most four per worker, and calls
/// body(begin, end, worker) for each. The grain is what is worth waking another worker for.
template <class Body>
[[maybe_unused]] void for_each_range(const Context& context, int64_t count, int64_t grain, const Body& body) {
  if (count <= 0) return;
  const int64_t most = 4 * static_cast<int64_t>(context.parallel.workers > 1 ? context.parallel.workers : 1);
  int64_t ranges = grain > 0 ? count / grain : most;
  if (ranges > most || grain <= 0) ranges = most;
  if (ranges > count) ranges = count;
  if (ranges < 2 || context.parallel.workers <= 1) {
    body(int64_t{0}, count, 0);
    return;
  }
  const int64_t share = count / ranges, extra = count % ranges;
  for_each_task(context, ranges, [&](int64_t task, int32_t worker) {
    const int64_t begin = task * share + (task < extra ? task : extra);
    body(begin, begin + share + (task < extra ? 1 : 0), worker);
  });
}

}  // namespace
}  // namespace graft::kernels

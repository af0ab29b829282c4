// Collectives of ranks that have a device each, by NCCL on the stream of the step: a captured graph holds them.
#pragma once

#include "core/containers/collectives.h"
#include "core/parallel/nccl.h"

namespace graft {

/// Every collective is over `capacity` rows, since how many a step has is known on the device alone. The rows beyond
/// *rows do no harm: elements are summed one by one, so that no row reaches another, and nobody reads those rows.
class NcclCollectives final : public Collectives {
 public:
  /// Meets the others, and sums once: connections are made here, not in a capture, and a group that cannot sum is told
  /// here. `space` is the device that the calling thread has chosen, `context` that of its stream; both outlive this.
  /// Throws COMM_ERROR, OUT_OF_MEMORY, DEVICE_ERROR.
  NcclCollectives(const NcclTable& nccl, Communicator& host, int64_t timeout_ms, MemorySpace& space,
                  const kernels::Context& context);

  void record_gather_columns(OpList& ops, const int32_t* rows, int64_t capacity, const std::vector<int64_t>& columns,
                             const float* mine, float* out) const override;
  void abort() noexcept override { nccl_.abort(); }

  void wait(const std::function<bool()>& done) override { nccl_.wait(done); }

 protected:
  void add_all_reduce(OpList& ops, const int32_t* rows, int64_t capacity, int64_t width, float* data) const override;

 private:
  SpaceMemory
      first_;  ///< of the first sum; had before the group meets, since what allocates may wait for a device that sums
  int64_t rank_;
  mutable NcclCommunicator nccl_;  // recording changes nothing; running does
};

}  // namespace graft

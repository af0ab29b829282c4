// Collectives of ranks that have a device each, by NCCL on the stream of the step: a captured graph holds them.
#pragma once

#include "core/containers/collectives.h"
#include "core/parallel/nccl.h"

namespace graft {

/// Every collective is over `capacity` rows, since how many a step has is known on the device alone. The rows beyond
/// *rows do no harm: elements are summed one by one, so that no row reaches another, and nobody reads those rows.
class NcclCollectives final : public Collectives {
 public:
  /// Where sums are done.
  struct Place {
    MemorySpace& space;                   ///< the device that the calling thread has chosen
    const kernels::Context& context;      ///< of the stream on which everything is done
    std::function<void()> choose_device;  ///< as NcclCommunicator's
  };

  /// Meets the others, and sums up to `most_values` (at most 64 MiB of them, the same on every rank) in several sizes:
  /// which connections a sum needs depends on its size; they are made here, not in a capture, and a group that cannot
  /// sum is told here. Everything outlives this. Throws COMM_ERROR, OUT_OF_MEMORY, DEVICE_ERROR.
  NcclCollectives(const NcclTable& nccl, Communicator& host, int64_t timeout_ms, const Place& place,
                  int64_t most_values);

  void record_gather_columns(OpList& ops, const int32_t* rows, int64_t capacity, const std::vector<int64_t>& columns,
                             const float* mine, float* out) const override;
  void abort() noexcept override { nccl_.abort(); }

  void wait(const std::function<bool()>& done) override { nccl_.wait(done); }

 protected:
  void add_all_reduce(OpList& ops, const int32_t* rows, int64_t capacity, int64_t width, float* data) const override;

 private:
  SpaceMemory
      first_;  ///< of the first sums; had before the group meets, since what allocates may wait for a device that sums
  int64_t rank_;
  mutable NcclCommunicator nccl_;  // recording changes nothing; running does
};

}  // namespace graft

// Collectives of ranks that each have a device of their own which reaches the others': small sums go through peer
// memory, as one kernel with residual and norm (kernels/spec/sum_residual_norm.h); everything else another way. A
// captured graph holds them.
#pragma once

#include <memory>

#include "core/containers/collectives.h"
#include "core/containers/peer_areas.h"
#include "core/parallel/communicator.h"
#include "kernels/spec/sum_residual_norm.h"

namespace graft {

class PeerCollectives final : public Collectives {
 public:
  /// Bytes of the area of each of so many ranks, for rows of so many values.
  static int64_t area_bytes(int64_t ranks, int64_t most_width);

  /// `areas` are of area_bytes(). `others` does what peer memory cannot. `most_width`: of a row that is summed, the
  /// same on every rank. Every rank of the group calls it. Throws COMM_ERROR, OUT_OF_MEMORY, DEVICE_ERROR.
  PeerCollectives(std::unique_ptr<Collectives> others, std::unique_ptr<PeerAreas> areas, Communicator& host,
                  const PeerPlace& place, int64_t most_width, int64_t timeout_ms);
  ~PeerCollectives() override;

  /// Sums once, of which machines are known that get it wrong: whether every rank has the right result in time; the
  /// same on every rank, each of which calls it; why not goes to the log. After a false this is of no use but for
  /// take_others() and part(). Throws COMM_ERROR, OUT_OF_MEMORY, DEVICE_ERROR.
  bool works();
  std::unique_ptr<Collectives> take_others() { return std::move(others_); }

  void record_gather_columns(OpList& ops, const int32_t* rows, int64_t capacity, const std::vector<int64_t>& columns,
                             const float* mine, float* out) const override;
  /// Ends the waits of this rank's device, and of the others' in this process, since one that goes away is waited for
  /// in vain. Any thread.
  void abort() noexcept override;
  void wait(const std::function<bool()>& done) override;
  void begin() override { areas_->use(true); }
  void part() override;

 protected:
  void add_all_reduce(OpList& ops, const int32_t* rows, int64_t capacity, int64_t width, float* data) const override;
  void add_sum_residual_norm(OpList& ops, const kernels::ResidualNormArgs& norm, float* share) const override;

 private:
  class Trial;
  bool run(Trial& trial);
  void check_group() const;

  std::unique_ptr<Collectives> others_;
  Communicator& host_;
  const PeerPlace place_;
  const int64_t timeout_ms_;
  kernels::PeerExchange peers_{};
  std::unique_ptr<PeerAreas> areas_;
};

}  // namespace graft

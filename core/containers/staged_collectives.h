// Collectives of ranks on devices without a way of their own: down to the host, between the ranks there, and up again.
// Slow and always possible, also where several ranks are on one device. They wait for the device, so that no graph can
// hold them.
#pragma once

#include "core/containers/collectives.h"
#include "core/parallel/communicator.h"

namespace graft {

class StagedCollectives final : public Collectives {
 public:
  /// `ranks` outlives it.
  explicit StagedCollectives(Communicator& ranks) : Collectives(ranks.size()), group_(ranks) {}

  void record_gather_columns(OpList& ops, const int32_t* rows, int64_t capacity, const std::vector<int64_t>& columns,
                             const float* mine, float* out) const override;

 protected:
  void add_all_reduce(OpList& ops, const int32_t* rows, int64_t capacity, int64_t width, float* data) const override;

 private:
  Communicator& group_;
};

}  // namespace graft

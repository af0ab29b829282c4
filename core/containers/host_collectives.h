// Collectives of ranks on the processor: the communicator's own, on the step's memory.
#pragma once

#include "core/containers/collectives.h"
#include "core/parallel/communicator.h"

namespace graft {

class HostCollectives final : public Collectives {
 public:
  /// `ranks` outlives it.
  explicit HostCollectives(Communicator& ranks) : Collectives(ranks.size()), group_(ranks) {}

  void record_gather_columns(OpList& ops, const int32_t* rows, int64_t capacity, const std::vector<int64_t>& columns,
                             const float* mine, float* out) const override;

 protected:
  void add_all_reduce(OpList& ops, const int32_t* rows, int64_t capacity, int64_t width, float* data) const override;

 private:
  Communicator& group_;
};

/// Puts the columns of all ranks side by side, everything in host memory: out [rows, sum of columns]. `counts` has an
/// entry for each rank and `parts` room for `out`.
void gather_columns_on_host(Communicator& ranks, int64_t rows, const int64_t* columns, const float* mine,
                            int64_t* counts, float* parts, float* out);

}  // namespace graft

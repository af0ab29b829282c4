// Collectives of ranks on devices without a way of their own: down to the host, between the ranks there, and up again.
// Slow and always possible, also where several ranks are on one device.
#pragma once

#include "core/containers/op_list.h"
#include "core/parallel/communicator.h"

namespace graft {

/// As record_all_reduce and record_gather_columns. They wait for the device, so that no graph can hold them.
void record_staged_all_reduce(OpList& ops, Communicator& ranks, const int32_t* rows, int64_t capacity, int64_t width,
                              float* data);
void record_staged_gather_columns(OpList& ops, Communicator& ranks, const int32_t* rows, int64_t capacity,
                                  const std::vector<int64_t>& columns, const float* mine, float* out);

/// Puts the columns of all ranks side by side, everything in host memory: out [rows, sum of columns]. `counts` has an
/// entry for each rank and `parts` room for `out`.
void gather_columns_on_host(Communicator& ranks, int64_t rows, const int64_t* columns, const float* mine,
                            int64_t* counts, float* parts, float* out);

}  // namespace graft

// What the ranks of a tensor-parallel group do together in a fused step.
#pragma once

#include "core/containers/op_list.h"
#include "core/parallel/communicator.h"

namespace graft {

/// Appends: data[r, :] = sum over the ranks, for r < *rows, at most `capacity`. Nothing with one rank. Running it
/// throws COMM_ERROR. On a device the rows go through the host (staged_collectives.h), which no graph can capture.
void record_all_reduce(OpList& ops, Communicator& ranks, const int32_t* rows, int64_t capacity, int64_t width,
                       float* data);

/// Appends: out[r, :] = the columns of all ranks side by side, for r < *rows. Rank i has columns[i] of them, `mine` is
/// [*rows, columns[rank]]; `columns` outlives the list. Takes working memory for `capacity` rows.
void record_gather_columns(OpList& ops, Communicator& ranks, const int32_t* rows, int64_t capacity,
                           const std::vector<int64_t>& columns, const float* mine, float* out);

}  // namespace graft

#include "core/containers/collectives.h"

#include <algorithm>
#include <numeric>

namespace graft {
namespace {

struct AllReduceArgs {
  Communicator* ranks;
  const int32_t* rows;
  int64_t width;
  float* data;
};

void run_all_reduce(const void* args, const kernels::Context&) {
  const auto& a = *static_cast<const AllReduceArgs*>(args);
  a.ranks->all_reduce(a.data, *a.rows * a.width);
}

struct GatherColumnsArgs {
  Communicator* ranks;
  const int32_t* rows;
  const int64_t* columns;  // [ranks]
  const float* mine;
  int64_t* counts;  // [ranks] working memory
  float* parts;     // the parts of the ranks one after another
  float* out;
};

void run_gather_columns(const void* args, const kernels::Context&) {
  const auto& a = *static_cast<const GatherColumnsArgs*>(args);
  const int64_t rows = *a.rows, ranks = a.ranks->size();
  if (rows == 0) return;
  int64_t width = 0;
  for (int64_t i = 0; i < ranks; ++i) {
    a.counts[i] = rows * a.columns[i];
    width += a.columns[i];
  }
  a.ranks->all_gather(a.mine, a.counts, a.parts);
  const float* part = a.parts;
  float* column = a.out;
  for (int64_t i = 0; i < ranks; ++i) {
    for (int64_t r = 0; r < rows; ++r) std::copy_n(part + r * a.columns[i], a.columns[i], column + r * width);
    part += a.counts[i];
    column += a.columns[i];
  }
}

constexpr kernels::Variant all_reduce = {
    kernels::Op::all_reduce, kernels::Isa::reference, "all_reduce", nullptr, nullptr, run_all_reduce};
constexpr kernels::Variant gather_columns = {
    kernels::Op::gather_columns, kernels::Isa::reference, "gather_columns", nullptr, nullptr, run_gather_columns};

}  // namespace

void record_all_reduce(OpList& ops, Communicator& ranks, const int32_t* rows, int64_t width, float* data) {
  if (ranks.size() > 1) ops.add_call(all_reduce, AllReduceArgs{&ranks, rows, width, data});
}

void record_gather_columns(OpList& ops, Communicator& ranks, const int32_t* rows, int64_t capacity,
                           const std::vector<int64_t>& columns, const float* mine, float* out) {
  const int64_t width = std::accumulate(columns.begin(), columns.end(), int64_t{0});
  GatherColumnsArgs args{&ranks, rows, columns.data(), mine, nullptr, nullptr, out};
  args.counts = ops.arena().take_array<int64_t>(ranks.size());
  args.parts = ops.arena().take_array<float>(capacity * width);
  ops.add_call(gather_columns, args);
}

}  // namespace graft

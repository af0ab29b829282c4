#include "core/containers/host_collectives.h"

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
  if (*a.rows > 0) gather_columns_on_host(*a.ranks, *a.rows, a.columns, a.mine, a.counts, a.parts, a.out);
}

constexpr kernels::Variant all_reduce = {
    kernels::Op::all_reduce, kernels::Isa::reference, "all_reduce", nullptr, nullptr, run_all_reduce};
constexpr kernels::Variant gather_columns = {
    kernels::Op::gather_columns, kernels::Isa::reference, "gather_columns", nullptr, nullptr, run_gather_columns};

}  // namespace

void gather_columns_on_host(Communicator& ranks, int64_t rows, const int64_t* columns, const float* mine,
                            int64_t* counts, float* parts, float* out) {
  int64_t width = 0;
  for (int64_t i = 0; i < ranks.size(); ++i) {
    counts[i] = rows * columns[i];
    width += columns[i];
  }
  ranks.all_gather(mine, counts, parts);
  const float* part = parts;
  float* column = out;
  for (int64_t i = 0; i < ranks.size(); ++i) {
    for (int64_t r = 0; r < rows; ++r) std::copy_n(part + r * columns[i], columns[i], column + r * width);
    part += counts[i];
    column += columns[i];
  }
}

void HostCollectives::add_all_reduce(OpList& ops, const int32_t* rows, int64_t, int64_t width, float* data) const {
  ops.add_call(all_reduce, AllReduceArgs{&group_, rows, width, data});
}

void HostCollectives::record_gather_columns(OpList& ops, const int32_t* rows, int64_t capacity,
                                            const std::vector<int64_t>& columns, const float* mine, float* out) const {
  const int64_t width = std::accumulate(columns.begin(), columns.end(), int64_t{0});
  GatherColumnsArgs args{&group_, rows, columns.data(), mine, nullptr, nullptr, out};
  args.counts = ops.arena().take_array<int64_t>(ranks());
  args.parts = ops.arena().take_array<float>(capacity * width);
  ops.add_call(gather_columns, args);
}

}  // namespace graft

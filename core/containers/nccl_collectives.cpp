#include "core/containers/nccl_collectives.h"

#include <algorithm>
#include <numeric>

namespace graft {
namespace {

constexpr auto float_bytes = static_cast<int64_t>(sizeof(float));
constexpr int64_t least_values = 64, most_first_values = (int64_t{64} << 20) / float_bytes;

struct AllReduceArgs {
  NcclCommunicator* nccl;
  float* data;
  int64_t count;
};

void run_all_reduce(const void* args, const kernels::Context& context) {
  const auto& a = *static_cast<const AllReduceArgs*>(args);
  a.nccl->all_reduce(a.data, a.count, context.stream);
}

struct GatherColumnsArgs {
  NcclCommunicator* nccl;
  MemorySpace* space;
  const float* mine;
  float* out;
  int64_t rows;
  int64_t columns;  // of this rank
  int64_t before;   // of the ranks before it
  int64_t width;
};

// Own columns at their place among zeros, then the sum: x + 0 is x. Ranks have different counts of columns, which
// NCCL's own gather does not take.
void run_gather_columns(const void* args, const kernels::Context& context) {
  const auto& a = *static_cast<const GatherColumnsArgs*>(args);
  a.space->clear(a.out, a.rows * a.width * float_bytes);
  a.space->copy_rows(a.out + a.before, a.width * float_bytes, a.mine, a.columns * float_bytes, a.columns * float_bytes,
                     a.rows);
  a.nccl->all_reduce(a.out, a.rows * a.width, context.stream);
}

constexpr kernels::Variant all_reduce = {
    kernels::Op::all_reduce, kernels::Isa::reference, "all_reduce.nccl", nullptr, nullptr, run_all_reduce};
constexpr kernels::Variant gather_columns = {
    kernels::Op::gather_columns, kernels::Isa::reference, "gather_columns.nccl", nullptr, nullptr, run_gather_columns};

}  // namespace

NcclCollectives::NcclCollectives(const NcclTable& nccl, Communicator& host, int64_t timeout_ms, const Place& place,
                                 int64_t most_values)
    : Collectives(host.size()),
      first_(place.space, std::clamp(most_values, least_values, most_first_values) * float_bytes,
             "the first sums of the ranks"),
      rank_(host.rank()),
      nccl_(nccl, host, timeout_ms, place.choose_device) {
  MemorySpace& space = place.space;
  try {
    space.clear(first_.data(), first_.bytes());
    const int64_t most = first_.bytes() / float_bytes;
    for (int64_t values = least_values;; values = std::min(8 * values, most)) {
      nccl_.all_reduce(static_cast<float*>(first_.data()), values, place.context.stream);
      if (values == most) break;
    }
    nccl_.wait([&space] { return space.is_done(); });
    space.synchronize();  // tells what failed
    float done = 1;
    host.all_reduce(&done, 1);  // what is given back may be waited for too
    first_ = {};
  } catch (...) {
    host.abort();  // the others need not wait for what follows
    nccl_.abort();
    space.drain();
    throw;
  }
}

void NcclCollectives::add_all_reduce(OpList& ops, const int32_t*, int64_t capacity, int64_t width, float* data) const {
  ops.add_call(all_reduce, AllReduceArgs{&nccl_, data, capacity * width});
}

void NcclCollectives::record_gather_columns(OpList& ops, const int32_t*, int64_t capacity,
                                            const std::vector<int64_t>& columns, const float* mine, float* out) const {
  const auto own = columns.begin() + rank_;
  GatherColumnsArgs args{&nccl_, &ops.space(), mine, out, capacity, *own, {}, {}};
  args.before = std::accumulate(columns.begin(), own, int64_t{0});
  args.width = std::accumulate(own, columns.end(), args.before);
  ops.add_call(gather_columns, args);
}

}  // namespace graft

#include "core/containers/staged_collectives.h"

#include <numeric>

#include "core/containers/host_collectives.h"

namespace graft {
namespace {

constexpr auto float_bytes = static_cast<int64_t>(sizeof(float));

struct AllReduceArgs {
  Communicator* ranks;
  MemorySpace* space;
  const int32_t* rows;  // on the device, as are the rows themselves
  int64_t width;
  float* data;
  int32_t* staged_rows;  // in staging memory
  float* staged_data;    // [capacity, width]
};

struct GatherColumnsArgs {
  Communicator* ranks;
  MemorySpace* space;
  const int32_t* rows;
  const int64_t* columns;
  const float* mine;
  float* out;
  int64_t width;
  int32_t* staged_rows;
  int64_t* counts;  // in staging memory, as the following
  float* staged_mine;
  float* parts;
  float* staged_out;
};

// How many rows this step has is known on the device alone.
int64_t rows_of(MemorySpace& space, const int32_t* rows, int32_t* staged) {
  space.copy(staged, rows, sizeof *rows);
  space.synchronize();
  return *staged;
}

void run_all_reduce(const void* args, const kernels::Context&) {
  const auto& a = *static_cast<const AllReduceArgs*>(args);
  const int64_t values = rows_of(*a.space, a.rows, a.staged_rows) * a.width;
  a.space->copy(a.staged_data, a.data, values * float_bytes);
  a.space->synchronize();
  a.ranks->all_reduce(a.staged_data, values);
  a.space->copy(a.data, a.staged_data, values * float_bytes);
}

void run_gather_columns(const void* args, const kernels::Context&) {
  const auto& a = *static_cast<const GatherColumnsArgs*>(args);
  const int64_t rows = rows_of(*a.space, a.rows, a.staged_rows);
  if (rows == 0) return;
  a.space->copy(a.staged_mine, a.mine, rows * a.columns[a.ranks->rank()] * float_bytes);
  a.space->synchronize();
  gather_columns_on_host(*a.ranks, rows, a.columns, a.staged_mine, a.counts, a.parts, a.staged_out);
  a.space->copy(a.out, a.staged_out, rows * a.width * float_bytes);
}

constexpr kernels::Variant all_reduce = {
    kernels::Op::all_reduce, kernels::Isa::reference, "all_reduce.staged", nullptr, nullptr, run_all_reduce};
constexpr kernels::Variant gather_columns = {
    kernels::Op::gather_columns, kernels::Isa::reference, "gather_columns.staged", nullptr, nullptr,
    run_gather_columns};

// The pieces of a call's staging memory. The next call begins after the device has done this one's copies, since it
// waits before it writes.
class Pieces {
 public:
  explicit Pieces(void* data) : arena_(data, INT64_MAX) {}
  template <class T>
  T* take(int64_t count) {
    return arena_.take_array<T>(count);
  }
  int64_t used() const { return arena_.used(); }

 private:
  Arena arena_;
};

}  // namespace

void StagedCollectives::add_all_reduce(OpList& ops, const int32_t* rows, int64_t capacity, int64_t width,
                                       float* data) const {
  AllReduceArgs args{&group_, &ops.space(), rows, width, data, nullptr, nullptr};
  Pieces pieces(ops.staging(0));
  args.staged_rows = pieces.take<int32_t>(1);
  args.staged_data = pieces.take<float>(capacity * width);
  ops.staging(pieces.used());
  ops.add_call(all_reduce, args);
}

void StagedCollectives::record_gather_columns(OpList& ops, const int32_t* rows, int64_t capacity,
                                              const std::vector<int64_t>& columns, const float* mine,
                                              float* out) const {
  const int64_t width = std::accumulate(columns.begin(), columns.end(), int64_t{0});
  GatherColumnsArgs args{&group_, &ops.space(), rows, columns.data(), mine, out, width, {}, {}, {}, {}, {}};
  Pieces pieces(ops.staging(0));
  args.staged_rows = pieces.take<int32_t>(1);
  args.counts = pieces.take<int64_t>(ranks());
  args.staged_mine = pieces.take<float>(capacity * columns[static_cast<size_t>(group_.rank())]);
  args.parts = pieces.take<float>(capacity * width);
  args.staged_out = pieces.take<float>(capacity * width);
  ops.staging(pieces.used());
  ops.add_call(gather_columns, args);
}

}  // namespace graft

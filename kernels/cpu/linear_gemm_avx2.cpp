// linear for many rows (prefill): 16 weight rows at a time are widened to float32 and transposed into a panel that
// stays in the first-level cache while all rows of x pass by it in tiles of 6 x 16.
//
// Loops, outermost first: task (a group of panels) / depth block / block of x rows that stays in the second-level cache
// / panel / tile. Sums over depth blocks accumulate in `out`.
#include "kernels/cpu/linear_dot_avx2.h"
#include "kernels/cpu/microkernel_avx2.h"
#include "kernels/cpu/transpose_avx2.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

constexpr int64_t depth_block = 256;    // a panel is 16 KiB
constexpr int64_t row_block = 192;      // of x: 192 KiB per depth block
constexpr int64_t panels_per_task = 8;  // 128 KiB of panels
constexpr int64_t panel_floats = depth_block * tile_columns;
constexpr int64_t worker_floats = panels_per_task * panel_floats;

/// Where a panel's columns are: a run of up to 16 output features of one segment.
struct Panel {
  const LinearSegment* segment;
  int64_t first;    // output feature inside the segment
  int64_t columns;  // 1..16
  int64_t out;      // column of `out`
};

int64_t panels_of(const LinearSegment& segment) { return (segment.out_features + tile_columns - 1) / tile_columns; }

Panel find_panel(const LinearArgs& a, int64_t index) {
  int64_t column = 0;
  for (int32_t s = 0; s < a.segment_count; ++s) {
    const LinearSegment& segment = a.segments[s];
    const int64_t panels = panels_of(segment);
    if (index < panels) {
      const int64_t first = index * tile_columns;
      const int64_t left = segment.out_features - first;
      return {&segment, first, left < tile_columns ? left : tile_columns, column + first};
    }
    index -= panels;
    column += segment.out_features;
  }
  return {nullptr, 0, 0, 0};
}

/// One depth block of one panel against rows [begin, end) of x.
void multiply_panel(const LinearArgs& a, const Panel& panel, const float* packed, int64_t k, int64_t depth,
                    int64_t begin, int64_t end) {
  const bool accumulate = a.accumulate || k > 0;
  float start[tile_columns] = {};
  if (panel.segment->bias != nullptr) {
    for (int64_t c = 0; c < panel.columns; ++c) {
      start[c] = load_float(panel.segment->bias, panel.first + c, panel.segment->bias_dtype);
    }
  }
  for (int64_t r = begin; r < end; r += tile_rows) {
    const int64_t rows = end - r < tile_rows ? end - r : tile_rows;
    const float* x = a.x + r * a.x_stride + k;
    float* out = a.out + r * a.out_stride + panel.out;
    if (panel.columns == tile_columns) {
      tile_product_rows<2>(rows, x, a.x_stride, packed, tile_columns, depth, out, a.out_stride, accumulate, start);
      continue;
    }
    float edge[tile_rows * tile_columns];  // a segment's last, narrower panel: the tile goes through a full-width copy
    tile_product_rows<2>(rows, x, a.x_stride, packed, tile_columns, depth, edge, tile_columns, false,
                         accumulate ? nullptr : start);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t c = 0; c < panel.columns; ++c) {
        float& to = out[i * a.out_stride + c];
        to = accumulate ? to + edge[i * tile_columns + c] : edge[i * tile_columns + c];
      }
    }
  }
}

void multiply_group(const LinearArgs& a, int64_t first_panel, int64_t count, int64_t rows, float* packed) {
  Panel panels[panels_per_task];
  for (int64_t p = 0; p < count; ++p) panels[p] = find_panel(a, first_panel + p);
  int64_t k = 0;
  do {  // once even when in_features is 0: the bias alone
    const int64_t depth = a.in_features - k < depth_block ? a.in_features - k : depth_block;
    for (int64_t p = 0; p < count; ++p) {
      // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): panels are counted from the segments, so each has one
      with_float_type(panels[p].segment->weight_dtype, [&](auto type) {
        using Type = decltype(type);
        const int64_t row_bytes = a.in_features * Type::bytes;
        pack_columns<Type>(bytes_of(panels[p].segment->weight) + panels[p].first * row_bytes + k * Type::bytes,
                           row_bytes, panels[p].columns, tile_columns, depth, packed + p * panel_floats, tile_columns);
      });
    }
    for (int64_t r = 0; r < rows; r += row_block) {
      const int64_t end = rows - r < row_block ? rows : r + row_block;
      for (int64_t p = 0; p < count; ++p) multiply_panel(a, panels[p], packed + p * panel_floats, k, depth, r, end);
    }
    k += depth_block;
  } while (k < a.in_features);
}

bool accepts(const void* args) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  return a.capacity > dot_rows_limit && linear_types_accepted(a);
}

int64_t scratch_bytes(const void*, int32_t workers) {
  return (workers > 1 ? workers : 1) * worker_floats * static_cast<int64_t>(sizeof(float));
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  const int64_t rows = *a.rows;
  if (rows <= dot_rows_limit) return run_linear_dot(a, context);
  int64_t panels = 0;
  for (int32_t s = 0; s < a.segment_count; ++s) panels += panels_of(a.segments[s]);
  // Groups as large as the scratch allows, yet at least four tasks per worker.
  const int64_t workers = context.parallel.workers > 1 ? context.parallel.workers : 1;
  int64_t group = panels / (4 * workers);
  group = group < 1 ? 1 : group > panels_per_task ? panels_per_task : group;
  for_each_task(context, (panels + group - 1) / group, [&](int64_t task, int32_t worker) {
    const int64_t first = task * group;
    const int64_t count = panels - first < group ? panels - first : group;
    multiply_group(a, first, count, rows, static_cast<float*>(a.scratch) + worker * worker_floats);
  });
}

}  // namespace

extern const Variant kernel_cpu_linear_gemm_avx2;
const Variant kernel_cpu_linear_gemm_avx2 = {Op::linear, Isa::avx2, "linear.gemm.avx2", accepts, scratch_bytes, run};

}  // namespace graft::kernels

// Random grouped linears in emulated device memory, and how near to the reference a kernel must come.
#pragma once

#include <algorithm>

#include "kernels/spec/expert_linear.h"
#include "tests/cuda/matrix_case.h"

namespace graft::kernels::testing {

/// How the rows of a step choose their experts.
enum class Choice { any, one_expert, elsewhere };
/// Where gate and up lie: in tensors of their own, one after the other in one, or by turns.
enum class Layout { single, apart, stacked, by_turns };

struct ExpertLinearSpec {
  int64_t rows = 1, capacity = 1, in = 1, out = 1;
  int32_t top_k = 1, experts = 1, all_experts = 1;  ///< experts: those that are here
  DType dtype = DType::bfloat16;
  int64_t group_size = 0;  ///< of quantised weights
  Choice choice = Choice::any;
  Layout layout = Layout::single;
  bool by_position = false;  ///< x by position, not by entries
  size_t misalignment = 0;   ///< of the weights, in elements
};

class ExpertLinearCase {
 public:
  ExpertLinearCase(Random& random, const ExpertLinearSpec& spec) {
    args.capacity = spec.capacity;
    args.top_k = spec.top_k;
    args.experts = spec.experts;
    args.in_features = spec.in;
    args.x_stride = (spec.in + 3) / 4 * 4 + 4 * random.in(0, 1);
    deal(random, spec);
    make_segments(random, spec);
    const int64_t positions = spec.capacity * spec.top_k, x_rows = spec.by_position ? positions : spec.capacity;
    args.out_stride = outputs_ + random.in(0, 5);
    before_ = random.normals(positions * args.out_stride);
    // Rows that this step has not are NaN: nothing may come of them.
    std::vector<float> x = random.normals(x_rows * args.x_stride);
    const int64_t used = spec.by_position ? offsets_.back() : spec.rows;
    for (int64_t r = 0; r < x_rows; ++r) {
      for (int64_t i = r < used ? spec.in : 0; i < args.x_stride; ++i) {
        x[static_cast<size_t>(r * args.x_stride + i)] = std::nanf("");
      }
    }
    args.x = memory_.keep(x)->as<float>();
    if (!spec.by_position && random.in(0, 2) == 0) {
      args.entry_scales = memory_.keep(random.normals(positions))->as<float>();
    }
    expected = before_;
    args.out = expected.data();
    reference_of(Op::expert_linear)->run(&args, {});
    measure();
  }

  std::vector<float> run(const Variant& variant, emulated::Order order = emulated::Order::forward) {
    DeviceMemory out(before_);
    ExpertLinearArgs mine = args;
    mine.out = out.as<float>();
    run_emulated(variant, mine, order);
    return out.read<float>();
  }

  std::string check(const std::vector<float>& got, double rounding) const {
    return first_mistake(got, expected, sizes_, args.out_stride, rounding);
  }

  ExpertLinearArgs args = {};
  std::vector<float> expected;

 private:
  /// Experts of rows, put in order. The experts that are here are the first `experts` of all.
  void deal(Random& random, const ExpertLinearSpec& spec) {
    std::vector<std::vector<int32_t>> of(static_cast<size_t>(spec.all_experts));
    std::vector<int32_t> experts(of.size());
    for (size_t e = 0; e < experts.size(); ++e) experts[e] = static_cast<int32_t>(e);
    const auto favourite = static_cast<int32_t>(random.in(0, spec.experts - 1));
    for (int64_t r = 0; r < spec.rows; ++r) {
      std::shuffle(experts.begin(), experts.end(), random.engine);
      if (spec.choice == Choice::one_expert) {
        std::iter_swap(experts.begin(), std::find(experts.begin(), experts.end(), favourite));
      }
      for (int32_t s = 0; s < spec.top_k; ++s) {
        const auto expert = static_cast<size_t>(experts[static_cast<size_t>(s)]);
        if (spec.choice == Choice::elsewhere) continue;
        of[expert].push_back(static_cast<int32_t>(r * spec.top_k + s));
      }
    }
    std::vector<int32_t> entries;
    offsets_ = {0};
    for (size_t e = 0; e < static_cast<size_t>(spec.experts); ++e) {
      entries.insert(entries.end(), of[e].begin(), of[e].end());
      offsets_.push_back(static_cast<int32_t>(entries.size()));
    }
    entries.resize(static_cast<size_t>(spec.capacity * spec.top_k), -77);  // never looked at
    args.offsets = memory_.keep(offsets_)->as<int32_t>();
    if (!spec.by_position) args.entries = memory_.keep(entries)->as<int32_t>();
  }

  void make_segments(Random& random, const ExpertLinearSpec& spec) {
    const bool shared = spec.layout == Layout::stacked || spec.layout == Layout::by_turns;
    args.segment_count = spec.layout == Layout::single ? 1 : 2;
    outputs_ = args.segment_count * spec.out;
    for (int32_t s = 0; s < args.segment_count; ++s) {
      ExpertSegment& segment = args.segments[s];
      if (s == 0 || !shared) segment = tensor(random, spec, shared ? 2 * spec.out : spec.out);
      if (!shared) continue;
      const bool by_turns = spec.layout == Layout::by_turns;
      if (by_turns) segment.row_step = 2;
      if (s == 1) segment = later(args.segments[0], by_turns ? 1 : spec.out, spec.in);
    }
  }

  /// The weights of all experts, `rows` each.
  ExpertSegment tensor(Random& random, const ExpertLinearSpec& spec, int64_t rows) {
    ExpertSegment made = {};
    made.expert_rows = rows;
    LinearSegment& matrix = made.matrix;
    matrix.out_features = spec.out;
    matrix.weight_dtype = spec.dtype;
    matrix.bias_dtype = random.float_type();
    rows *= spec.experts;
    matrix.group_size = spec.group_size;
    if (random.coin()) memory_.fill_bias(random, matrix, rows);
    memory_.fill(random, matrix, rows, spec.in, spec.misalignment);
    return made;
  }

  /// The same tensor from `rows` rows on.
  static ExpertSegment later(ExpertSegment segment, int64_t rows, int64_t in) {
    LinearSegment& matrix = segment.matrix;
    const bool quantized = is_quantized(matrix.weight_dtype);
    const int64_t row_bytes =
        quantized ? quantized_row_bytes(in, matrix.weight_dtype) : in * float_dtype_bytes(matrix.weight_dtype);
    matrix.weight = static_cast<const unsigned char*>(matrix.weight) + rows * row_bytes;
    if (quantized) matrix.scales += rows * quantized_groups(in, matrix.group_size);
    if (matrix.bias != nullptr) {
      matrix.bias = static_cast<const unsigned char*>(matrix.bias) + rows * float_dtype_bytes(matrix.bias_dtype);
    }
    return segment;
  }

  /// 0 for what is no output.
  void measure() {
    sizes_.assign(expected.size(), 0);
    for (int32_t e = 0; e < args.experts; ++e) {
      for (int32_t p = args.offsets[e]; p < args.offsets[e + 1]; ++p) {
        const int32_t entry = args.entries != nullptr ? args.entries[p] : 0;
        const float* x = args.x + (args.entries != nullptr ? entry / args.top_k : p) * args.x_stride;
        const double scale = args.entry_scales != nullptr ? args.entry_scales[entry] : 1.0f;
        double* size = sizes_.data() + p * args.out_stride;
        for (int32_t s = 0; s < args.segment_count; ++s) {
          const ExpertSegment& segment = args.segments[s];
          for (int64_t o = 0; o < segment.matrix.out_features; ++o) {
            const int64_t row = e * segment.expert_rows + o * segment.row_step;
            *size++ = product_size(x, segment.matrix, args.in_features, row) * std::abs(scale) + 1e-30;
          }
        }
      }
    }
  }

  KeptMemory memory_;
  std::vector<int32_t> offsets_;
  int64_t outputs_ = 0;
  std::vector<float> before_;
  std::vector<double> sizes_;
};

}  // namespace graft::kernels::testing

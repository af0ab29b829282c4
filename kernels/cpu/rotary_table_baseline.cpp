// The C library's sine and cosine, rows shared out over the workers; dynamic frequencies once per sequence, not per
// token.
#include <math.h>

#include "kernels/cpu/parallel.h"
#include "kernels/spec/rotary.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

constexpr int32_t most_pairs = 512;

// The inverse frequencies of a sequence of `length` tokens; `grown` is room for computed ones.
const float* frequencies_of(const RotaryTableArgs& a, int64_t length, float* grown) {
  if (length <= a.long_threshold) return a.inverse_frequency;
  if (!(a.dynamic_factor > 0)) {
    return a.long_inverse_frequency != nullptr ? a.long_inverse_frequency : a.inverse_frequency;
  }
  const double rotary_dim = 2.0 * a.pairs, factor = a.dynamic_factor;
  const double growth = factor * static_cast<double>(length) / static_cast<double>(a.long_threshold) - (factor - 1.0);
  const double base = a.dynamic_base * pow(growth, rotary_dim / (rotary_dim - 2.0));
  for (int32_t i = 0; i < a.pairs; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(rotary_dim);
    grown[i] = 1.0f / static_cast<float>(pow(base, static_cast<double>(exponent)));
  }
  return grown;
}

bool accepts(const void* args) { return static_cast<const RotaryTableArgs*>(args)->pairs <= most_pairs; }

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const RotaryTableArgs*>(args);
  const int64_t grain = 1 + 2048 / (a.pairs + 1);
  for_each_range(context, *a.rows, grain, [&](int64_t begin, int64_t end, int32_t) {
    float grown[most_pairs];
    const float* frequencies = a.inverse_frequency;
    float factor = 1;
    int64_t sequence = -1;
    for (int64_t t = begin; t < end; ++t) {
      if (a.sequence_of[t] != sequence) {
        sequence = a.sequence_of[t];
        const int64_t length = a.planned_lengths[sequence];
        frequencies = frequencies_of(a, length, grown);
        const bool is_long = a.long_inverse_frequency != nullptr && frequencies == a.long_inverse_frequency;
        factor = is_long ? a.long_attention_factor : a.attention_factor;
      }
      const float position = static_cast<float>(a.positions[t]);
      for (int32_t i = 0; i < a.pairs; ++i) {
        const float phase = position * frequencies[i];
        a.cosine[t * a.pairs + i] = cosf(phase) * factor;
        a.sine[t * a.pairs + i] = sinf(phase) * factor;
      }
    }
  });
}

}  // namespace

extern const Variant kernel_cpu_rotary_table_baseline;
const Variant kernel_cpu_rotary_table_baseline = {Op::rotary_table, Isa::baseline, "rotary_table.baseline",
                                                  accepts,          nullptr,       run};

}  // namespace graft::kernels

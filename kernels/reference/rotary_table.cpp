// Formulas of Transformers' modeling_rope_utils (default, linear and llama3 come in as inverse frequencies; longrope
// and dynamic NTK depend on the length and are chosen here).
#include <math.h>

#include "kernels/spec/rotary.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

float frequency_of(const RotaryTableArgs& a, int64_t length, int64_t i) {
  if (length > a.long_threshold) {
    if (a.dynamic_factor > 0) {
      const double rotary_dim = 2.0 * a.pairs;
      const double grown =
          static_cast<double>(a.dynamic_factor) * static_cast<double>(length) / static_cast<double>(a.long_threshold) -
          (static_cast<double>(a.dynamic_factor) - 1.0);
      const double base = a.dynamic_base * pow(grown, rotary_dim / (rotary_dim - 2.0));
      return 1.0f / static_cast<float>(pow(base, static_cast<double>(static_cast<float>(2 * i) / (2.0f * a.pairs))));
    }
    if (a.long_inverse_frequency != nullptr) return a.long_inverse_frequency[i];
  }
  return a.inverse_frequency[i];
}

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const RotaryTableArgs*>(args);
  for (int64_t t = 0; t < *a.rows; ++t) {
    const int64_t length = a.planned_lengths[a.sequence_of[t]];
    const bool is_long = length > a.long_threshold && a.long_inverse_frequency != nullptr && !(a.dynamic_factor > 0);
    const float factor = is_long ? a.long_attention_factor : a.attention_factor;
    for (int64_t i = 0; i < a.pairs; ++i) {
      const float phase = static_cast<float>(a.positions[t]) * frequency_of(a, length, i);
      a.cosine[t * a.pairs + i] = static_cast<float>(cos(static_cast<double>(phase))) * factor;
      a.sine[t * a.pairs + i] = static_cast<float>(sin(static_cast<double>(phase))) * factor;
    }
  }
}

}  // namespace

extern const Variant kernel_reference_rotary_table;
const Variant kernel_reference_rotary_table = {Op::rotary_table, Isa::reference, "rotary_table.reference",
                                               nullptr,          nullptr,        run};

}  // namespace graft::kernels

#include "kernels/spec/attention.h"

#include <math.h>

#include "kernels/spec/convert.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

struct Query {
  const AttentionArgs& a;
  int64_t sequence, head, position, context;
  const float* q;

  int64_t first_key() const {
    const int64_t first = a.window > 0 ? position - a.window + 1 : 0;
    return first < 0 ? 0 : first;
  }
  int64_t end_key() const { return a.causal && position + 1 < context ? position + 1 : context; }

  int64_t at(int64_t key) const {
    const int64_t block = a.block_table[sequence * a.block_table_stride + key / a.cache.block_size];
    const int64_t kv_head = head / (a.heads / a.cache.kv_heads);
    return ((block * a.cache.kv_heads + kv_head) * a.cache.block_size + key % a.cache.block_size) * a.cache.head_dim;
  }

  double rounded_bias(int64_t place) const {
    const auto rounded = [](float value) { return bfloat16_to_float(float_to_bfloat16(value)); };
    return static_cast<double>(rounded(a.alibi_slopes[head] * rounded(static_cast<float>(place))));
  }

  double score(int64_t key) const {
    const int64_t place = at(key);
    double sum = 0;
    for (int64_t i = 0; i < a.cache.head_dim; ++i) {
      sum += static_cast<double>(q[i]) * load_float(a.cache.key, place + i, a.cache.dtype);
    }
    sum *= a.scale;
    if (a.softcap > 0) sum = a.softcap * tanh(sum / a.softcap);
    if (a.alibi_slopes != nullptr && a.rounded_alibi > 0) {
      sum += static_cast<double>(a.rounded_alibi) * (rounded_bias(key) - rounded_bias(position));
    } else if (a.alibi_slopes != nullptr) {
      sum += static_cast<double>(a.alibi_slopes[head]) * static_cast<double>(key - position);
    }
    return sum;
  }
};

// `scores` has room for every key.
void attend(const Query& query, float* out, double* scores) {
  const AttentionArgs& a = query.a;
  const int64_t first = query.first_key(), end = query.end_key();
  double highest = a.sinks != nullptr ? a.sinks[query.head] : -HUGE_VAL;
  for (int64_t k = first; k < end; ++k) {
    scores[k] = query.score(k);
    highest = fmax(highest, scores[k]);
  }
  double denominator = a.sinks != nullptr ? exp(a.sinks[query.head] - highest) : 0.0;
  for (int64_t k = first; k < end; ++k) denominator += exp(scores[k] - highest);
  for (int64_t i = 0; i < a.cache.head_dim; ++i) out[i] = 0;
  if (!(denominator > 0)) return;  // nothing to attend to
  for (int64_t k = first; k < end; ++k) {
    const double probability = exp(scores[k] - highest) / denominator;
    const int64_t place = query.at(k);
    for (int64_t i = 0; i < a.cache.head_dim; ++i) {
      out[i] += static_cast<float>(probability * load_float(a.cache.value, place + i, a.cache.dtype));
    }
  }
}

int64_t scratch_bytes(const void* args, int32_t) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  return a.block_table_stride * a.cache.block_size * static_cast<int64_t>(sizeof(double));
}

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  auto* scores = static_cast<double*>(a.scratch);
  for (int64_t s = 0; s < *a.sequences; ++s) {
    const int64_t begin = a.query_starts[s], end = a.query_starts[s + 1], context = a.context_lengths[s];
    for (int64_t t = begin; t < end; ++t) {
      for (int64_t h = 0; h < a.heads; ++h) {
        const float* q = a.query + t * a.query_stride + h * a.cache.head_dim;
        attend(Query{a, s, h, context - (end - t), context, q}, a.out + t * a.out_stride + h * a.cache.head_dim,
               scores);
      }
    }
  }
}

}  // namespace

extern const Variant kernel_reference_attention;
const Variant kernel_reference_attention = {Op::attention, Isa::reference, "attention.reference",
                                            nullptr,       scratch_bytes,  run};

}  // namespace graft::kernels

// Attention over the paged cache with a running softmax: no row of scores longer than a run of keys is ever stored.
//
// A task is one tile: some consecutive queries of one sequence, with all the query heads that share one KV head, so
// that keys and values are read once for all of them. Large tiles (prefill) go through 6 x 16 register tiles over
// transposed keys; small ones (decode) through dot products along the keys, in their own type.
#include "kernels/cpu/attention_parts_avx2.h"
#include "kernels/cpu/parallel.h"
#include "kernels/spec/attention.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

constexpr int64_t tile_target = 48;    // query rows x heads of a tile
constexpr int64_t dot_tile_limit = 8;  // up to here the keys are not transposed

/// Widths and strides of one call, the same for every tile.
struct Shape {
  int64_t dim, group, tile_queries, tile_most;

  explicit Shape(const AttentionArgs& a)
      : dim(a.cache.head_dim),
        group(a.heads / a.cache.kv_heads),
        tile_queries(tile_target / group > 1 ? tile_target / group : 1),
        tile_most(tile_queries * group) {}

  /// query, sums, scores, keys, values, maximum and denominator.
  int64_t worker_floats() const {
    const int64_t floats = tile_most * (2 * dim + score_stride + 2) + 2 * dim * key_run;
    return (floats + 15) / 16 * 16;
  }
};

struct Tile {
  const AttentionArgs& a;
  const Shape& shape;
  int64_t sequence, kv_head, first_row, queries, first_position, context, count;
  float *query, *sums, *scores, *keys, *values, *maximum, *denominator;

  Tile(const AttentionArgs& args, const Shape& s, int64_t in_sequence, int64_t head, int64_t row, int64_t wanted,
       float* scratch)
      : a(args), shape(s), sequence(in_sequence), kv_head(head), first_row(row), queries(wanted) {
    context = a.context_lengths[sequence];
    first_position = context - (a.query_starts[sequence + 1] - first_row);
    count = queries * shape.group;
    query = scratch;
    sums = query + shape.tile_most * shape.dim;
    scores = sums + shape.tile_most * shape.dim;
    keys = scores + shape.tile_most * score_stride;
    values = keys + shape.dim * key_run;
    maximum = values + shape.dim * key_run;
    denominator = maximum + shape.tile_most;
  }

  int64_t head_of(int64_t m) const { return kv_head * shape.group + m % shape.group; }
  int64_t position_of(int64_t m) const { return first_position + m / shape.group; }
  int64_t first_key(int64_t position) const {
    return a.window > 0 && position >= a.window ? position - a.window + 1 : 0;
  }
  int64_t end_key(int64_t position) const { return a.causal && position + 1 < context ? position + 1 : context; }

  void start() {
    const __m256 scale = _mm256_set1_ps(a.scale);
    for (int64_t m = 0; m < count; ++m) {
      const float* from = a.query + (first_row + m / shape.group) * a.query_stride + head_of(m) * shape.dim;
      for (int64_t i = 0; i < shape.dim; i += 8) {
        _mm256_storeu_ps(query + m * shape.dim + i, _mm256_mul_ps(_mm256_loadu_ps(from + i), scale));
        _mm256_storeu_ps(sums + m * shape.dim + i, _mm256_setzero_ps());
      }
      maximum[m] = a.sinks != nullptr ? a.sinks[head_of(m)] : -__builtin_inff();
      denominator[m] = a.sinks != nullptr ? 1.0f : 0.0f;
    }
  }

  void soften(int64_t key, int64_t run) {
    for (int64_t m = 0; m < count; ++m) {
      const int64_t position = position_of(m), first = first_key(position), end = end_key(position);
      const float slope = a.alibi_slopes != nullptr ? a.alibi_slopes[head_of(m)] : 0.0f;
      const ScoreRule rule = {a.softcap, slope, a.rounded_alibi, static_cast<float>(position)};
      const float factor =
          soften_row(rule, run, first > key ? first - key : 0, end - key < run ? end - key : run,
                     static_cast<float>(key - position), scores + m * score_stride, maximum[m], denominator[m]);
      if (factor == 1.0f) continue;
      const __m256 by = _mm256_set1_ps(factor);
      float* row = sums + m * shape.dim;
      for (int64_t i = 0; i < shape.dim; i += 8) _mm256_storeu_ps(row + i, _mm256_mul_ps(_mm256_loadu_ps(row + i), by));
    }
  }

  /// Element offset in the cache of key `key`.
  int64_t offset_of(int64_t key) const {
    const PagedCache& cache = a.cache;
    const int64_t block = a.block_table[sequence * a.block_table_stride + key / cache.block_size];
    return ((block * cache.kv_heads + kv_head) * cache.block_size + key % cache.block_size) * shape.dim;
  }

  /// Keys [key, key + run), which lie together in one block; `more`: others follow.
  template <class Type>
  void take_run(int64_t key, int64_t run, bool more) {
    const unsigned char* cached_keys = bytes_of(a.cache.key);
    const unsigned char* k = cached_keys + offset_of(key) * Type::bytes;
    const unsigned char* v = bytes_of(a.cache.value) + offset_of(key) * Type::bytes;
    if (count <= dot_tile_limit) {
      const unsigned char* ahead = more ? cached_keys + offset_of(key + run) * Type::bytes : nullptr;
      score_dots<Type>(query, count, k, run, shape.dim, v, scores);
      soften(key, run);
      blend_values<Type>(scores, count, v, run, shape.dim, ahead, sums);
      return;
    }
    const int64_t columns = (run + 7) / 8 * 8;
    pack_columns<Type>(k, shape.dim * Type::bytes, run, columns, shape.dim, keys, key_run);
    multiply_tiles(query, shape.dim, count, keys, key_run, shape.dim, columns, scores, score_stride, false);
    soften(key, run);
    const float* wide = reinterpret_cast<const float*>(v);
    if (Type::bytes != 4) {
      widen<Type>(v, run * shape.dim, values);
      wide = values;
    }
    multiply_tiles(scores, score_stride, count, wide, shape.dim, run, shape.dim, sums, shape.dim, true);
  }

  void finish() {
    for (int64_t m = 0; m < count; ++m) {
      const __m256 by = _mm256_set1_ps(denominator[m] > 0 ? 1.0f / denominator[m] : 0.0f);
      float* to = a.out + (first_row + m / shape.group) * a.out_stride + head_of(m) * shape.dim;
      for (int64_t i = 0; i < shape.dim; i += 8) {
        _mm256_storeu_ps(to + i, _mm256_mul_ps(_mm256_loadu_ps(sums + m * shape.dim + i), by));
      }
    }
  }

  void run() {
    start();
    const int64_t last_position = first_position + queries - 1, block_size = a.cache.block_size;
    const int64_t end = end_key(last_position);
    for (int64_t key = first_key(first_position); key < end;) {
      int64_t run = block_size - key % block_size;
      if (run > key_run) run = key_run;
      if (run > end - key) run = end - key;
      with_float_type(a.cache.dtype, [&](auto type) { take_run<decltype(type)>(key, run, key + run < end); });
      key += run;
    }
    finish();
  }
};

// Tiles are numbered without a table: sequence s owns the numbers from starts[s] / tile_queries + s on, which is never
// too few; numbers past a sequence's queries are empty.
int64_t first_tile(const AttentionArgs& a, const Shape& shape, int64_t sequence) {
  return a.query_starts[sequence] / shape.tile_queries + sequence;
}

void run_tile(const AttentionArgs& a, const Shape& shape, int64_t number, int64_t kv_head, float* scratch) {
  int64_t low = 0, high = *a.sequences;  // first_tile(low) <= number < first_tile(high)
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (first_tile(a, shape, middle) <= number ? low : high) = middle;
  }
  const int64_t row = a.query_starts[low] + (number - first_tile(a, shape, low)) * shape.tile_queries;
  const int64_t left = a.query_starts[low + 1] - row;
  if (left <= 0) return;
  Tile(a, shape, low, kv_head, row, left < shape.tile_queries ? left : shape.tile_queries, scratch).run();
}

// Whether the whole step is too little to wake another worker for.
bool is_tiny(const AttentionArgs& a) {
  int64_t products = 0;
  for (int64_t s = 0; s < *a.sequences; ++s) {
    products += (a.query_starts[s + 1] - a.query_starts[s]) * a.context_lengths[s] * a.heads * a.cache.head_dim;
    if (products > 65536) return false;
  }
  return true;
}

bool accepts(const void* args) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  return a.cache.head_dim % 8 == 0 && float_dtype_bytes(a.cache.dtype) != 0;
}

int64_t scratch_bytes(const void* args, int32_t workers) {
  const Shape shape(*static_cast<const AttentionArgs*>(args));
  return (workers > 1 ? workers : 1) * shape.worker_floats() * static_cast<int64_t>(sizeof(float));
}

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  if (*a.sequences <= 0) return;
  const Shape shape(a);
  const int64_t tiles = first_tile(a, shape, *a.sequences), kv_heads = a.cache.kv_heads;
  Context chosen = context;
  if (is_tiny(a)) chosen.parallel.workers = 1;
  // Backwards: a prompt's last tiles see the most keys, and the longest tasks should start first.
  for_each_task(chosen, tiles * kv_heads, [&](int64_t task, int32_t worker) {
    run_tile(a, shape, tiles - 1 - task / kv_heads, task % kv_heads,
             static_cast<float*>(a.scratch) + worker * shape.worker_floats());
  });
}

}  // namespace

extern const Variant kernel_cpu_attention_avx2;
const Variant kernel_cpu_attention_avx2 = {Op::attention, Isa::avx2, "attention.avx2", accepts, scratch_bytes, run};

}  // namespace graft::kernels

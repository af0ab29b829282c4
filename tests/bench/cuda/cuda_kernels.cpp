// Each kernel at the shapes of one decoded token of Llama-3.1-8B, and those of experts at Qwen3-30B-A3B's, from a graph
// of many launches, over memory that is far larger than the L2 cache. Prints a JSON object a line: microseconds of a
// launch and the bytes that it must read and write in that time, with many rows also its TFLOP/s, for cuBLASLt and for
// Graft's own kernel. Contents are random where no figure depends on them; tests/cuda has the tests of results.
//
//   cuda_kernels [--plain] [WORD...]    only figures whose names hold one of the words; --plain: a few launches without
//                                       a graph and no figures, for a profiler
#include <random>
#include <string>

#include "kernels/spec/activation.h"
#include "kernels/spec/choose_token.h"
#include "kernels/spec/linear.h"
#include "kernels/spec/next_step.h"
#include "kernels/spec/quantized.h"
#include "kernels/spec/residual_norm.h"
#include "kernels/spec/rotary_attention.h"
#include "tests/bench/cuda/expert_bench.h"
#include "tests/bench/cuda/kernel_bench.h"
#include "tests/bench/cuda/peer_bench.h"

namespace graft::bench {
namespace {

struct LinearShape {
  const char* name;
  int64_t in;
  std::vector<int64_t> out;
};

void linear(Bench& bench, const LinearShape& shape, DType dtype, int32_t rows, const char* variant = nullptr) {
  constexpr int64_t group = 128;
  const bool quantized = is_quantized(dtype);
  const auto row_bytes = [&](int64_t in) {
    return quantized ? quantized_row_bytes(in, dtype) : in * float_dtype_bytes(dtype);
  };
  LinearArgs args = {};
  int64_t bytes = 0, total = 0;
  for (const int64_t out : shape.out) {
    LinearSegment& segment = args.segments[args.segment_count++];
    segment.weight_dtype = dtype;
    segment.bias_dtype = DType::bfloat16;
    segment.out_features = out;
    segment.group_size = quantized ? group : 0;
    // Also where arguments are accepted by what they point to.
    segment.weight = bench.pool;
    segment.scales = quantized ? reinterpret_cast<const float*>(bench.pool) : nullptr;
    bytes += out * (row_bytes(shape.in) + (quantized ? quantized_groups(shape.in, group) * 4 : 0));
    total += out;
  }
  const int64_t before = bench.small_taken;
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.in_features = shape.in;
  args.x_stride = shape.in;
  args.x = bench.scratch<float>(rows * shape.in);
  args.out_stride = total;
  args.out = bench.scratch<float>(rows * total);
  bench.figure(std::string("linear ") + shape.name + " " + name_of(dtype) + " x" + std::to_string(rows), Op::linear,
               args, {bytes, 2 * total * shape.in * rows, variant}, [&](LinearArgs& a) {
                 for (int32_t s = 0; s < a.segment_count; ++s) {
                   LinearSegment& segment = a.segments[s];
                   segment.weight = bench.next(segment.out_features * row_bytes(shape.in));
                   if (quantized) {
                     segment.scales = static_cast<const float*>(
                         bench.next(segment.out_features * quantized_groups(shape.in, group) * 4));
                   }
                 }
               });
  bench.small_taken = before;
}

// One sequence with one query against `context` keys: rotary with the write to the cache, attention, and both in one.
void attention(Bench& bench, int32_t context, DType dtype) {
  constexpr int32_t kv_heads = 8, heads = 32, head_dim = 128, block_size = 64;
  const int32_t blocks = (context + block_size - 1) / block_size;
  const int64_t before = bench.small_taken, side = int64_t{blocks} * block_size * kv_heads * head_dim * 2;
  std::vector<int32_t> table(static_cast<size_t>(blocks));
  for (int32_t b = 0; b < blocks; ++b) table[static_cast<size_t>(b)] = b;
  AttentionArgs args = {};
  args.sequences = bench.number({1});
  args.capacity = 1;
  args.query_stride = (heads + 2 * kv_heads) * head_dim;
  args.query = bench.scratch<float>(args.query_stride);
  args.query_starts = bench.number({0, 1});
  args.context_lengths = bench.number({context});
  args.block_table = bench.number(table);
  args.block_table_stride = blocks;
  args.cache = {bench.pool, bench.pool, dtype, block_size, kv_heads, head_dim};
  args.heads = heads;
  args.scale = 0.088f;
  args.causal = true;
  args.out_stride = heads * head_dim;
  args.out = bench.scratch<float>(args.out_stride);
  const int64_t bytes = int64_t{2} * context * kv_heads * head_dim * 2;
  bench.figure("attention of one query, context " + std::to_string(context), Op::attention, args, bytes,
               [&](AttentionArgs& a) {
                 a.cache.key = bench.next(side);
                 a.cache.value = bench.next(side);
               });

  RotaryCacheArgs rotary = {};
  rotary.rows = args.sequences;
  rotary.capacity = 1;
  rotary.qkv = bench.scratch<float>(args.query_stride);
  rotary.qkv_stride = args.query_stride;
  rotary.heads = heads;
  rotary.cosine = bench.scratch<float>(head_dim / 2);
  rotary.sine = bench.scratch<float>(head_dim / 2);
  rotary.rotary_dim = head_dim;
  rotary.slots = bench.number({context - 1});
  rotary.cache = args.cache;
  args.query = rotary.qkv;
  constexpr int64_t row_bytes = (2 * heads + 3 * kv_heads) * head_dim * 4;  // a row, its queries, new keys and values
  if (context == 512) {                                                     // the same at any
    bench.figure("rotary and cache of one row", Op::rotary_cache, rotary, row_bytes, [](RotaryCacheArgs&) {});
  }
  bench.figure("rotary and attention of one query, context " + std::to_string(context), Op::rotary_attention,
               RotaryAttentionArgs{rotary, args, nullptr}, bytes + row_bytes, [&](RotaryAttentionArgs& a) {
                 a.rotary.cache.key = a.attention.cache.key = bench.next(side);
                 a.rotary.cache.value = a.attention.cache.value = bench.next(side);
               });
  bench.small_taken = before;
}

void norm(Bench& bench, int64_t width) {
  ResidualNormArgs args = {};
  args.rows = bench.number({1});
  args.capacity = 1;
  args.width = width;
  args.residual = bench.scratch<float>(width);
  args.delta = bench.scratch<float>(width);
  args.kind = NormKind::rms;
  args.weight = bench.scratch<uint16_t>(width);
  args.weight_dtype = DType::bfloat16;
  args.epsilon = 1e-5f;
  args.out = bench.scratch<float>(width);
  bench.figure("residual + norm", Op::residual_norm, args, width * (4 * 4 + 2), [](ResidualNormArgs&) {});
}

void activation(Bench& bench, int64_t width) {
  ActivationArgs args = {};
  args.rows = bench.number({1});
  args.capacity = 1;
  args.width = width;
  args.kind = Activation::silu;
  args.gated = true;
  args.x = bench.scratch<float>(2 * width);
  args.x_stride = 2 * width;
  args.out = bench.scratch<float>(width);
  args.out_stride = width;
  bench.figure("gated activation", Op::activation, args, width * 12, [](ActivationArgs&) {});
}

// The next tokens of so many rows, from logits that the head has just left in the cache; `bytes` are theirs, read once.
void choose_token(Bench& bench, const std::vector<float>& logits, int64_t vocabulary, const char* how,
                  TokenChoice choice) {
  const auto rows = static_cast<int32_t>(static_cast<int64_t>(logits.size()) / vocabulary);
  const int64_t before = bench.small_taken;
  std::vector<TokenChoice> choices;
  for (int32_t r = 0; r < rows; ++r) {
    choice.state += 0x9e3779b97f4a7c15u;
    choices.push_back(choice);
  }
  ChooseTokenArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.logits = bench.copied(logits);
  args.vocabulary = vocabulary;
  args.choices = bench.copied(choices);
  args.tokens = bench.scratch<int32_t>(rows);
  bench.figure(std::string("choose token, ") + how + " x" + std::to_string(rows), Op::choose_token, args,
               static_cast<int64_t>(logits.size()) * 4, [](ChooseTokenArgs&) {});
  bench.small_taken = before;
}

void choose_tokens(Bench& bench) {
  constexpr int64_t vocabulary = 128256;
  const TokenChoice greedy = {
      .state = 1, .temperature = 0, .top_p = 1, .min_p = 0, .top_k = 0, .wanted = 1, .unused = 0};
  TokenChoice all = greedy, few = greedy, likely = greedy;
  all.temperature = few.temperature = likely.temperature = 0.8f;
  likely.top_p = few.top_p = 0.95f;
  few.top_k = 50;
  for (const int64_t rows : {1, 8}) {
    std::mt19937 engine(1);
    std::normal_distribution<float> normal(0, 3);
    std::vector<float> logits(static_cast<size_t>(rows * vocabulary));
    for (float& logit : logits) logit = normal(engine);
    choose_token(bench, logits, vocabulary, "greedy", greedy);
    choose_token(bench, logits, vocabulary, "temperature", all);
    choose_token(bench, logits, vocabulary, "temperature + top p", likely);
    choose_token(bench, logits, vocabulary, "temperature + top k + top p", few);
  }
}

void next_step(Bench& bench, int32_t rows) {
  const int64_t before = bench.small_taken;
  NextStepArgs args = {};
  args.rows = bench.number({rows});
  args.capacity = rows;
  args.tokens = bench.scratch<int32_t>(rows);
  args.token_ids = bench.scratch<int32_t>(rows);
  args.positions = bench.scratch<int32_t>(rows);
  args.context_lengths = bench.scratch<int32_t>(rows);
  args.choices = bench.scratch<TokenChoice>(rows);
  args.caches = 1;
  args.cache[0] = {bench.scratch<int32_t>(rows), bench.scratch<int32_t>(rows * 512), 512, 64};
  constexpr int64_t row_bytes = 6 * 4 + sizeof(TokenChoice) + 4 * 4;  // read, and written
  bench.figure("next step x" + std::to_string(rows), Op::next_step, args, rows * row_bytes, [](NextStepArgs&) {});
  bench.small_taken = before;
}

int run(int count, char** words) {
  Bench bench;
  for (int i = 1; i < count; ++i) {
    if (words[i] == std::string("--plain")) {
      bench.plain = true;
    } else {
      bench.words.emplace_back(words[i]);
    }
  }
  const LinearShape shapes[] = {{"qkv", 4096, {4096, 1024, 1024}},
                                {"attention output", 4096, {4096}},
                                {"gate + up", 4096, {14336, 14336}},
                                {"down", 14336, {4096}},
                                {"head", 4096, {128256}}};
  for (const DType dtype : {DType::bfloat16, DType::int8, DType::int4}) {
    for (const LinearShape& shape : shapes) linear(bench, shape, dtype, 1);
  }
  for (const int32_t rows : {4, 8}) linear(bench, shapes[2], DType::bfloat16, rows);
  // By cuBLASLt, where that could be started, and by Graft's own kernel, which would else stand in for it.
  const auto by_both = [&](DType dtype, int32_t rows, const char* library, const char* own) {
    if (bench.library_handle != nullptr) linear(bench, shapes[2], dtype, rows, library);
    linear(bench, shapes[2], dtype, rows, own);
  };
  for (const int32_t rows : {16, 64, 256, 512}) {
    by_both(DType::bfloat16, rows, "linear.cublaslt.sm80", "linear.gemm.sm80");
  }
  for (const int32_t rows : {64, 256, 512}) {
    by_both(DType::int8, rows, "linear.cublaslt.quantized.sm80", "linear.gemm.quantized.sm80");
  }
  for (const int32_t context : {512, 4096, 32768}) attention(bench, context, DType::bfloat16);
  for (const int32_t rows : {4, 8}) linear(bench, shapes[2], DType::int4, rows);
  norm(bench, 4096);
  activation(bench, 14336);
  choose_tokens(bench);
  for (const int32_t rows : {1, 8}) next_step(bench, rows);
  for (const int32_t rows : {1, 8, 512}) expert_layer(bench, rows);
  for (const int32_t ranks : {2, 4, 8}) {
    for (const int64_t width : {4096, 8192}) peer_sums(bench, ranks, width);
  }
  return 0;
}

}  // namespace
}  // namespace graft::bench

int main(int count, char** words) { return graft::bench::run(count, words); }

// Speed of the kernels beside the machine's ceilings, measured in turns in the same run.
//
//   kernels_bench [filter] [threads...]        e.g.  kernels_bench linear.bf16 1 2
//
// Each line: the case, its rate (best of the rounds), the ceiling with the same threads, and the ratio. Memory-bound
// cases are in GB/s of bytes that must be read against a plain read loop over the same buffer; compute-bound cases in
// GFLOP/s against fused multiply-adds on registers. A case is given against both, so that neither flatters it. Weights
// rotate through a buffer larger than the caches. DISTURBED: the ceiling came out below the kernel, because other
// programs had the processor; such a line is no measurement.
#include <immintrin.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "kernels/spec/attention.h"
#include "kernels/spec/linear.h"
#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

#define GRAFT_AVX2 __attribute__((target("avx2,fma")))

// Kernels rotate through the first half of the memory and the read loop through the second, each larger than a big
// third-level cache: with one region for both, each found in the cache what the other had just read.
constexpr int64_t pool_bytes = int64_t{512} << 20;
constexpr int64_t read_slice = int64_t{32} << 20;
constexpr int least_rounds = 9;
constexpr double case_seconds = 0.4;  // more rounds while there is time: a busy machine gives few undisturbed ones
double sink;                          // keeps results alive

// With one worker the clock is the thread's own processor time, so that other programs' turns do not count (their use
// of memory bandwidth still does, which is why the ceilings are measured in turns).
bool one_worker;

double now() {
  timespec time;
  clock_gettime(one_worker ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// The plain read loop: four streams, prefetched.
GRAFT_AVX2 double read_bytes(const unsigned char* data, int64_t bytes) {
  __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
  const int64_t quarter = bytes / 4 / 64 * 64;
  for (int64_t i = 0; i < quarter; i += 64) {
    const unsigned char* p = data + i;
    for (int s = 0; s < 4; ++s) _mm_prefetch(reinterpret_cast<const char*>(p + s * quarter + 2048), _MM_HINT_T0);
    const auto at = [p](int64_t offset)
                        GRAFT_AVX2 { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + offset)); };
    a = _mm256_xor_si256(a, _mm256_xor_si256(at(0), at(32)));
    b = _mm256_xor_si256(b, _mm256_xor_si256(at(quarter), at(quarter + 32)));
    c = _mm256_xor_si256(c, _mm256_xor_si256(at(2 * quarter), at(2 * quarter + 32)));
    d = _mm256_xor_si256(d, _mm256_xor_si256(at(3 * quarter), at(3 * quarter + 32)));
  }
  const __m256i all = _mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d));
  return static_cast<double>(_mm256_extract_epi64(all, 0) & 1);
}

// Twelve independent chains of fused multiply-adds, 96 lanes; returns after `turns` of them.
GRAFT_AVX2 double multiply_add(int64_t turns) {
  __m256 sums[12];
  for (auto& sum : sums) sum = _mm256_set1_ps(1.0f);
  __m256 factor = _mm256_set1_ps(0.999f), term = _mm256_set1_ps(0.001f);
  for (int64_t i = 0; i < turns; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) sums[j] = _mm256_fmadd_ps(sums[j], factor, term);
    asm volatile("" : "+x"(factor), "+x"(term));
  }
  double total = 0;
  for (auto& sum : sums) total += static_cast<double>(_mm256_cvtss_f32(sum));
  return total;
}

struct Bench {
  Pool pool;
  int32_t workers;
  const std::vector<unsigned char>& memory;
  std::string filter;
  int64_t slices_read = 0, turn = 0;

  Bench(int32_t threads, const std::vector<unsigned char>& data, std::string only)
      : pool(threads, 100000), workers(threads), memory(data), filter(std::move(only)) {}

  template <class F>
  void on_all(int64_t tasks, F body) {
    const Context context = pool.context();
    context.parallel.run(context.parallel.pool, tasks, &body,
                         [](void* f, int64_t task, int32_t) { (*static_cast<F*>(f))(task); });
  }

  double read_rate() {
    const int64_t tasks = 4 * workers, share = read_slice / tasks;
    const unsigned char* slice = memory.data() + pool_bytes + slices_read++ % (pool_bytes / read_slice) * read_slice;
    std::vector<double> results(static_cast<size_t>(tasks));
    const double start = now();
    on_all(tasks, [&](int64_t t) { results[static_cast<size_t>(t)] = read_bytes(slice + t * share, share); });
    const double rate = static_cast<double>(read_slice) / (now() - start);
    sink += results[0];
    return rate;
  }

  double compute_rate() {
    constexpr int64_t turns = 300000;
    std::vector<double> results(static_cast<size_t>(workers));
    const double start = now();
    on_all(workers, [&](int64_t t) { results[static_cast<size_t>(t)] = multiply_add(turns); });
    const double rate = static_cast<double>(turns * 12 * 16 * workers) / (now() - start);
    sink += results[0];
    return rate;
  }

  void measure(const std::string& name, double bytes, double flops, const std::function<void()>& body) {
    body();
    const double probe_start = now();
    body();
    const int repeats = std::max(1, static_cast<int>(0.002 / (now() - probe_start)));
    double read = 0, compute = 0, best = 1e30;
    const double case_start = now();
    for (int round = 0; round < least_rounds || now() - case_start < case_seconds; ++round) {
      read = std::max(read, read_rate());
      compute = std::max(compute, compute_rate());
      const double start = now();
      for (int i = 0; i < repeats; ++i) body();
      best = std::min(best, (now() - start) / repeats);
    }
    const double of_read = bytes / best / read, of_compute = flops / best / compute;
    std::printf("%-52s %d thr %8.3f ms %6.2f GB/s (read %6.2f: %5.1f%%) %7.2f GFLOP/s (fma %6.1f: %5.1f%%)%s\n",
                name.c_str(), workers, best * 1e3, bytes / best * 1e-9, read * 1e-9, of_read * 100, flops / best * 1e-9,
                compute * 1e-9, of_compute * 100, of_read > 1.1 || of_compute > 1.1 ? "  DISTURBED" : "");
    std::fflush(stdout);
  }

  void linear(DType dtype, const char* type_name, int32_t rows, int64_t out, int64_t in) {
    const std::string name = std::string("linear.") + type_name + " " + std::to_string(rows) + " x " +
                             std::to_string(in) + " -> " + std::to_string(out);
    if (name.find(filter) == std::string::npos) return;
    Random random(1);
    const std::vector<float> x = random.normals(rows * in);
    std::vector<float> y(static_cast<size_t>(rows * out));
    const int64_t bytes = out * in * float_dtype_bytes(dtype);
    LinearArgs args = {};
    args.rows = &rows;
    args.capacity = rows;
    args.in_features = in;
    args.x = x.data();
    args.x_stride = in;
    args.segments[0] = {memory.data(), nullptr, dtype, dtype, out};
    args.segment_count = 1;
    args.out = y.data();
    args.out_stride = out;
    const Variant* variant = select(Op::linear, &args);
    Scratch scratch(*variant, &args, workers);
    args.scratch = scratch.data();
    const int64_t copies = pool_bytes / bytes;
    measure(name + " " + variant->name, static_cast<double>(bytes), 2.0 * static_cast<double>(rows * out * in), [&] {
      args.segments[0].weight = memory.data() + (turn++ % copies) * bytes;
      variant->run(&args, pool.context());
    });
  }

  void attention(DType dtype, const char* type_name, int32_t sequences, int32_t queries, int32_t context, int32_t heads,
                 int32_t kv_heads) {
    constexpr int32_t head_dim = 128, block_size = 32;
    const std::string name = std::string("attention.") + type_name + " " + std::to_string(sequences) + " x " +
                             std::to_string(queries) + " of " + std::to_string(context) + ", " + std::to_string(heads) +
                             "/" + std::to_string(kv_heads) + " heads";
    if (name.find(filter) == std::string::npos) return;
    Random random(2);
    const int64_t rows = int64_t{sequences} * queries, width = int64_t{heads} * head_dim;
    const std::vector<float> query = random.normals(rows * width);
    std::vector<float> out(query.size());
    const int32_t per_sequence = (context + block_size - 1) / block_size;
    const int64_t side =
        int64_t{sequences} * per_sequence * kv_heads * block_size * head_dim * float_dtype_bytes(dtype);
    std::vector<int32_t> starts, lengths, table;
    for (int32_t s = 0; s <= sequences; ++s) starts.push_back(s * queries);
    lengths.assign(static_cast<size_t>(sequences), context);
    for (int32_t b = 0; b < sequences * per_sequence; ++b) table.push_back(b);
    std::shuffle(table.begin(), table.end(), random.engine);
    AttentionArgs args = {};
    args.sequences = &sequences;
    args.capacity = rows;
    args.query = query.data();
    args.query_stride = width;
    args.query_starts = starts.data();
    args.context_lengths = lengths.data();
    args.block_table = table.data();
    args.block_table_stride = per_sequence;
    args.cache = {nullptr, nullptr, dtype, block_size, kv_heads, head_dim};
    args.heads = heads;
    args.scale = 0.088f;
    args.causal = true;
    args.out = out.data();
    args.out_stride = width;
    const Variant* variant = select(Op::attention, &args);
    Scratch scratch(*variant, &args, workers);
    args.scratch = scratch.data();
    const int64_t copies = pool_bytes / (2 * side);
    const double pairs = static_cast<double>(queries) * (context - 0.5 * (queries - 1)) * sequences;
    measure(name + " " + variant->name, 2.0 * static_cast<double>(side), 4.0 * pairs * static_cast<double>(width), [&] {
      unsigned char* at = const_cast<unsigned char*>(memory.data()) + (turn++ % copies) * 2 * side;
      args.cache.key = at;
      args.cache.value = at + side;
      variant->run(&args, pool.context());
    });
  }
};

struct TypeName {
  DType dtype;
  const char* name;
};

int run_all(int argc, char** argv) {
  const std::string filter = argc > 1 ? argv[1] : "";
  std::vector<int32_t> threads;
  for (int i = 2; i < argc; ++i) threads.push_back(std::max(1, std::atoi(argv[i])));
  if (threads.empty()) threads = {1, 2};

  // Small normal numbers whichever way the bytes are read: the high byte of each half is a moderate exponent.
  std::vector<unsigned char> memory(static_cast<size_t>(2 * pool_bytes));
  Random random(3);
  const size_t pattern = size_t{4} << 20;
  for (size_t i = 0; i < pattern; i += 2) {
    const uint32_t bits = random.engine();
    memory[i] = static_cast<unsigned char>(bits);
    memory[i + 1] = static_cast<unsigned char>((bits & 0x80000000u ? 0x80 : 0) | 0x3a | (bits >> 16 & 1));
  }
  for (size_t i = pattern; i < memory.size(); i += pattern)
    std::memcpy(&memory[i], &memory[0], std::min(pattern, memory.size() - i));

  const TypeName types[] = {{DType::float32, "f32"}, {DType::bfloat16, "bf16"}, {DType::float16, "f16"}};
  for (const int32_t workers : threads) {
    one_worker = workers == 1;
    Bench bench(workers, memory, filter);
    for (const auto& [dtype, name] : types) {
      for (const int32_t rows : {1, 8, 64, 512}) {
        bench.linear(dtype, name, rows, 2048, 2048);
        bench.linear(dtype, name, rows, 8192, 2048);
      }
    }
    for (const auto& [dtype, name] : types) {
      bench.attention(dtype, name, 1, 1, 4096, 32, 8);
      bench.attention(dtype, name, 8, 1, 2048, 32, 8);
      bench.attention(dtype, name, 1, 1, 4096, 8, 8);
      bench.attention(dtype, name, 1, 512, 512, 32, 8);
    }
  }
  return sink == 0.123 ? 1 : 0;
}

}  // namespace
}  // namespace graft::kernels::testing

int main(int argc, char** argv) { return graft::kernels::testing::run_all(argc, argv); }

// One kernel at a time on the device: memory for its arguments, and its figure as a JSON object a line.
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/cuda/choose.h"
#include "kernels/cuda/launch_error.h"
#include "kernels/cuda/matmul.h"
#include "kernels/spec/variant.h"
#include "tests/bench/cuda/measure.h"

namespace graft::bench {

using namespace kernels;

constexpr int launches = 32;
constexpr int64_t pool_bytes = int64_t{4} << 30;
constexpr int64_t cache_bytes = int64_t{256} << 20;  // more than any level 2 cache has

struct Bench {
  bool plain = false;
  std::vector<std::string> words;
  Clock clock;
  int32_t multiprocessors = 0;
  Isa isa = Isa::reference;
  unsigned char* pool = nullptr;  // weights and caches: read in turn
  int64_t taken = 0;
  unsigned char* small = nullptr;  // activations: stay in the cache, as they do in a step
  int64_t small_taken = 0;
  void* flushed = nullptr;
  void* library_handle = nullptr;

  Bench() {
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, 0), "device");
    multiprocessors = properties.multiProcessorCount;
    isa = cuda::isa_of_capability(properties.major, properties.minor);
    pool = static_cast<unsigned char*>(device_memory(static_cast<size_t>(pool_bytes)));
    small = static_cast<unsigned char*>(device_memory(size_t{256} << 20));
    fill(pool, pool_bytes);
    fill(small, int64_t{256} << 20);
    flushed = device_memory(cache_bytes);
    library_handle = cuda::matmul_handle_new();
    if (library_handle == nullptr && cuda::has_matmul()) check(cudaErrorUnknown, "cuBLASLt");
  }

  /// Small numbers of either sign, random but for their exponents, whichever type they are read as: multiplying zeros
  /// takes less power and so less time.
  static void fill(unsigned char* memory, int64_t bytes) {
    constexpr int64_t part = int64_t{64} << 20;
    std::vector<uint32_t> words(part / 4);
    uint64_t state = 1;
    for (uint32_t& word : words) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      word = (static_cast<uint32_t>(state >> 32) & 0x807f807fu) | 0x3c003c00u;
    }
    for (int64_t at = 0; at < bytes; at += part) {
      check(cudaMemcpy(memory + at, words.data(), static_cast<size_t>(std::min(part, bytes - at)),
                       cudaMemcpyHostToDevice),
            "fill");
    }
  }

  /// The next piece of the pool; over again from the start where it ends.
  void* next(int64_t bytes) {
    bytes = (bytes + 255) / 256 * 256;
    if (taken + bytes > pool_bytes) taken = 0;
    void* piece = pool + taken;
    taken += bytes;
    return piece;
  }
  template <class T>
  T* scratch(int64_t count) {
    auto* piece = reinterpret_cast<T*>(small + small_taken);
    small_taken += (count * static_cast<int64_t>(sizeof(T)) + 255) / 256 * 256;
    if (small_taken > int64_t{256} << 20) check(cudaErrorMemoryAllocation, "scratch");
    if (!std::is_same_v<T, float>) {  // places and counts
      check(cudaMemset(piece, 0, static_cast<size_t>(count) * sizeof(T)), "memset");
    }
    return piece;
  }
  template <class T>
  T* copied(const std::vector<T>& values) {
    auto* place = scratch<T>(static_cast<int64_t>(values.size()));
    check(cudaMemcpy(place, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice), "copy");
    return place;
  }
  int32_t* number(const std::vector<int32_t>& values) { return copied(values); }

  /// What a launch does at least, and optionally which variant does it: by name, else the one that would be chosen.
  struct Work {
    Work(int64_t of_memory, int64_t of_arithmetic = 0, const char* by = nullptr)
        : bytes(of_memory), operations(of_arithmetic), variant(by) {}
    int64_t bytes;
    int64_t operations;  ///< of floating point; 0: the bytes are what counts
    const char* variant;
  };

  const Variant* variant_of(Op op, const void* args, const char* name) const {
    if (name == nullptr) return cuda::choose(cuda_kernel_table(), isa, op, args);
    const VariantTable& table = cuda_kernel_table();
    const auto* const* end = table.variants + table.count;
    const auto* const* found =
        std::find_if(table.variants, end, [&](const Variant* variant) { return std::string(variant->name) == name; });
    return found != end ? *found : nullptr;
  }

  /// Of work that is launched after it: nothing is in the level 2 cache of what it reads, and all is there to be
  /// started. What all launches of a graph share is brought in once, which over 32 of them is no matter.
  Times measure(const std::function<void()>& work) {
    return clock.measure(9, work, [this] {
      check(cudaMemsetAsync(flushed, 0, cache_bytes, clock.stream()), "flush");
      clock.hold();
    });
  }

  /// Whether the figure is wanted.
  bool means(const std::string& what) const {
    const auto meant = [&](const std::string& word) { return what.find(word) != std::string::npos; };
    return words.empty() || std::any_of(words.begin(), words.end(), meant);
  }

  /// Of a graph of `count` launches.
  void tell(const std::string& what, const Variant& variant, const Times& times, const Work& work,
            int count = launches) const {
    const double us = times.median * 1e3 / count;
    std::printf(
        "{\"name\": \"%s\", \"variant\": \"%s\", \"us\": %.3f, \"least_us\": %.3f, \"most_us\": %.3f, \"bytes\": %lld, "
        "\"gb_s\": %.1f, \"tflop_s\": %.1f}\n",
        what.c_str(), variant.name, us, times.least * 1e3 / count, times.most * 1e3 / count,
        static_cast<long long>(work.bytes), static_cast<double>(work.bytes) / us * 1e-3,
        static_cast<double>(work.operations) / us * 1e-6);
    std::fflush(stdout);
  }

  /// `renew(args)` moves the arguments to other memory for each launch.
  template <class Args, class Renew>
  void figure(const std::string& what, Op op, Args args, const Work& work, Renew renew) {
    if (!means(what)) return;
    const Variant* variant = variant_of(op, &args, work.variant);
    if (variant == nullptr) {
      std::fprintf(stderr, "%s: no kernel\n", what.c_str());
      return;
    }
    const int64_t before = small_taken;
    if constexpr (requires { args.scratch; }) {
      const int64_t needed = variant->scratch_bytes != nullptr ? variant->scratch_bytes(&args, multiprocessors) : 0;
      args.scratch = scratch<unsigned char>(needed);
    }
    const auto launch = [&](int count) {
      for (int i = 0; i < count; ++i) {
        renew(args);
        variant->run(&args, Context{{nullptr, multiprocessors, nullptr}, clock.stream(), library_handle});
      }
    };
    if (plain) {
      launch(3);
      check(cudaStreamSynchronize(clock.stream()), what.c_str());
      small_taken = before;
      return;
    }
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t launchable = nullptr;
    check(cudaStreamBeginCapture(clock.stream(), cudaStreamCaptureModeRelaxed), "capture");
    launch(launches);
    check(cudaStreamEndCapture(clock.stream(), &graph), "capture");
    check(cuda::kept_launch_error(), what.c_str());
    check(cudaGraphInstantiate(&launchable, graph, 0), "graph");
    const Times times = measure([&] { check(cudaGraphLaunch(launchable, clock.stream()), "graph"); });
    tell(what, *variant, times, work);
    cudaGraphExecDestroy(launchable);
    cudaGraphDestroy(graph);
    small_taken = before;
  }
};

inline const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::bfloat16:
      return "bf16";
    case DType::float16:
      return "fp16";
    case DType::int8:
      return "int8-g128";
    default:
      return "int4-g128";
  }
}

}  // namespace graft::bench

// Figures of the device: from graphs of many launches, over memory that is far larger than the level 2 cache.
#pragma once

#include "kernels/cuda/launch_error.h"
#include "kernels/cuda/matmul.h"
#include "tests/bench/cuda/kernel_bench.h"
#include "tests/bench/cuda/measure.h"
#include "tests/bench/cuda/rank_graphs.h"

namespace graft::bench {

class DeviceBench : public Bench {
 public:
  bool plain = false;  ///< a few launches without a graph and no figures, for a profiler

  DeviceBench() : Bench(arena(activation_bytes), arena(pool_bytes)), flushed_(device_memory(flushed_bytes)) {
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, 0), "device");
    multiprocessors_ = properties.multiProcessorCount;
    isa_ = cuda::isa_of_capability(properties.major, properties.minor);
    fill(activations_);
    fill(pool_);
    library_handle_ = cuda::matmul_handle_new();
    if (library_handle_ == nullptr && cuda::has_matmul()) check(cudaErrorUnknown, "cuBLASLt");
    library_ = library_handle_ != nullptr;
  }

  /// What all launches of a graph share is brought into the cache once, which over so many of them is no matter.
  std::optional<Microseconds> time(const std::string& what, const std::vector<Kernel>& kernels, int passes) override {
    const Context context = {{nullptr, multiprocessors_, nullptr}, clock_.stream(), library_handle_};
    const auto launch = [&](int count) {
      for (int i = 0; i < count; ++i) {
        for (const Kernel& kernel : kernels) kernel.variant->run(kernel.next(), context);
      }
    };
    if (plain) {
      launch(kernels.size() > 1 ? 1 : 3);
      check(cudaStreamSynchronize(clock_.stream()), what.c_str());
      check(cuda::kept_launch_error(), what.c_str());
      return std::nullopt;
    }
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t launchable = nullptr;
    check(cudaStreamBeginCapture(clock_.stream(), cudaStreamCaptureModeRelaxed), "capture");
    launch(passes);
    check(cudaStreamEndCapture(clock_.stream(), &graph), "capture");
    check(cuda::kept_launch_error(), what.c_str());
    check(cudaGraphInstantiate(&launchable, graph, 0), "graph");
    const Times times = measure([&] { check(cudaGraphLaunch(launchable, clock_.stream()), what.c_str()); });
    cudaGraphExecDestroy(launchable);
    cudaGraphDestroy(graph);
    return of_pass(times, passes);
  }

  std::optional<Microseconds> time_ranks(const std::string& what, const Variant& variant,
                                         const std::vector<SumResidualNormArgs>& ranks) override {
    RankGraphs graphs(clock_, multiprocessors_, variant, ranks);
    check(cudaDeviceSynchronize(), "memset");
    if (plain) {
      for (size_t r = 0; r < ranks.size(); ++r) graphs.launch(r, 3);
      check(cudaDeviceSynchronize(), what.c_str());
      return std::nullopt;
    }
    graphs.capture();
    const Times times = measure([&] { graphs.run(); });
    check(cudaDeviceSynchronize(), what.c_str());
    return of_pass(times, graphs.sums());
  }

 protected:
  void write(void* to, const void* from, int64_t bytes) override {
    const auto size = static_cast<size_t>(bytes);
    check(from != nullptr ? cudaMemcpy(to, from, size, cudaMemcpyHostToDevice) : cudaMemset(to, 0, size), "write");
  }
  void print(const char* line) override {
    std::puts(line);
    std::fflush(stdout);
  }
  void missing(const std::string& what) override { std::fprintf(stderr, "%s: no kernel\n", what.c_str()); }
  void fail(const char* what) override { check(cudaErrorMemoryAllocation, what); }

 private:
  static constexpr size_t flushed_bytes = size_t{256} << 20;  // more than any level 2 cache has

  static Arena arena(int64_t bytes) {
    return {static_cast<unsigned char*>(device_memory(static_cast<size_t>(bytes))), bytes};
  }
  void fill(const Arena& arena) {
    constexpr int64_t part = int64_t{64} << 20;
    const std::vector<uint32_t> numbers = small_numbers(part);
    for (int64_t at = 0; at < arena.bytes; at += part) {
      write(arena.base + at, numbers.data(), std::min(part, arena.bytes - at));
    }
  }
  static Microseconds of_pass(const Times& times, int passes) {
    const double us = 1e3 / passes;
    return {times.median * us, times.least * us, times.most * us};
  }
  /// Of work that is launched after it: nothing is in the level 2 cache of what it reads, and all is there to be
  /// started.
  Times measure(const std::function<void()>& work) {
    return clock_.measure(9, work, [this] {
      check(cudaMemsetAsync(flushed_, 0, flushed_bytes, clock_.stream()), "flush");
      clock_.hold();
    });
  }

  Clock clock_;
  void* flushed_;
  void* library_handle_ = nullptr;
};

}  // namespace graft::bench

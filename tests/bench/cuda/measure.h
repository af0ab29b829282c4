// What the device benchmarks share: a stream with events, and medians over rounds. A failure ends the program with its
// reason, so that no figure is made of nothing.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

namespace graft::bench {

inline void check(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(result));
  std::exit(1);
}

/// Median, fastest and slowest of several rounds, in milliseconds.
struct Times {
  double median, least, most;
};

inline Times times_of(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  return {milliseconds[milliseconds.size() / 2], milliseconds.front(), milliseconds.back()};
}

class Clock {
 public:
  Clock() {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream");
    check(cudaEventCreate(&begin_), "event");
    check(cudaEventCreate(&end_), "event");
  }
  ~Clock() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
    cudaStreamDestroy(stream_);
  }
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  cudaStream_t stream() const { return stream_; }

  /// Keeps the stream waiting while the host puts work behind it: what follows is the device's time alone, without that
  /// of launching.
  void hold() {
    const auto wait = [](void*) { std::this_thread::sleep_for(std::chrono::microseconds(300)); };
    check(cudaLaunchHostFunc(stream_, wait, nullptr), "hold");
  }

  /// The device's time for `work`, which puts something on the stream, after two rounds that are not counted. `before`
  /// puts there what is to be done before, and is not measured.
  Times measure(int rounds, const std::function<void()>& work, const std::function<void()>& before = {}) {
    std::vector<double> all;
    for (int round = -2; round < rounds; ++round) {
      if (before) before();
      check(cudaEventRecord(begin_, stream_), "event");
      work();
      check(cudaEventRecord(end_, stream_), "event");
      check(cudaStreamSynchronize(stream_), "measuring");
      check(cudaGetLastError(), "measuring");
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, begin_, end_), "event");
      if (round >= 0) all.push_back(milliseconds);
    }
    return times_of(all);
  }

 private:
  cudaStream_t stream_ = nullptr;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

inline void* device_memory(size_t bytes) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, bytes), "cudaMalloc");
  return memory;
}

}  // namespace graft::bench

// What the tests of the CUDA kernels share: memory that ends at a page nobody may touch, and runs of a variant on the
// emulated device, in every order of its threads.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "kernels/cuda/matmul.h"
#include "tests/cuda/emulated/emulation.h"
#include "tests/cuda/variants.h"
#include "tests/kernels/support.h"

namespace graft::kernels::testing {

/// "Device memory": begins 16-byte aligned plus `misalignment`, and ends (to the alignment) where reading faults.
class DeviceMemory {
 public:
  explicit DeviceMemory(size_t bytes, size_t misalignment = 0) : bytes_(bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t needed = (bytes + misalignment + 15) / 16 * 16;
    mapped_ = (needed + page - 1) / page * page + page;
    base_ =
        static_cast<unsigned char*>(mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + mapped_ - page, page, PROT_NONE);
    std::memset(base_, 0xff, mapped_ - page);  // NaN
    data_ = base_ + mapped_ - page - needed + misalignment;
  }
  template <class T>
  explicit DeviceMemory(const std::vector<T>& values, size_t misalignment = 0)
      : DeviceMemory(values.size() * sizeof(T), misalignment) {
    if (!values.empty()) std::memcpy(data_, values.data(), bytes_);
  }
  ~DeviceMemory() { munmap(base_, mapped_); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  void* data() { return data_; }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  size_t bytes() const { return bytes_; }
  template <class T>
  std::vector<T> read() const {
    std::vector<T> values(bytes_ / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), data_, values.size() * sizeof(T));
    return values;
  }

 private:
  size_t bytes_, mapped_ = 0;
  unsigned char* base_ = nullptr;
  unsigned char* data_ = nullptr;
};

/// For a scope the emulated process has cuBLASLt, or one that can do nothing.
class WithCublasLt {
 public:
  explicit WithCublasLt(emulated::CublasLt state) { emulated::device().cublas_lt = state; }
  ~WithCublasLt() { emulated::device().cublas_lt = emulated::CublasLt::absent; }
  WithCublasLt(const WithCublasLt&) = delete;
  WithCublasLt& operator=(const WithCublasLt&) = delete;
};

/// Elements of a floating type in device memory.
inline std::vector<unsigned char> typed(DType dtype, const std::vector<float>& values) {
  std::vector<unsigned char> bytes(values.size() * static_cast<size_t>(float_dtype_bytes(dtype)));
  for (size_t i = 0; i < values.size(); ++i) store_float(bytes.data(), static_cast<int64_t>(i), dtype, values[i]);
  return bytes;
}

/// Runs `variant` once on the emulated device. Scratch is poisoned, ends at a page that faults, and is written to
/// args.scratch where the struct has one. A failure of the emulation is one of the test.
template <class Args>
void run_emulated(const Variant& variant, Args args, emulated::Order order = emulated::Order::forward) {
  emulated::device().order = order;
  const int32_t workers = emulated::device().multiprocessors;
  const int64_t needed = variant.scratch_bytes != nullptr ? variant.scratch_bytes(&args, workers) : 0;
  DeviceMemory scratch(static_cast<size_t>((needed + 63) / 64 * 64));
  if constexpr (requires { args.scratch; }) args.scratch = scratch.data();
  void* library = cuda::matmul_handle_new();
  variant.run(&args, Context{{}, nullptr, library});
  cuda::matmul_handle_free(library);
  EXPECT_EQ(emulated::take_failure(), "") << variant.name;
}

/// How long ranks may take, also under a sanitizer.
constexpr std::chrono::minutes rank_patience{2};

/// Runs each rank's ops in their order, the ranks at the same time, as ops that wait for each other need; `meanwhile`
/// once all have been started. Without scratch.
template <class Args>
void run_ranks(const Variant& variant, const std::vector<std::vector<Args>>& of_rank,
               const std::function<void()>& meanwhile = {}) {
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < of_rank.size(); ++rank) {
    threads.emplace_back([&, rank] {
      for (size_t i = 0; i < of_rank[rank].size(); ++i) {
        emulated::device().order = static_cast<emulated::Order>((rank + i) % 3);
        variant.run(&of_rank[rank][i], Context{});
        EXPECT_EQ(emulated::take_failure(), "") << variant.name << ", rank " << rank;
      }
    });
  }
  if (meanwhile) meanwhile();
  for (std::thread& thread : threads) thread.join();
}

/// What devices let a block have of shared memory: capability 8.6, 8.9 and 12.x; 8.0 and 8.7; 9.0 and 10.x.
constexpr std::array<int64_t, 3> shared_limits = {101376, 166912, 232448};

/// For a scope the emulated device has another limit.
class SharedLimit {
 public:
  explicit SharedLimit(int64_t bytes) { emulated::device().shared_bytes_per_block = static_cast<size_t>(bytes); }
  ~SharedLimit() { emulated::device().shared_bytes_per_block = before_; }
  SharedLimit(const SharedLimit&) = delete;
  SharedLimit& operator=(const SharedLimit&) = delete;

 private:
  size_t before_ = emulated::device().shared_bytes_per_block;
};

constexpr std::array<emulated::Order, 3> all_orders = {emulated::Order::forward, emulated::Order::reverse,
                                                       emulated::Order::shuffled};

inline std::vector<const Variant*> cuda_variants(Op op, const void* args, Isa highest) {
  std::vector<const Variant*> found;
  const VariantTable& table = cuda_kernel_table();
  for (int64_t i = 0; i < table.count; ++i) {
    const Variant& variant = *table.variants[i];
    if (variant.op != op || variant.isa > highest) continue;
    if (variant.accepts == nullptr || variant.accepts(args)) found.push_back(&variant);
  }
  return found;
}

}  // namespace graft::kernels::testing

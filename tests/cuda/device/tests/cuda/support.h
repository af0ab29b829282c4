// The stand-in for tests/cuda/support.h that runs the same tests on a real device, through the plug-in's table. "Device
// memory" is pinned host memory that kernels see at the same address, so that the reference reads it too; whatever lies
// around it is checked afterwards. compute-sanitizer sees each piece as an allocation of its own.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "kernels/spec/device_plugin.h"
#include "tests/cuda/variants.h"
#include "tests/kernels/support.h"

extern "C" const graft::kernels::DevicePlugin* graft_cuda_plugin();

namespace emulated {

enum class Order { forward, reverse, shuffled };  // the device has its own

enum class CublasLt { absent, without_algorithms, there };

struct Device {
  int multiprocessors = 1;
  int capability_major = 0;
  int capability_minor = 0;
  size_t shared_bytes_per_block = 0;
  Order order = Order::forward;
};
/// What the device says; changes to it change nothing.
Device& device();

/// The first failure since the last call, in words.
std::string take_failure();

}  // namespace emulated

namespace graft::kernels::testing {

/// Ends the program where memory cannot be had.
void* allocate_pinned(size_t bytes);
void release_pinned(void* memory);

/// Begins 16-byte aligned plus `misalignment`; `margin` bytes before and after must stay as they are.
class DeviceMemory {
 public:
  explicit DeviceMemory(size_t bytes, size_t misalignment = 0)
      : bytes_(bytes),
        offset_(margin + misalignment),
        base_(static_cast<unsigned char*>(allocate_pinned(bytes + misalignment + 2 * margin))) {
    std::memset(base_, guard, bytes + misalignment + 2 * margin);
    std::memset(base_ + offset_, 0xff, bytes);  // NaN
  }
  template <class T>
  explicit DeviceMemory(const std::vector<T>& values, size_t misalignment = 0)
      : DeviceMemory(values.size() * sizeof(T), misalignment) {
    if (!values.empty()) std::memcpy(data(), values.data(), bytes_);
  }
  ~DeviceMemory() {
    for (size_t i = 0; i < offset_; ++i) EXPECT_EQ(base_[i], guard) << offset_ - i << " bytes before the beginning";
    for (size_t i = 0; i < margin; ++i) EXPECT_EQ(base_[offset_ + bytes_ + i], guard) << i << " bytes after the end";
    release_pinned(base_);
  }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  void* data() { return base_ + offset_; }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(data());
  }
  size_t bytes() const { return bytes_; }
  template <class T>
  std::vector<T> read() const {
    std::vector<T> values(bytes_ / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), base_ + offset_, values.size() * sizeof(T));
    return values;
  }

 private:
  static constexpr size_t margin = 256;
  static constexpr unsigned char guard = 0xa5;

  size_t bytes_, offset_;
  unsigned char* base_;
};

/// Elements of a floating type in device memory.
inline std::vector<unsigned char> typed(DType dtype, const std::vector<float>& values) {
  std::vector<unsigned char> bytes(values.size() * static_cast<size_t>(float_dtype_bytes(dtype)));
  for (size_t i = 0; i < values.size(); ++i) store_float(bytes.data(), static_cast<int64_t>(i), dtype, values[i]);
  return bytes;
}

/// Runs `variant` on the device's stream and waits. What failed is one failure of the test; a lost device ends the
/// program, since nothing can run after it.
void run_on_device(const Variant& variant, const void* args);
/// With which it runs, whatever a test has told the emulation.
int32_t device_multiprocessors();

/// As the emulation's: scratch is poisoned, its surroundings are checked, and it is written to args.scratch where the
/// struct has one.
template <class Args>
void run_emulated(const Variant& variant, Args args, emulated::Order = emulated::Order::forward) {
  const int32_t workers = device_multiprocessors();
  const int64_t needed = variant.scratch_bytes != nullptr ? variant.scratch_bytes(&args, workers) : 0;
  DeviceMemory scratch(static_cast<size_t>((needed + 63) / 64 * 64));
  if constexpr (requires { args.scratch; }) args.scratch = scratch.data();
  run_on_device(variant, &args);
}

/// How long ranks may take for what takes a device milliseconds.
constexpr std::chrono::seconds rank_patience{15};

/// Streams for so many ranks: not to be made while a kernel of one waits for another.
void make_streams(size_t ranks);
/// Puts ops on a stream of `rank`, or waits for it.
void start_on_stream(size_t rank, const Variant& variant, const void* args);
void wait_for_stream(size_t rank);

/// Runs each rank's ops in their order, each rank on a stream of its own of the one device: their grids, of up to eight
/// blocks, must fit onto it together. Two ops of each at a time where there is room: kernels that start early must not
/// take the place of those they wait for. `meanwhile` once the first have been started.
///
/// CUDA loads a kernel when it is first launched, and may wait for everything that runs before it does, so all have
/// been launched before, with no rows.
template <class Args>
void run_ranks(const Variant& variant, const std::vector<std::vector<Args>>& of_rank,
               const std::function<void()>& meanwhile = {}) {
  make_streams(of_rank.size());
  DeviceMemory no_rows(std::vector<int32_t>{0});
  for (const std::vector<Args>& ops : of_rank) {
    for (Args args : ops) {
      args.norm.rows = no_rows.as<int32_t>();
      start_on_stream(0, variant, &args);
      wait_for_stream(0);
    }
  }
  const size_t at_once = 2 * 8 * of_rank.size() <= static_cast<size_t>(device_multiprocessors()) ? 2 : 1;
  for (size_t i = 0; i < of_rank[0].size(); i += at_once) {
    for (size_t rank = 0; rank < of_rank.size(); ++rank) {
      for (size_t j = i; j < of_rank[rank].size() && j < i + at_once; ++j) {
        start_on_stream(rank, variant, &of_rank[rank][j]);
      }
    }
    if (meanwhile && i == 0) meanwhile();
    for (size_t rank = 0; rank < of_rank.size(); ++rank) wait_for_stream(rank);
  }
}

constexpr std::array<emulated::Order, 1> all_orders = {emulated::Order::forward};

/// The device has its own.
constexpr std::array<int64_t, 1> shared_limits = {0};
class SharedLimit {
 public:
  explicit SharedLimit(int64_t) {}
};

/// The process has its own.
class WithCublasLt {
 public:
  explicit WithCublasLt(emulated::CublasLt) {}
};

}  // namespace graft::kernels::testing

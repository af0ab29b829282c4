// What the kernel tests and the kernel benchmark share: a small pool, random data, guarded and misaligned buffers, and
// the walk over every variant that this machine can run.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kernels/cpu/select.h"
#include "kernels/spec/convert.h"
#include "kernels/spec/variant.h"

namespace graft::kernels::testing {

/// A pool of `workers` threads, the caller's among them. Tasks are dealt as workers ask for them.
class Pool {
 public:
  explicit Pool(int32_t workers, int spins = 0) : workers_(workers), spins_(spins) {
    for (int32_t w = 1; w < workers; ++w) threads_.emplace_back([this, w] { serve(w); });
  }
  ~Pool() {
    stop_ = true;
    publish(0);
    for (auto& thread : threads_) thread.join();
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  Context context() { return {{this, workers_, &Pool::run}, nullptr}; }

 private:
  static void run(void* self, int64_t tasks, void* body_context, void (*body)(void*, int64_t, int32_t)) {
    auto& pool = *static_cast<Pool*>(self);
    pool.body_ = body;
    pool.body_context_ = body_context;
    pool.publish(tasks);
    pool.work(0);
    while (pool.busy_.load() != 0) std::this_thread::yield();
  }

  void publish(int64_t tasks) {
    tasks_ = tasks;
    next_ = 0;
    busy_ = static_cast<int32_t>(threads_.size());
    generation_.fetch_add(1);
    generation_.notify_all();
  }

  void work(int32_t worker) {
    for (int64_t task; (task = next_.fetch_add(1)) < tasks_;) body_(body_context_, task, worker);
  }

  void serve(int32_t worker) {
    for (int64_t seen = 0;;) {
      for (int i = 0; i < spins_ && generation_.load() == seen; ++i) __builtin_ia32_pause();
      generation_.wait(seen);
      seen = generation_.load();
      if (stop_) return;
      work(worker);
      busy_.fetch_sub(1);
    }
  }

  int32_t workers_;
  int spins_;
  std::vector<std::thread> threads_;
  std::atomic<int64_t> generation_{0}, next_{0};
  std::atomic<int32_t> busy_{0};
  std::atomic<bool> stop_{false};
  int64_t tasks_ = 0;
  void* body_context_ = nullptr;
  void (*body_)(void*, int64_t, int32_t) = nullptr;
};

struct Random {
  std::mt19937 engine;
  explicit Random(uint32_t seed) : engine(seed) {}
  int64_t in(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(engine); }
  bool coin() { return in(0, 1) == 1; }
  float normal(float deviation = 1) { return deviation * std::normal_distribution<float>()(engine); }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[static_cast<size_t>(in(0, static_cast<int64_t>(from.size()) - 1))];
  }
  std::vector<float> normals(int64_t count, float deviation = 1) {
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = normal(deviation);
    return values;
  }
  DType float_type() { return pick<DType>({DType::float32, DType::bfloat16, DType::float16}); }
};

/// Elements of a floating type, `misalignment` bytes off any natural alignment; exactly as long as stated, so that the
/// address sanitiser sees a read past the end.
class TypedArray {
 public:
  TypedArray(DType dtype, const std::vector<float>& values, int64_t misalignment = 0)
      : bytes_(values.size() * static_cast<size_t>(float_dtype_bytes(dtype)) + static_cast<size_t>(misalignment)),
        misalignment_(misalignment) {
    for (size_t i = 0; i < values.size(); ++i) store_float(data(), static_cast<int64_t>(i), dtype, values[i]);
  }
  void* data() { return bytes_.data() + misalignment_; }
  const std::vector<unsigned char>& bytes() const { return bytes_; }

 private:
  std::vector<unsigned char> bytes_;
  int64_t misalignment_;
};

/// Scratch exactly as long as a variant asks for, 64-byte aligned.
class Scratch {
 public:
  Scratch(const Variant& variant, const void* args, int32_t workers)
      : size_(variant.scratch_bytes != nullptr ? variant.scratch_bytes(args, workers) : 0),
        data_(size_ > 0 ? std::aligned_alloc(64, static_cast<size_t>((size_ + 63) / 64 * 64)) : nullptr) {
    if (data_ != nullptr) std::memset(data_, 0xff, static_cast<size_t>(size_));  // NaN: never read before written
  }
  ~Scratch() { std::free(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  void* data() { return data_; }

 private:
  int64_t size_;
  void* data_;
};

inline const Variant* reference_of(Op op) {
  const VariantTable& table = variant_table();
  for (int64_t i = 0; i < table.count; ++i) {
    if (table.variants[i]->op == op && table.variants[i]->isa == Isa::reference) return table.variants[i];
  }
  return nullptr;
}

/// Calls `check` with every variant of `op`, other than the reference, that this machine has and that accepts `args`.
/// Returns how many there were.
inline int for_each_variant(Op op, const void* args, const std::function<void(const Variant&)>& check) {
  int found = 0;
  const VariantTable& table = variant_table();
  for (int64_t i = 0; i < table.count; ++i) {
    const Variant& variant = *table.variants[i];
    if (variant.op != op || variant.isa == Isa::reference || !machine_has(variant.isa)) continue;
    if (variant.accepts != nullptr && !variant.accepts(args)) continue;
    ++found;
    check(variant);
  }
  return found;
}

/// Empty when got equals expected to within `relative` of the magnitude scale, else the first difference in words. The
/// scale of an element is its own magnitude or, for sums that may cancel, the given floor.
inline std::string difference(const std::vector<float>& got, const std::vector<float>& expected, double relative,
                              double floor = 1.0) {
  for (size_t i = 0; i < expected.size(); ++i) {
    if (std::memcmp(&got[i], &expected[i], sizeof(float)) == 0) continue;
    const double scale = std::max(floor, std::abs(static_cast<double>(expected[i])));
    if (!(std::abs(static_cast<double>(got[i]) - expected[i]) <= relative * scale)) {
      return "element " + std::to_string(i) + ": " + std::to_string(got[i]) + ", expected " +
             std::to_string(expected[i]);
    }
  }
  return "";
}

}  // namespace graft::kernels::testing

// What a figure is made of: arguments in a device's memory, the kernel that serves them, and the work that it has to
// do. Nothing here is CUDA's: device_bench.h measures on a device, and a test sets up the same figures without one.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cuda/choose.h"
#include "kernels/spec/sum_residual_norm.h"
#include "kernels/spec/variant.h"
#include "tests/bench/cuda/work.h"

namespace graft::bench {

using namespace kernels;

constexpr int64_t pool_bytes = int64_t{4} << 30;          // weights and caches
constexpr int64_t activation_bytes = int64_t{512} << 20;  // stay in the cache where they fit, as they do in a step

class Bench {
 public:
  virtual ~Bench() = default;
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  std::vector<std::string> words;  ///< of which a figure's name holds one; none: all are wanted

  /// Whether products can be left to cuBLASLt.
  bool has_library() const { return library_; }

  /// The next piece of the pool; over again from the start where it ends. Holds small numbers, as scratch does.
  virtual void* next(int64_t bytes) {
    if (bytes > pool_.bytes) fail("a piece of the pool");
    void* piece = pool_.take(bytes);
    if (piece != nullptr) return piece;
    pool_.taken = 0;
    return pool_.take(bytes);
  }
  template <class T>
  T* scratch(int64_t count) {
    return static_cast<T*>(take(count * static_cast<int64_t>(sizeof(T))));
  }
  template <class T>
  T* zeros(int64_t count) {
    T* place = scratch<T>(count);
    write(place, nullptr, count * static_cast<int64_t>(sizeof(T)));
    return place;
  }
  template <class T>
  T* copied(const std::vector<T>& values) {
    T* place = scratch<T>(static_cast<int64_t>(values.size()));
    write(place, values.data(), static_cast<int64_t>(values.size() * sizeof(T)));
    return place;
  }
  int32_t* number(const std::vector<int32_t>& values) { return copied(values); }

  /// `renew(args)` moves the arguments to other memory, also before a kernel is chosen.
  template <class Args, class Renew>
  Kernel kernel(Op op, const Args& given, const Work& work, Renew renew) {
    struct State {
      Args args;
      Renew renew;
    };
    const auto state = std::make_shared<State>(State{given, renew});  // one for all copies of the kernel
    state->renew(state->args);
    const Variant* variant = variant_of(op, &state->args, work.variant);
    if constexpr (requires { state->args.scratch; }) {
      if (variant != nullptr && variant->scratch_bytes != nullptr) {
        const int64_t needed = variant->scratch_bytes(&state->args, multiprocessors_);
        state->args.scratch = scratch<unsigned char>((needed + 63) / 64 * 64);
      }
    }
    const auto next_args = [state]() -> const void* {
      state->renew(state->args);
      return &state->args;
    };
    return {variant, next_args, work};
  }
  template <class Args>
  Kernel kernel(Op op, const Args& args, const Work& work) {
    return kernel(op, args, work, [](Args&) {});
  }

  /// Of kernels that run one after the other, which together do `work`. `what` is told where not all exist.
  void figure(const std::string& what, const std::vector<Kernel>& kernels, const Work& work) {
    if (!means(what) || !all_exist(what, kernels)) return;
    const std::optional<Microseconds> of_pass = time(what, kernels, work.passes());
    if (of_pass) tell(what, kernels[0].variant->name, *of_pass, work);
  }
  void figure(const std::string& what, const Kernel& kernel) { figure(what, {kernel}, kernel.work); }

  bool means(const std::string& what) const {
    const auto meant = [&](const std::string& word) { return what.find(word) != std::string::npos; };
    return words.empty() || std::any_of(words.begin(), words.end(), meant);
  }
  bool all_exist(const std::string& what, const std::vector<Kernel>& kernels) {
    const bool all =
        std::all_of(kernels.begin(), kernels.end(), [](const Kernel& kernel) { return kernel.variant != nullptr; });
    if (!all) missing(what);
    return all;
  }
  /// One line. `more`: members of the object beside those that all have.
  void tell(const std::string& what, const std::string& by, const Microseconds& us, const Work& work,
            const std::string& more = "") {
    char line[512];
    std::snprintf(line, sizeof line,
                  "{\"name\": \"%s\", \"variant\": \"%s\", \"us\": %.3f, \"least_us\": %.3f, \"most_us\": %.3f, "
                  "\"bytes\": %lld, \"gb_s\": %.1f, \"tflop_s\": %.1f%s}",
                  what.c_str(), by.c_str(), us.median, us.least, us.most, static_cast<long long>(work.bytes),
                  static_cast<double>(work.bytes) / us.median * 1e-3,
                  static_cast<double>(work.operations) / us.median * 1e-6, more.c_str());
    print(line);
  }

  /// The device's time for a pass over `kernels`, of a graph of `passes`. Nothing where no figures are wanted.
  virtual std::optional<Microseconds> time(const std::string& what, const std::vector<Kernel>& kernels, int passes) = 0;
  /// The same of one sum of ranks, each with arguments of its own, that run at the same time.
  virtual std::optional<Microseconds> time_ranks(const std::string& what, const Variant& variant,
                                                 const std::vector<SumResidualNormArgs>& ranks) = 0;
  const Variant* variant_of(Op op, const void* args, const char* name = nullptr) const {
    if (name == nullptr) return cuda::choose(cuda_kernel_table(), isa_, op, args);
    const VariantTable& table = cuda_kernel_table();
    const auto* const* end = table.variants + table.count;
    const auto* const* found = std::find_if(
        table.variants, end, [&](const Variant* variant) { return std::strcmp(variant->name, name) == 0; });
    return found != end ? *found : nullptr;
  }

 protected:
  Bench(Arena activations, Arena pool) : activations_(activations), pool_(pool) {}

  virtual void* take(int64_t bytes) {
    void* piece = activations_.take(bytes);
    if (piece == nullptr) fail("memory for activations");
    return piece;
  }
  /// Zeros where `from` is null.
  virtual void write(void* to, const void* from, int64_t bytes) = 0;
  virtual void print(const char* line) = 0;
  virtual void missing(const std::string& what) = 0;
  /// Does not return.
  virtual void fail(const char* what) = 0;

  virtual int64_t mark() const { return activations_.taken; }
  virtual void release(int64_t marked) { activations_.taken = marked; }
  friend class Scope;

  Arena activations_, pool_;
  int32_t multiprocessors_ = 0;
  Isa isa_ = Isa::reference;
  bool library_ = false;
};

/// Gives back at its end what has been taken of a bench's activations.
class Scope {
 public:
  explicit Scope(Bench& bench) : bench_(bench), mark_(bench.mark()) {}
  ~Scope() { bench_.release(mark_); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Bench& bench_;
  int64_t mark_;
};

}  // namespace graft::bench

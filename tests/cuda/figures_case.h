// The figures of tests/bench/cuda without a device: on paper, and over small shapes on the emulated one.
#pragma once

#include <memory>
#include <set>
#include <stdexcept>

#include "tests/bench/cuda/figures.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {

/// Keeps what is told.
class Listed : public bench::Bench {
 public:
  std::vector<std::string> lines;
  std::set<std::string> names, variants;

  std::optional<bench::Microseconds> time(const std::string& what, const std::vector<bench::Kernel>& kernels,
                                          int passes) override {
    EXPECT_GE(passes, 1) << what;
    for (const bench::Kernel& kernel : kernels) variants.insert(kernel.variant->name);
    return bench::Microseconds{2, 1, 3};
  }
  std::optional<bench::Microseconds> time_ranks(const std::string&, const Variant& variant,
                                                const std::vector<SumResidualNormArgs>&) override {
    variants.insert(variant.name);
    return bench::Microseconds{2, 1, 3};
  }

 protected:
  Listed(bench::Arena activations, bench::Arena pool) : Bench(activations, pool) {
    multiprocessors_ = emulated::device().multiprocessors;
    isa_ = Isa::sm100;
    library_ = true;
  }
  void print(const char* line) override { lines.emplace_back(line); }
  void missing(const std::string& what) override { ADD_FAILURE() << what << ": no kernel"; }
  void fail(const char* what) override { throw std::runtime_error(what); }
};

/// All shapes as they are measured, at addresses without memory, for the largest device.
class OnPaper : public Listed {
 public:
  OnPaper() : Listed(nowhere(1, bench::activation_bytes), nowhere(2, bench::pool_bytes)) { multiprocessors_ = 160; }

 protected:
  void write(void*, const void*, int64_t) override {}

 private:
  static bench::Arena nowhere(uintptr_t number, int64_t bytes) {
    return {reinterpret_cast<unsigned char*>(number << 40), bytes};
  }
};

/// Runs everything on the emulated device, twice, each piece of memory ending at a page that nobody may touch.
class Emulated : public Listed {
 public:
  Emulated() : Listed({}, {}), library_handle_(cuda::matmul_handle_new()) {}
  ~Emulated() override { cuda::matmul_handle_free(library_handle_); }

  void* next(int64_t bytes) override { return piece(bytes); }
  std::optional<bench::Microseconds> time(const std::string& what, const std::vector<bench::Kernel>& kernels,
                                          int passes) override {
    for (int pass = 0; pass < 2; ++pass) {
      for (const bench::Kernel& kernel : kernels) {
        kernel.variant->run(kernel.next(), Context{{nullptr, multiprocessors_, nullptr}, nullptr, library_handle_});
        EXPECT_EQ(emulated::take_failure(), "") << what << ", " << kernel.variant->name;
      }
    }
    return Listed::time(what, kernels, passes);
  }
  std::optional<bench::Microseconds> time_ranks(const std::string& what, const Variant& variant,
                                                const std::vector<SumResidualNormArgs>& ranks) override {
    std::vector<std::vector<SumResidualNormArgs>> twice;
    for (const SumResidualNormArgs& args : ranks) twice.push_back({args, args});
    run_ranks(variant, twice);
    return Listed::time_ranks(what, variant, ranks);
  }

 protected:
  void* take(int64_t bytes) override { return piece(bytes); }
  void write(void* to, const void* from, int64_t bytes) override {
    if (from == nullptr) {
      std::memset(to, 0, static_cast<size_t>(bytes));
    } else {
      std::memcpy(to, from, static_cast<size_t>(bytes));
    }
  }
  int64_t mark() const override { return static_cast<int64_t>(pieces_.size()); }
  void release(int64_t marked) override { pieces_.resize(static_cast<size_t>(marked)); }

 private:
  void* piece(int64_t bytes) {
    pieces_.push_back(std::make_unique<DeviceMemory>(static_cast<size_t>(bytes)));
    void* memory = pieces_.back()->data();
    std::memcpy(memory, bench::small_numbers(bytes).data(), static_cast<size_t>(bytes));
    return memory;
  }

  std::vector<std::unique_ptr<DeviceMemory>> pieces_;
  void* library_handle_;
};

/// No two numbers alike, so that one in the place of another shows.
inline bench::Shapes small_shapes() {
  bench::Shapes shapes;
  shapes.hidden = 192;
  shapes.intermediate = 320;
  shapes.vocabulary = 1000;
  shapes.heads = {4, 2, 128};
  shapes.small_heads = {6, 2, 64};
  shapes.block_size = 16;
  shapes.contexts = {40, 130};
  shapes.sequences = {3, 20};
  shapes.many_contexts = {33};
  shapes.prompts = {24, 72};
  shapes.step = 24;
  shapes.few_rows = {2, 8};
  shapes.many_rows = {12, 40};
  shapes.library_rows = 40;
  shapes.experts = 10;
  shapes.top_k = 2;
  shapes.expert_hidden = 128;
  shapes.expert_intermediate = 96;
  shapes.sum_widths = {258};
  return shapes;
}

}  // namespace graft::kernels::testing

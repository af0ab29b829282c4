// The figures of tests/bench/cuda without a device: that every kernel has one, that what they take fits into the memory
// that there is, and, over small shapes, that their arguments are such as the kernels can run with.
#include <algorithm>
#include <set>

#include "tests/cuda/figures_case.h"

namespace graft::kernels::testing {
namespace {

std::set<std::string> kernels_there_are() {
  std::set<std::string> names;
  const VariantTable& table = cuda_kernel_table();
  for (int64_t i = 0; i < table.count; ++i) names.insert(table.variants[i]->name);
  return names;
}

TEST(CudaFigures, EveryKernelHasOneAndMemoryIsEnough) {
  const WithCublasLt library(emulated::CublasLt::there);
  OnPaper paper;
  ASSERT_NO_THROW(bench::all_figures(paper, bench::Shapes{}));
  EXPECT_EQ(paper.variants, kernels_there_are());
}

TEST(CudaFigures, AreLinesOfTheirOwn) {
  const WithCublasLt library(emulated::CublasLt::there);
  OnPaper paper;
  ASSERT_NO_THROW(bench::all_figures(paper, bench::Shapes{}));
  std::set<std::string> names;
  for (const std::string& line : paper.lines) {
    EXPECT_TRUE(line.starts_with("{\"name\": \"") && line.ends_with("}")) << line;
    const size_t bytes = line.find("\"bytes\": ");
    ASSERT_NE(bytes, std::string::npos) << line;
    EXPECT_GT(std::stoll(line.substr(bytes + 9)), 0) << line;
    EXPECT_TRUE(names.insert(line.substr(0, line.find("\"us\""))).second) << "twice: " << line;
  }
  EXPECT_GT(names.size(), 100u);
}

TEST(CudaFigures, WordsChoose) {
  OnPaper paper;
  paper.words = {"next step"};
  bench::all_figures(paper, bench::Shapes{});
  EXPECT_EQ(paper.variants, std::set<std::string>{"next_step.sm80"});
}

TEST(CudaFigures, CountWhatTheDefinitionSays) {
  OnPaper paper;
  paper.words = {"linear gate + up bf16 x1", "attention of a prompt of 8192"};
  bench::all_figures(paper, bench::Shapes{});
  const auto line_of = [&](const std::string& name) {
    const auto found = std::find_if(paper.lines.begin(), paper.lines.end(),
                                    [&](const std::string& line) { return line.starts_with("{\"name\": \"" + name); });
    return found != paper.lines.end() ? *found : "";
  };
  const int64_t outputs = 2 * 14336, in = 4096;
  EXPECT_NE(
      line_of("linear gate + up bf16 x1\"").find("\"bytes\": " + std::to_string(outputs * in * 2 + (in + outputs) * 4)),
      std::string::npos);
  // Each of 8192 queries sees itself and the keys before it: two products over 32 heads of 128, in the 2 us of Listed.
  const double operations = 4.0 * 32 * 128 * (8192.0 * 8193 / 2);
  char rate[64];
  std::snprintf(rate, sizeof rate, "\"tflop_s\": %.1f", operations / 2 * 1e-6);
  EXPECT_NE(line_of("attention of a prompt of 8192").find(rate), std::string::npos);
}

/// The keys that there are in each launch of the figures of attention that are wanted.
class Contexts : public Emulated {
 public:
  std::vector<int32_t> contexts;

  std::optional<bench::Microseconds> time(const std::string&, const std::vector<bench::Kernel>& kernels, int) override {
    for (const bench::Kernel& kernel : kernels) {
      contexts.push_back(*static_cast<const AttentionArgs*>(kernel.next())->context_lengths);
    }
    return std::nullopt;
  }
};

TEST(CudaFigures, PromptsTakeAllTheirSteps) {
  Contexts steps;
  steps.words = {"attention of a prompt of 72 in steps of 24, 4 heads of 128 bf16"};
  bench::all_figures(steps, small_shapes());
  std::sort(steps.contexts.begin(), steps.contexts.end());
  EXPECT_EQ(steps.contexts, (std::vector<int32_t>{24, 48, 72}));
}

TEST(CudaFigures, RunOverSmallShapes) {
  const WithCublasLt library(emulated::CublasLt::there);
  Emulated emulation;
  bench::all_figures(emulation, small_shapes());
  EXPECT_EQ(emulation.variants, kernels_there_are());
}

}  // namespace
}  // namespace graft::kernels::testing

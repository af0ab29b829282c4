#include "tests/kernels/expert_layer.h"

#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

TEST(CudaExpertLayer, AnswersAsTransformers) {
  const auto run = [](Op op, const auto& args) {
    const int found = for_each_cuda_variant(op, &args, [&](const Variant& variant) { run_emulated(variant, args); });
    EXPECT_EQ(found, 1);
  };
  expect_layers_right<DeviceMemory>(run, 1e-5);
}

}  // namespace
}  // namespace graft::kernels::testing

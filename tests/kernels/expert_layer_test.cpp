#include "tests/kernels/expert_layer.h"

namespace graft::kernels::testing {
namespace {

class HostMemory {
 public:
  template <class T>
  explicit HostMemory(const std::vector<T>& values) : bytes_(values.size() * sizeof(T)) {
    std::memcpy(bytes_.data(), values.data(), bytes_.size());
  }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(bytes_.data());
  }

 private:
  std::vector<unsigned char> bytes_;
};

TEST(ExpertLayer, ReferencesAnswerAsTransformers) {
  expect_layers_right<HostMemory>([](Op op, const auto& args) { reference_of(op)->run(&args, {}); }, 2e-6);
}

}  // namespace
}  // namespace graft::kernels::testing

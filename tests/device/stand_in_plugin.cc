// libgraft_cuda.so for tests, over the kernels of the CPU: its answers are those of the CPU, bit for bit.
// soname: libgraft_cuda.so
// links: kernels_cpu
#include "kernels/cpu/select.h"
#include "tests/device/stand_in_device.h"
#include "tests/kernels/two_in_one.h"

namespace graft::stand_in {
namespace {

void run_all(void*, int64_t tasks, void* context, void (*body)(void*, int64_t, int32_t)) {
  for (int64_t task = 0; task < tasks; ++task) body(context, task, 0);
}

// Steps of few rows have one op for two, as on a device.
const Variant* find_kernel(Op op, const void* args) {
  if (op != Op::rotary_attention) return kernels::select(op, args);
  return static_cast<const RotaryAttentionArgs*>(args)->attention.capacity <= 16 ? &testing::two_in_one : nullptr;
}
int32_t kernel_workers() { return 1; }
std::string run_kernel(const Variant& variant, const void* args, void*) {
  variant.run(args, {{nullptr, 1, run_all}, nullptr});
  return {};
}
void* new_library_handle() { return nullptr; }
void free_library_handle(void*) {}

}  // namespace
}  // namespace graft::stand_in

// libgraft_cuda.so for tests, over the kernels of kernels/cuda as tests/cuda/emulated runs them: whole models on the
// code that a device runs, without one.
//
// soname: libgraft_cuda.so
// links: cuda_emulated
#include "kernels/cuda/choose.h"
#include "kernels/cuda/matmul.h"
#include "tests/cuda/emulated/emulation.h"
#include "tests/device/stand_in_device.h"

namespace graft::stand_in {
namespace {

const Variant* find_kernel(Op op, const void* args) {
  emulated::device().cublas_lt = emulated::CublasLt::there;  // of this thread
  return kernels::cuda::choose(kernels::cuda_kernel_table(), Isa::sm100, op, args);
}
int32_t kernel_workers() { return emulated::device().multiprocessors; }
std::string run_kernel(const Variant& variant, const void* args, void* library_handle) {
  variant.run(args, {{nullptr, kernel_workers(), nullptr}, nullptr, library_handle});
  const std::string failure = emulated::take_failure();
  return failure.empty() ? failure : std::string(variant.name) + ": " + failure;
}

void* new_library_handle() {
  emulated::device().cublas_lt = emulated::CublasLt::there;
  return kernels::cuda::matmul_handle_new();
}
void free_library_handle(void* handle) { kernels::cuda::matmul_handle_free(handle); }

}  // namespace
}  // namespace graft::stand_in

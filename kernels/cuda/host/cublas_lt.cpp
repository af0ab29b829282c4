#include "kernels/cuda/host/cublas_lt.h"

#include <dlfcn.h>

namespace graft::kernels::cuda {
namespace {

template <class Function>
bool find(void* library, const char* name, Function& to) {
  to = reinterpret_cast<Function>(dlsym(library, name));
  return to != nullptr;
}

// LibTorch for CUDA has brought the library into the process; without that it is looked for beside the runtime.
bool load(CublasLt& functions) {
  void* library = dlopen("libcublasLt.so.13", RTLD_NOW | RTLD_LOCAL);
  return library != nullptr && find(library, "cublasLtCreate", functions.create) &&
         find(library, "cublasLtDestroy", functions.destroy) &&
         find(library, "cublasLtMatmulDescCreate", functions.desc_create) &&
         find(library, "cublasLtMatmulDescDestroy", functions.desc_destroy) &&
         find(library, "cublasLtMatmulDescSetAttribute", functions.desc_set) &&
         find(library, "cublasLtMatrixLayoutCreate", functions.layout_create) &&
         find(library, "cublasLtMatrixLayoutDestroy", functions.layout_destroy) &&
         find(library, "cublasLtMatmulPreferenceCreate", functions.preference_create) &&
         find(library, "cublasLtMatmulPreferenceDestroy", functions.preference_destroy) &&
         find(library, "cublasLtMatmulPreferenceSetAttribute", functions.preference_set) &&
         find(library, "cublasLtMatmulAlgoGetHeuristic", functions.find_algorithms) &&
         find(library, "cublasLtMatmul", functions.matmul);
}

}  // namespace

const CublasLt* cublas_lt() {
  static CublasLt functions = {};
  static const bool found = load(functions);
  return found ? &functions : nullptr;
}

}  // namespace graft::kernels::cuda

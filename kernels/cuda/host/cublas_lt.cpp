#include "kernels/cuda/host/cublas_lt.h"

#include <dlfcn.h>

#include <cstdio>

namespace graft::kernels::cuda {
namespace {

constexpr const char* library_name = "libcublasLt.so.13";

class Search {
 public:
  Search() { complete_ = load(); }

  const CublasLt* functions() const { return complete_ ? &functions_ : nullptr; }
  const char* problem() const { return problem_; }
  const char* version() const { return version_; }

 private:
  template <class Function>
  bool find(const char* name, Function& to) {
    to = reinterpret_cast<Function>(dlsym(library_, name));
    if (to != nullptr) return true;
    snprintf(problem_, sizeof problem_, "%s has no %s", library_name, name);
    return false;
  }

  // LibTorch for CUDA has brought the library into the process; without that it is looked for beside the runtime.
  bool load() {
    library_ = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) {
      const char* why = dlerror();
      snprintf(problem_, sizeof problem_, "%s", why != nullptr ? why : "the loader gives no reason");
      return false;
    }
    size_t (*get_version)() = nullptr;
    if (!find("cublasLtGetVersion", get_version) || !find("cublasLtCreate", functions_.create) ||
        !find("cublasLtDestroy", functions_.destroy) || !find("cublasLtMatmulDescCreate", functions_.desc_create) ||
        !find("cublasLtMatmulDescDestroy", functions_.desc_destroy) ||
        !find("cublasLtMatmulDescSetAttribute", functions_.desc_set) ||
        !find("cublasLtMatrixLayoutCreate", functions_.layout_create) ||
        !find("cublasLtMatrixLayoutDestroy", functions_.layout_destroy) ||
        !find("cublasLtMatmulPreferenceCreate", functions_.preference_create) ||
        !find("cublasLtMatmulPreferenceDestroy", functions_.preference_destroy) ||
        !find("cublasLtMatmulPreferenceSetAttribute", functions_.preference_set) ||
        !find("cublasLtMatmulAlgoGetHeuristic", functions_.find_algorithms) ||
        !find("cublasLtMatmul", functions_.matmul)) {
      return false;
    }
    const size_t number = get_version();  // 130100 is 13.1.0
    snprintf(version_, sizeof version_, "%zu.%zu.%zu", number / 10000, number / 100 % 100, number % 100);
    return true;
  }

  void* library_ = nullptr;
  CublasLt functions_ = {};
  bool complete_ = false;
  char problem_[512] = "";
  char version_[32] = "";
};

const Search& search() {
  static const Search once;
  return once;
}

}  // namespace

const CublasLt* cublas_lt() { return search().functions(); }
const char* cublas_lt_problem() { return search().problem(); }
const char* cublas_lt_version() { return search().version(); }

}  // namespace graft::kernels::cuda

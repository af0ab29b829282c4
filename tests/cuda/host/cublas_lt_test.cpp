// What cublas_lt.h says without the library's header, beside that header, where the machine has it.
#include "kernels/cuda/host/cublas_lt.h"

#include <gtest/gtest.h>

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>

namespace graft::kernels::cuda {
namespace {

static_assert(lt_success == int{CUBLAS_STATUS_SUCCESS} && lt_invalid_value == int{CUBLAS_STATUS_INVALID_VALUE});
static_assert(lt_not_supported == int{CUBLAS_STATUS_NOT_SUPPORTED});
static_assert(lt_float32 == int{CUDA_R_32F} && lt_float16 == int{CUDA_R_16F} && lt_bfloat16 == int{CUDA_R_16BF});
static_assert(lt_compute_float32 == int{CUBLAS_COMPUTE_32F});
static_assert(lt_as_it_is == int{CUBLAS_OP_N} && lt_transposed == int{CUBLAS_OP_T});
static_assert(lt_operation_of_a == int{CUBLASLT_MATMUL_DESC_TRANSA});
static_assert(lt_operation_of_b == int{CUBLASLT_MATMUL_DESC_TRANSB});
static_assert(lt_most_workspace_bytes == int{CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES});
static_assert(lt_alignment_of_a == int{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES});
static_assert(lt_alignment_of_b == int{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES});
static_assert(lt_alignment_of_c == int{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES});
static_assert(lt_alignment_of_d == int{CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES});
static_assert(sizeof(LtAlgorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(LtHeuristic) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(LtHeuristic, workspace_bytes) == offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(LtHeuristic, state) == offsetof(cublasLtMatmulHeuristicResult_t, state));

/// A function of the table takes as many arguments as the library's, each as large.
template <class... Ours, class... Theirs>
constexpr bool alike(LtStatus (*)(Ours...), cublasStatus_t (*)(Theirs...)) {
  if constexpr (sizeof...(Ours) == sizeof...(Theirs)) {
    return ((sizeof(Ours) == sizeof(Theirs) && std::is_pointer_v<Ours> == std::is_pointer_v<Theirs>)&&...);
  }
  return false;
}
constexpr CublasLt none{};
static_assert(alike(none.create, &cublasLtCreate) && alike(none.destroy, &cublasLtDestroy));
static_assert(alike(none.desc_create, &cublasLtMatmulDescCreate));
static_assert(alike(none.desc_destroy, &cublasLtMatmulDescDestroy));
static_assert(alike(none.desc_set, &cublasLtMatmulDescSetAttribute));
static_assert(alike(none.layout_create, &cublasLtMatrixLayoutCreate));
static_assert(alike(none.layout_destroy, &cublasLtMatrixLayoutDestroy));
static_assert(alike(none.preference_create, &cublasLtMatmulPreferenceCreate));
static_assert(alike(none.preference_destroy, &cublasLtMatmulPreferenceDestroy));
static_assert(alike(none.preference_set, &cublasLtMatmulPreferenceSetAttribute));
static_assert(alike(none.find_algorithms, &cublasLtMatmulAlgoGetHeuristic));
static_assert(alike(none.matmul, &cublasLtMatmul));

}  // namespace
}  // namespace graft::kernels::cuda
#endif

// Whatever this machine has: all functions, or none, and the same answer each time.
TEST(CublasLtFunctions, AllOrNone) {
  using graft::kernels::cuda::cublas_lt;
  const auto* found = cublas_lt();
  EXPECT_EQ(cublas_lt(), found);
  if (found == nullptr) return;
  EXPECT_NE(found->create, nullptr);
  EXPECT_NE(found->matmul, nullptr);
}

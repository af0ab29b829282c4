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

namespace graft::kernels::cuda {
namespace {

// Whatever this machine has: all functions, or none, and the same answer each time.
TEST(CublasLtFunctions, AllOrNone) {
  const CublasLt* found = cublas_lt();
  EXPECT_EQ(cublas_lt(), found);
  EXPECT_EQ(*cublas_lt_problem() == '\0', found != nullptr) << cublas_lt_problem();
  EXPECT_EQ(*cublas_lt_version() != '\0', found != nullptr) << cublas_lt_version();
  if (found == nullptr) return;
  EXPECT_NE(found->create, nullptr);
  EXPECT_NE(found->matmul, nullptr);
}

// What needs no device, of the library itself: it takes products as matmul.cpp describes them.
TEST(CublasLtFunctions, TakeDescriptions) {
  const CublasLt* library = cublas_lt();
  if (library == nullptr) GTEST_SKIP() << "there is no libcublasLt.so.13 beside the CUDA runtime";
  LtDescription description = nullptr;
  ASSERT_EQ(library->desc_create(&description, lt_compute_float32, lt_float32), lt_success);
  const LtOperation transposed = lt_transposed;
  EXPECT_EQ(library->desc_set(description, lt_operation_of_a, &transposed, sizeof transposed), lt_success);
  EXPECT_EQ(library->desc_destroy(description), lt_success);
  for (const LtType type : {lt_float32, lt_float16, lt_bfloat16}) {
    LtLayout layout = nullptr;
    ASSERT_EQ(library->layout_create(&layout, type, 64, 9, 64), lt_success);
    EXPECT_EQ(library->layout_destroy(layout), lt_success);
  }
  LtPreference preference = nullptr;
  ASSERT_EQ(library->preference_create(&preference), lt_success);
  const uint64_t bytes = 1 << 20;
  const uint32_t alignment = 16;
  EXPECT_EQ(library->preference_set(preference, lt_most_workspace_bytes, &bytes, sizeof bytes), lt_success);
  EXPECT_EQ(library->preference_set(preference, lt_most_workspace_bytes, &alignment, sizeof alignment),
            lt_invalid_value);
  for (const LtPreferenceAttribute name :
       {lt_alignment_of_a, lt_alignment_of_b, lt_alignment_of_c, lt_alignment_of_d}) {
    EXPECT_EQ(library->preference_set(preference, name, &alignment, sizeof alignment), lt_success);
  }
  EXPECT_EQ(library->preference_destroy(preference), lt_success);
}

}  // namespace
}  // namespace graft::kernels::cuda

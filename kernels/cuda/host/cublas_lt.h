// cuBLASLt without its header, which not every machine that builds has: the few functions that are used, found when
// they are first needed. Types and numbers are those of the library's interface, the same in every release so far
// (tests/cuda/host compares them with the header where there is one).
#pragma once

#include <cstddef>
#include <cstdint>

namespace graft::kernels::cuda {

/// Opaque objects: cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t, cublasLtMatmulPreference_t.
using LtHandle = struct LtHandleObject*;
using LtDescription = struct LtDescriptionObject*;
using LtLayout = struct LtLayoutObject*;
using LtPreference = struct LtPreferenceObject*;

enum LtStatus : int32_t { lt_success = 0, lt_invalid_value = 7, lt_not_supported = 15 };
enum LtType : int32_t { lt_float32 = 0, lt_float16 = 2, lt_bfloat16 = 14 };  // cudaDataType_t
enum LtCompute : int32_t { lt_compute_float32 = 68 };
enum LtOperation : int32_t { lt_as_it_is = 0, lt_transposed = 1 };
enum LtDescriptionAttribute : int32_t { lt_operation_of_a = 3, lt_operation_of_b = 4 };
enum LtPreferenceAttribute : int32_t {
  lt_most_workspace_bytes = 1,  ///< uint64_t
  lt_alignment_of_a = 5,        ///< uint32_t, bytes; b, c and d follow
  lt_alignment_of_b = 6,
  lt_alignment_of_c = 7,
  lt_alignment_of_d = 8
};

struct LtAlgorithm {
  uint64_t data[8];
};
struct LtHeuristic {  ///< cublasLtMatmulHeuristicResult_t
  LtAlgorithm algorithm;
  size_t workspace_bytes;
  LtStatus state;  ///< success, or the rest means nothing
  float waves;
  int32_t reserved[4];
};

/// The functions, named as there without the prefix. Matrices are stored by columns, strides are elements.
struct CublasLt {
  LtStatus (*create)(LtHandle* out);
  LtStatus (*destroy)(LtHandle library);
  LtStatus (*desc_create)(LtDescription* out, LtCompute compute, LtType scale);
  LtStatus (*desc_destroy)(LtDescription description);
  LtStatus (*desc_set)(LtDescription description, LtDescriptionAttribute name, const void* value, size_t bytes);
  LtStatus (*layout_create)(LtLayout* out, LtType type, uint64_t rows, uint64_t columns, int64_t stride);
  LtStatus (*layout_destroy)(LtLayout layout);
  LtStatus (*preference_create)(LtPreference* out);
  LtStatus (*preference_destroy)(LtPreference preference);
  LtStatus (*preference_set)(LtPreference preference, LtPreferenceAttribute name, const void* value, size_t bytes);
  LtStatus (*find_algorithms)(LtHandle library, LtDescription description, LtLayout a, LtLayout b, LtLayout c,
                              LtLayout d, LtPreference preference, int wanted, LtHeuristic* out, int* out_count);
  /// d = alpha * a * b + beta * c, on a cudaStream_t.
  LtStatus (*matmul)(LtHandle library, LtDescription description, const void* alpha, const void* a, LtLayout a_layout,
                     const void* b, LtLayout b_layout, const void* beta, const void* c, LtLayout c_layout, void* d,
                     LtLayout d_layout, const LtAlgorithm* algorithm, void* workspace, size_t workspace_bytes,
                     void* stream);
};

/// Those of libcublasLt.so.13, which is looked for once and stays loaded; null where it, or one of them, is not there.
/// Any thread.
const CublasLt* cublas_lt();
/// Why there is none, in one line; empty where there is one.
const char* cublas_lt_problem();
/// "13.1.0"; empty where there is none.
const char* cublas_lt_version();

}  // namespace graft::kernels::cuda

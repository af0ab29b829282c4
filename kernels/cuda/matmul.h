// Products of whole matrices that kernels leave to cuBLASLt. No header of CUDA or of the library: plans and .cu files
// include this one. Implemented by host/matmul.cpp, over the functions that host/cublas_lt.cpp finds.
#pragma once

#include <cstdint>

#include "kernels/spec/dtype.h"

namespace graft::kernels::cuda {

/// out[r, c] = x[r, :] * weight[c, :], sums in float32; added to what `out` holds where it accumulates.
struct MatmulArgs {
  DType dtype;         ///< of x and weight: bfloat16 or float16
  const void* x;       ///< [rows, depth], rows one after another
  const void* weight;  ///< [columns, depth], likewise
  int64_t rows, columns, depth;
  float* out;  ///< [rows, columns] with out_stride elements from row to row
  int64_t out_stride;
  bool accumulate;
  void* workspace;  ///< matmul_workspace_bytes on 256 bytes, of this product until the stream has passed it
};

/// What the library is said to want on capability 9.0; less would keep it from splitting the depth of narrow products.
constexpr int64_t matmul_workspace_bytes = int64_t{32} << 20;

/// Whether this process has the library; looked for once. Any thread.
bool has_matmul();

/// The library and what it keeps for the current device; null where either cannot be had. Used by one thread at a time.
/// `out_answer`: where the library is there and does not start, what it said (cublasStatus_t).
void* matmul_handle_new(int32_t* out_answer = nullptr);
void matmul_handle_free(void* handle);

/// Whether the library has an algorithm. The answer is kept, with the algorithm, by shapes, types and alignment: one
/// product is looked up once for all layers that have its like. False for a null handle.
bool matmul_serves(void* handle, const MatmulArgs& args);

/// Puts the product on the stream (cudaStream_t); false: nothing was put there. Allocates where its like was not looked
/// up before.
bool matmul(void* handle, const MatmulArgs& args, void* stream);

}  // namespace graft::kernels::cuda

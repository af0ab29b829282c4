/**
 * A tensor: typed, shaped, contiguous bytes. It never changes, owns its storage by reference, and stays valid until
 * graft_tensor_free, whatever happens to the engine or request it came from. Send and Sync.
 */
#ifndef GRAFT_TENSOR_H
#define GRAFT_TENSOR_H

#include "export.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_tensor graft_tensor;

/** Element types. */
typedef int32_t graft_dtype;

enum {
  GRAFT_DTYPE_FLOAT32 = 1,
  GRAFT_DTYPE_BFLOAT16 = 2,
  GRAFT_DTYPE_FLOAT16 = 3,
  GRAFT_DTYPE_INT8 = 4,
  GRAFT_DTYPE_INT4 = 5, /**< two to a byte, the earlier one in the low half */
  GRAFT_DTYPE_INT32 = 6,
  GRAFT_DTYPE_INT64 = 7,
  GRAFT_DTYPE_UINT8 = 8,
  GRAFT_DTYPE_BOOLEAN = 9, /**< one byte each, 0 or 1 */
  GRAFT_DTYPE_FLOAT64 = 10
};

/** The most dimensions a tensor can have. */
enum { GRAFT_TENSOR_MAX_RANK = 8 };

/**
 * Makes a tensor from bytes, row-major without gaps.
 *
 * shape       `rank` sizes, each at least 0; rank 0 (a scalar) to GRAFT_TENSOR_MAX_RANK.
 * data        copied.
 * data_size   bytes; must be exactly what dtype and shape need.
 * out_tensor  caller owns; release with graft_tensor_free.
 * Thread      any.
 * Status      INVALID_ARGUMENT (dtype, shape, or a size that does not fit them), OUT_OF_MEMORY.   Since ABI 1.
 */
GRAFT_API graft_status graft_tensor_new(graft_dtype dtype, const int64_t* shape, int32_t rank, const void* data,
                                        int64_t data_size, graft_tensor** out_tensor);

/** Element type; 0 for NULL. Thread: any. Since ABI 1. */
GRAFT_API graft_dtype graft_tensor_dtype(const graft_tensor* tensor);

/** Number of dimensions; 0 for NULL. Thread: any. Since ABI 1. */
GRAFT_API int32_t graft_tensor_rank(const graft_tensor* tensor);

/** graft_tensor_rank sizes; borrowed, valid until graft_tensor_free. NULL for NULL. Thread: any. Since ABI 1. */
GRAFT_API const int64_t* graft_tensor_shape(const graft_tensor* tensor);

/** The bytes, in host memory; borrowed, valid until graft_tensor_free. NULL for NULL. Thread: any. Since ABI 1. */
GRAFT_API const void* graft_tensor_data(const graft_tensor* tensor);

/** Number of bytes; 0 for NULL. Thread: any. Since ABI 1. */
GRAFT_API int64_t graft_tensor_byte_size(const graft_tensor* tensor);

/** Where the bytes are: "cpu" in this release. Valid for the life of the process. Thread: any. Since ABI 1. */
GRAFT_API const char* graft_tensor_device(const graft_tensor* tensor);

/**
 * Takes over another library's tensor without copying.
 *
 * managed     a `DLManagedTensor *` (the unversioned structure of DLPack's dlpack.h): CPU memory, row-major without
 *             gaps, at most GRAFT_TENSOR_MAX_RANK dimensions, and a type of graft_dtype other than INT4. On success
 * Graft owns it and calls its deleter once, on whichever thread frees the last reference; on failure the caller still
 *             owns it. Nobody may write to its memory while Graft has it.
 * out_tensor  caller owns; release with graft_tensor_free.
 * Thread      any.
 * Status      UNSUPPORTED (other memory, layout or type), INVALID_ARGUMENT (a damaged description).   Since ABI 1.
 */
GRAFT_API graft_status graft_tensor_from_dlpack(void* managed, graft_tensor** out_tensor);

/**
 * Hands the tensor to another library without copying.
 *
 * out_managed  a `DLManagedTensor *` (as above) that the receiver releases through its own deleter; it keeps the
 *              storage alive, so the graft_tensor may be freed before it. The receiver must not write to the memory.
 * Thread       any.
 * Status       UNSUPPORTED (INT4).   Since ABI 1.
 */
GRAFT_API graft_status graft_tensor_to_dlpack(const graft_tensor* tensor, void** out_managed);

/** Releases the tensor; NULL is fine. Thread: any. Since ABI 1. */
GRAFT_API void graft_tensor_free(graft_tensor* tensor);

#ifdef __cplusplus
}
#endif

#endif

// Thunks of graft/tensor.h.
#include "graft/tensor.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

#include "capi/src/arguments.h"
#include "capi/src/dlpack.h"
#include "capi/src/private.h"

using namespace graft::capi;

namespace {

struct Element {
  graft_dtype dtype;
  int64_t bits;
  uint8_t dlpack_code;
};

constexpr Element elements[] = {
    {GRAFT_DTYPE_FLOAT32, 32, dlpack::code_float}, {GRAFT_DTYPE_BFLOAT16, 16, dlpack::code_bfloat},
    {GRAFT_DTYPE_FLOAT16, 16, dlpack::code_float}, {GRAFT_DTYPE_INT8, 8, dlpack::code_int},
    {GRAFT_DTYPE_INT4, 4, dlpack::code_int},       {GRAFT_DTYPE_INT32, 32, dlpack::code_int},
    {GRAFT_DTYPE_INT64, 64, dlpack::code_int},     {GRAFT_DTYPE_UINT8, 8, dlpack::code_uint},
    {GRAFT_DTYPE_BOOLEAN, 8, dlpack::code_bool},   {GRAFT_DTYPE_FLOAT64, 64, dlpack::code_float},
};

const Element& element_of(graft_dtype dtype) {
  for (const Element& element : elements) {
    if (element.dtype == dtype) return element;
  }
  fail(GRAFT_STATUS_INVALID_ARGUMENT, "dtype: found %" PRId32 ", expected one of GRAFT_DTYPE_*", dtype);
}

// Bytes of a dense tensor; the shape may come from anywhere.
int64_t dense_bytes(const Element& element, const int64_t* shape, int32_t rank) {
  int64_t count = 1;
  bool overflow = false;
  bool empty = false;
  for (int32_t i = 0; i < rank; ++i) {
    if (shape[i] < 0) {
      fail(GRAFT_STATUS_INVALID_ARGUMENT, "shape: found %" PRId64 " at dimension %" PRId32 ", expected 0 or more",
           shape[i], i);
    }
    empty = empty || shape[i] == 0;
    overflow = __builtin_mul_overflow(count, std::max<int64_t>(shape[i], 1), &count) || overflow;
  }
  if (empty) return 0;
  int64_t bits = 0;
  overflow = __builtin_mul_overflow(count, element.bits, &bits) || bits > INT64_MAX - 7 || overflow;
  if (overflow) fail(GRAFT_STATUS_INVALID_ARGUMENT, "shape: more elements than 64 bits can count");
  return (bits + 7) / 8;
}

void set_shape(graft_tensor& tensor, const Element& element, const int64_t* shape, int32_t rank) {
  integer("rank", rank, 0, GRAFT_TENSOR_MAX_RANK);
  array("shape", shape, rank);
  tensor.byte_size = dense_bytes(element, shape, rank);
  tensor.dtype = element.dtype;
  tensor.rank = rank;
  std::copy_n(shape, rank, tensor.shape);
}

// Whether strides describe row-major order without gaps; those of dimensions of size 1 do not matter.
bool is_dense(const dlpack::Tensor& from) {
  if (from.strides == nullptr) return true;
  int64_t expected = 1;
  for (int32_t i = from.rank - 1; i >= 0; --i) {
    if (from.shape[i] == 0) return true;
    if (from.shape[i] != 1 && from.strides[i] != expected) return false;
    if (__builtin_mul_overflow(expected, from.shape[i], &expected)) return false;
  }
  return true;
}

const Element& element_of(const dlpack::DataType& type) {
  for (const Element& element : elements) {
    if (element.bits == type.bits && element.dlpack_code == type.code && type.lanes == 1 && type.bits >= 8)
      return element;
  }
  fail(GRAFT_STATUS_UNSUPPORTED, "managed: found type code %d of %d bits and %d lanes, expected one of GRAFT_DTYPE_*",
       static_cast<int>(type.code), static_cast<int>(type.bits), static_cast<int>(type.lanes));
}

void check_managed(const dlpack::Tensor& from) {
  if (from.device.type != dlpack::device_cpu) {
    fail(GRAFT_STATUS_UNSUPPORTED, "managed: found memory of device type %" PRId32 ", expected CPU memory (1)",
         from.device.type);
  }
  if (from.rank > GRAFT_TENSOR_MAX_RANK) {
    fail(GRAFT_STATUS_UNSUPPORTED, "managed: found %" PRId32 " dimensions, expected at most %d", from.rank,
         static_cast<int>(GRAFT_TENSOR_MAX_RANK));
  }
  integer("managed rank", from.rank, 0);
  array("managed shape", from.shape, from.rank);
  if (!is_dense(from))
    fail(GRAFT_STATUS_UNSUPPORTED, "managed: found strides with gaps, expected row-major without gaps");
}

// What to_dlpack hands out: the structure, and a reference to the storage.
struct Exported {
  dlpack::ManagedTensor managed;
  graft_tensor tensor;
  int64_t strides[GRAFT_TENSOR_MAX_RANK];
};

void delete_exported(dlpack::ManagedTensor* managed) { delete static_cast<Exported*>(managed->context); }

}  // namespace

graft_status graft_tensor_new(graft_dtype dtype, const int64_t* shape, int32_t rank, const void* data,
                              int64_t data_size, graft_tensor** out_tensor) {
  return call([&] {
    graft_tensor*& out = output_handle("out_tensor", out_tensor);
    auto tensor = std::make_unique<graft_tensor>();
    set_shape(*tensor, element_of(dtype), shape, rank);
    array("data", data, data_size);
    if (data_size != tensor->byte_size) {
      fail(GRAFT_STATUS_INVALID_ARGUMENT, "data_size: found %" PRId64 ", expected %" PRId64 " for this dtype and shape",
           data_size, tensor->byte_size);
    }
    const auto size = static_cast<std::size_t>(data_size);
    tensor->storage = std::shared_ptr<void>(::operator new(size), [](void* copy) { ::operator delete(copy); });
    if (size > 0) std::memcpy(tensor->storage.get(), data, size);
    tensor->data = tensor->storage.get();
    out = tensor.release();
    return GRAFT_STATUS_OK;
  });
}

graft_dtype graft_tensor_dtype(const graft_tensor* tensor) { return tensor != nullptr ? tensor->dtype : 0; }

int32_t graft_tensor_rank(const graft_tensor* tensor) { return tensor != nullptr ? tensor->rank : 0; }

const int64_t* graft_tensor_shape(const graft_tensor* tensor) { return tensor != nullptr ? tensor->shape : nullptr; }

const void* graft_tensor_data(const graft_tensor* tensor) { return tensor != nullptr ? tensor->data : nullptr; }

int64_t graft_tensor_byte_size(const graft_tensor* tensor) { return tensor != nullptr ? tensor->byte_size : 0; }

const char* graft_tensor_device(const graft_tensor*) { return "cpu"; }

graft_status graft_tensor_from_dlpack(void* managed, graft_tensor** out_tensor) {
  return call([&] {
    graft_tensor*& out = output_handle("out_tensor", out_tensor);
    auto& source = required("managed", static_cast<dlpack::ManagedTensor*>(managed));
    check_managed(source.tensor);
    auto tensor = std::make_unique<graft_tensor>();
    set_shape(*tensor, element_of(source.tensor.dtype), source.tensor.shape, source.tensor.rank);
    if (source.tensor.data == nullptr && tensor->byte_size > 0) {
      fail(GRAFT_STATUS_INVALID_ARGUMENT, "managed: found NULL data, expected %" PRId64 " bytes", tensor->byte_size);
    }
    if (source.tensor.data != nullptr)
      tensor->data = static_cast<char*>(source.tensor.data) + source.tensor.byte_offset;
    // Memory for the reference comes first, so that the deleter becomes ours only when nothing can fail any more.
    auto owner = std::shared_ptr<dlpack::ManagedTensor*>(new dlpack::ManagedTensor*(nullptr), [](auto** held) {
      if (*held != nullptr && (*held)->deleter != nullptr) (*held)->deleter(*held);
      delete held;
    });
    *owner = &source;
    tensor->storage = std::move(owner);
    out = tensor.release();
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_tensor_to_dlpack(const graft_tensor* tensor, void** out_managed) {
  return call([&] {
    void*& out = output_handle("out_managed", out_managed);
    const graft_tensor& self = required("tensor", tensor);
    const Element& element = element_of(self.dtype);
    if (element.bits < 8) fail(GRAFT_STATUS_UNSUPPORTED, "tensor: found INT4, expected a type of whole bytes");
    auto exported = std::make_unique<Exported>();
    exported->tensor = self;
    int64_t stride = 1;
    for (int32_t i = self.rank - 1; i >= 0; --i) {
      exported->strides[i] = stride;
      stride *= std::max<int64_t>(self.shape[i], 1);
    }
    const dlpack::DataType type = {element.dlpack_code, static_cast<uint8_t>(element.bits), 1};
    exported->managed = {{const_cast<void*>(self.data),
                          {dlpack::device_cpu, 0},
                          self.rank,
                          type,
                          exported->tensor.shape,
                          exported->strides,
                          0},
                         exported.get(),
                         &delete_exported};
    out = &exported.release()->managed;
    return GRAFT_STATUS_OK;
  });
}

void graft_tensor_free(graft_tensor* tensor) { delete tensor; }

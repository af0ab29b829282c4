// Tensors: sizes that nobody checked, copies, and the exchange with other libraries.
#include <graft/graft.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

// DLPack's unversioned structure, as its specification lays it out; written again so that a slip in the library's
// shows.
struct Managed {
  void* data;
  int32_t device_type;
  int32_t device_id;
  int32_t rank;
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
  void* context;
  void (*deleter)(Managed*);
};

TEST(Tensor, CopiesItsData) {
  std::vector<float> data = {1, 2, 3, 4, 5, 6};
  const int64_t shape[] = {2, 3};
  graft_tensor* tensor = nullptr;
  ASSERT_EQ(graft_tensor_new(GRAFT_DTYPE_FLOAT32, shape, 2, data.data(), 24, &tensor), GRAFT_STATUS_OK);
  data.assign(6, 0);
  EXPECT_EQ(graft_tensor_dtype(tensor), GRAFT_DTYPE_FLOAT32);
  EXPECT_EQ(graft_tensor_rank(tensor), 2);
  EXPECT_EQ(graft_tensor_shape(tensor)[1], 3);
  EXPECT_EQ(graft_tensor_byte_size(tensor), 24);
  EXPECT_EQ(static_cast<const float*>(graft_tensor_data(tensor))[5], 6);
  EXPECT_STREQ(graft_tensor_device(tensor), "cpu");
  graft_tensor_free(tensor);
  graft_tensor_free(nullptr);
}

TEST(Tensor, Sizes) {
  graft_tensor* tensor = nullptr;
  const char bytes[8] = {};
  const int64_t five[] = {5};
  EXPECT_EQ(graft_tensor_new(GRAFT_DTYPE_INT4, five, 1, bytes, 3, &tensor), GRAFT_STATUS_OK);
  graft_tensor_free(tensor);
  EXPECT_EQ(graft_tensor_new(GRAFT_DTYPE_FLOAT64, nullptr, 0, bytes, 8, &tensor), GRAFT_STATUS_OK);
  graft_tensor_free(tensor);
  const int64_t empty[] = {0, INT64_MAX, INT64_MAX};
  EXPECT_EQ(graft_tensor_new(GRAFT_DTYPE_FLOAT32, empty, 3, nullptr, 0, &tensor), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_tensor_byte_size(tensor), 0);
  graft_tensor_free(tensor);

  const auto refused = [&](graft_dtype dtype, std::vector<int64_t> shape, int32_t rank, const void* data,
                           int64_t size) {
    tensor = reinterpret_cast<graft_tensor*>(1);
    EXPECT_EQ(graft_tensor_new(dtype, shape.data(), rank, data, size, &tensor), GRAFT_STATUS_INVALID_ARGUMENT);
    EXPECT_EQ(tensor, nullptr);
    return std::string(graft_last_error_message());
  };
  EXPECT_EQ(refused(0, {1}, 1, bytes, 4), "dtype: found 0, expected one of GRAFT_DTYPE_*");
  EXPECT_EQ(refused(GRAFT_DTYPE_FLOAT32, {-1}, 1, bytes, 4), "shape: found -1 at dimension 0, expected 0 or more");
  EXPECT_EQ(refused(GRAFT_DTYPE_FLOAT32, {1}, 9, bytes, 4), "rank: found 9, expected 0 to 8");
  EXPECT_EQ(refused(GRAFT_DTYPE_FLOAT32, {1}, -1, bytes, 4), "rank: found -1, expected 0 to 8");
  EXPECT_EQ(refused(GRAFT_DTYPE_FLOAT32, {2}, 1, bytes, 4), "data_size: found 4, expected 8 for this dtype and shape");
  EXPECT_EQ(refused(GRAFT_DTYPE_FLOAT32, {2}, 1, nullptr, 8), "data: found NULL, expected 8 elements");
  EXPECT_EQ(refused(GRAFT_DTYPE_INT8, {INT64_MAX, 2}, 2, bytes, 4), "shape: more elements than 64 bits can count");
  EXPECT_EQ(refused(GRAFT_DTYPE_FLOAT64, {INT64_MAX / 8}, 1, bytes, 4), "shape: more elements than 64 bits can count");
}

TEST(Tensor, DlpackRoundTrip) {
  const float data[] = {1, 2, 3, 4};
  const int64_t shape[] = {2, 2};
  graft_tensor* first = nullptr;
  ASSERT_EQ(graft_tensor_new(GRAFT_DTYPE_FLOAT32, shape, 2, data, 16, &first), GRAFT_STATUS_OK);
  void* exported = nullptr;
  ASSERT_EQ(graft_tensor_to_dlpack(first, &exported), GRAFT_STATUS_OK);
  const void* bytes = graft_tensor_data(first);
  graft_tensor_free(first);
  auto* managed = static_cast<Managed*>(exported);
  EXPECT_EQ(managed->data, bytes);
  EXPECT_EQ(managed->device_type, 1);
  EXPECT_EQ(managed->rank, 2);
  EXPECT_EQ(managed->code, 2);
  EXPECT_EQ(managed->bits, 32);
  EXPECT_EQ(managed->lanes, 1);
  EXPECT_EQ(managed->shape[1], 2);
  EXPECT_EQ(managed->strides[0], 2);
  graft_tensor* second = nullptr;
  ASSERT_EQ(graft_tensor_from_dlpack(exported, &second), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_tensor_data(second), bytes);
  EXPECT_EQ(std::memcmp(graft_tensor_data(second), data, 16), 0);
  graft_tensor_free(second);  // releases the exported structure and the storage
}

TEST(Tensor, DlpackRefusesAndLeavesOwnership) {
  static int deleted = 0;
  deleted = 0;
  int16_t values[12] = {};
  int64_t shape[] = {2, 3};
  int64_t strides[] = {3, 1};
  Managed managed = {values, 1, 0, 2, 4, 16, 1, shape, strides, 2, nullptr, [](Managed*) { ++deleted; }};
  graft_tensor* tensor = nullptr;
  const auto status_of = [&](auto change) {
    Managed changed = managed;
    change(changed);
    const graft_status status = graft_tensor_from_dlpack(&changed, &tensor);
    EXPECT_EQ(tensor, nullptr);
    return status;
  };
  EXPECT_EQ(status_of([](Managed& m) { m.device_type = 2; }), GRAFT_STATUS_UNSUPPORTED);
  EXPECT_EQ(status_of([](Managed& m) { m.rank = 9; }), GRAFT_STATUS_UNSUPPORTED);
  EXPECT_EQ(status_of([](Managed& m) { m.rank = -1; }), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(status_of([](Managed& m) { m.shape = nullptr; }), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(status_of([](Managed& m) { m.data = nullptr; }), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(status_of([](Managed& m) { m.lanes = 4; }), GRAFT_STATUS_UNSUPPORTED);
  EXPECT_EQ(status_of([](Managed& m) { m.code = 5; }), GRAFT_STATUS_UNSUPPORTED);
  strides[0] = 4;
  EXPECT_EQ(status_of([](Managed&) {}), GRAFT_STATUS_UNSUPPORTED);
  strides[0] = 3;
  EXPECT_EQ(graft_tensor_from_dlpack(nullptr, &tensor), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(deleted, 0);
  ASSERT_EQ(graft_tensor_from_dlpack(&managed, &tensor), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_tensor_dtype(tensor), GRAFT_DTYPE_BFLOAT16);
  EXPECT_EQ(graft_tensor_data(tensor), reinterpret_cast<char*>(values) + 2);
  // An input shares the storage: the deleter waits for the last reference.
  graft_input* input = nullptr;
  ASSERT_EQ(graft_input_new(&input), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_input_set_tensor(input, "pixel_values", -1, tensor), GRAFT_STATUS_OK);
  graft_tensor_free(tensor);
  EXPECT_EQ(deleted, 0);
  graft_input_free(input);
  EXPECT_EQ(deleted, 1);
}

TEST(Tensor, Int4HasNoDlpackForm) {
  const int64_t shape[] = {2};
  graft_tensor* tensor = nullptr;
  ASSERT_EQ(graft_tensor_new(GRAFT_DTYPE_INT4, shape, 1, "\x21", 1, &tensor), GRAFT_STATUS_OK);
  void* exported = tensor;
  EXPECT_EQ(graft_tensor_to_dlpack(tensor, &exported), GRAFT_STATUS_UNSUPPORTED);
  EXPECT_EQ(exported, nullptr);
  graft_tensor_free(tensor);
}

}  // namespace

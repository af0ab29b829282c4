#include "core/checkpoint/safetensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/checkpoint/files.h"

namespace graft {
namespace {

using test::entry;
using test::safetensors;

class SafetensorsTest : public testing::Test {
 protected:
  std::vector<TensorEntry> read(std::string_view bytes, WeightsMode mode = WeightsMode::map) {
    return read_safetensors(MappedFile::open(directory_.write("model.safetensors", bytes), mode));
  }
  test::TemporaryDirectory directory_;
};

TEST_F(SafetensorsTest, TensorsAreViewsSortedByName) {
  const std::string header = "{\"__metadata__\":{\"format\":\"pt\"}," + entry("b.weight", "F32", "[2,1]", "[0,8]") +
                             "," + entry("a.bias", "BF16", "[3]", "[8,14]") + "}";
  const float values[2] = {1.5f, -2.0f};
  std::string data(14, '\0');
  std::memcpy(data.data(), values, 8);
  data[13] = 'z';
  for (const WeightsMode mode : {WeightsMode::map, WeightsMode::read}) {
    const auto tensors = read(safetensors(header, data), mode);
    ASSERT_EQ(tensors.size(), 2u);
    EXPECT_EQ(tensors[0].name, "a.bias");
    EXPECT_EQ(tensors[0].dtype, DType::bfloat16);
    EXPECT_EQ(tensors[0].dtype_name, "BF16");
    EXPECT_EQ(tensors[0].byte_size, 6);
    EXPECT_EQ(static_cast<char>(tensors[0].data[5]), 'z');
    EXPECT_EQ(tensors[1].shape, (std::vector<int64_t>{2, 1}));
    EXPECT_EQ(tensors[1].elements, 2);
    EXPECT_EQ(std::memcmp(tensors[1].data, values, 8), 0);
    const std::byte* begin = tensors[1].file->data();
    EXPECT_EQ(tensors[1].data, begin + 8 + header.size());
    EXPECT_EQ(tensors[1].is_aligned(4), (8 + header.size()) % 4 == 0);
  }
}

TEST_F(SafetensorsTest, EveryElementType) {
  struct Case {
    const char* name;
    DType dtype;
    int bytes_of_eight;
  };
  for (const Case& c :
       {Case{"F32", DType::float32, 32}, Case{"BF16", DType::bfloat16, 16}, Case{"F16", DType::float16, 16},
        Case{"I8", DType::int8, 8},      Case{"U8", DType::uint8, 8},       Case{"BOOL", DType::boolean, 8},
        Case{"I32", DType::int32, 32},   Case{"I64", DType::int64, 64},     Case{"F64", DType::float64, 64},
        Case{"I16", other_dtype, 16},    Case{"U16", other_dtype, 16},      Case{"U32", other_dtype, 32},
        Case{"U64", other_dtype, 64},    Case{"C64", other_dtype, 64},      Case{"F8_E4M3", other_dtype, 8},
        Case{"F8_E5M2", other_dtype, 8}, Case{"F8_E8M0", other_dtype, 8},   Case{"F6_E2M3", other_dtype, 6},
        Case{"F4", other_dtype, 4},      Case{"I4", other_dtype, 4},        Case{"X99", other_dtype, 11}}) {
    const std::string size = std::to_string(c.bytes_of_eight);
    const auto tensors = read(safetensors("{" + entry("w", c.name, "[8]", "[0," + size + "]") + "}",
                                          std::string(static_cast<size_t>(c.bytes_of_eight), 'x')));
    ASSERT_EQ(tensors.size(), 1u) << c.name;
    EXPECT_EQ(tensors[0].dtype, c.dtype) << c.name;
    EXPECT_EQ(tensors[0].dtype_name, c.name);
    EXPECT_EQ(tensors[0].byte_size, c.bytes_of_eight) << c.name;
  }
}

TEST_F(SafetensorsTest, ScalarsEmptyTensorsAndEmptyFiles) {
  const auto tensors =
      read(safetensors("{" + entry("a", "F32", "[]", "[0,4]") + "," + entry("b", "F32", "[0,5]", "[4,4]") + "," +
                           entry("c", "I8", "[1,1]", "[4,5]") + "," + entry("d", "I8", "[0]", "[0,0]") + "}",
                       "12345"));
  ASSERT_EQ(tensors.size(), 4u);
  EXPECT_TRUE(tensors[0].shape.empty());
  EXPECT_EQ(tensors[0].elements, 1);
  EXPECT_EQ(tensors[1].elements, 0);
  EXPECT_EQ(tensors[1].byte_size, 0);
  EXPECT_EQ(static_cast<char>(*tensors[2].data), '5');
  EXPECT_TRUE(read(safetensors("{}")).empty());
  EXPECT_TRUE(read(safetensors("{}      ")).empty());
}

TEST_F(SafetensorsTest, MetadataAndUnknownKeysAreSkipped) {
  const auto tensors = read(safetensors(R"({"a":{"note":[1,{"shape":[9]},"x"],"dtype":"U8","extra":null,)"
                                        R"("shape":[1],"more":{"dtype":1},"data_offsets":[0,1]},)"
                                        R"("__metadata__":{"a":{"b":[1,[2],{"c":1.5}]},"dtype":true},)"
                                        R"("b":{"data_offsets":[1,2],"shape":[1],"dtype":"U8","z":7}})",
                                        "ab"));
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].name, "a");
  EXPECT_EQ(tensors[1].name, "b");
  EXPECT_EQ(static_cast<char>(*tensors[1].data), 'b');
}

TEST_F(SafetensorsTest, NamesAreUtf8AndMayBeEscaped) {
  const auto tensors = read(safetensors("{" + entry("caf\xC3\xA9\\u00e9", "U8", "[1]", "[0,1]") + "}", "a"));
  ASSERT_EQ(tensors.size(), 1u);
  EXPECT_EQ(tensors[0].name, "caf\xC3\xA9\xC3\xA9");
}

TEST_F(SafetensorsTest, EntriesKeepTheFile) {
  TensorEntry kept = read(safetensors("{" + entry("a", "U8", "[1]", "[0,1]") + "}", "q"))[0];
  std::filesystem::remove(directory_.path("model.safetensors"));
  EXPECT_EQ(static_cast<char>(*kept.data), 'q');
}

TEST_F(SafetensorsTest, ManyTensors) {
  std::string header = "{";
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) {
    header += (i == 0 ? "" : ",") + entry("layers." + std::to_string(i), "U8", "[1]",
                                          "[" + std::to_string(count - 1 - i) + "," + std::to_string(count - i) + "]");
  }
  const auto tensors = read(safetensors(header + "}", std::string(count, 'x')));
  ASSERT_EQ(tensors.size(), static_cast<size_t>(count));
  EXPECT_TRUE(
      std::is_sorted(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; }));
}

}  // namespace
}  // namespace graft

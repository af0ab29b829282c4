// Files that must be refused: each case states the code and the words that name its culprit.
#include <gtest/gtest.h>

#include <vector>

#include "core/checkpoint/safetensors.h"
#include "tests/checkpoint/files.h"

namespace graft {
namespace {

using test::entry;
using test::length_bytes;
using test::safetensors;

constexpr StatusCode corrupt = StatusCode::corrupt_data;
constexpr StatusCode limit = StatusCode::limit_exceeded;

struct Case {
  const char* name;
  std::string bytes;
  StatusCode code;
  std::vector<std::string> texts;
};

/// A file of one tensor `w`, given as the JSON of its entry.
std::string one(const std::string& value, const std::string& data = "1234") {
  return safetensors("{\"w\":" + value + "}", data);
}

std::string tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

std::string two(const std::string& first, const std::string& second, const std::string& data) {
  return safetensors("{" + entry("first", "U8", "[4]", first) + "," + entry("second", "U8", "[4]", second) + "}", data);
}

std::vector<Case> frame_cases() {
  const std::string good = one(tensor("\"U8\"", "[4]", "[0,4]"));
  return {
      {"no_length", "1234567", corrupt, {"7 bytes", "at least 8"}},
      {"one_byte", "x", corrupt, {"1 bytes"}},
      {"length_only", length_bytes(0), corrupt, {"header begins with ''"}},
      {"length_2_63", length_bytes(uint64_t{1} << 63) + "{}", corrupt, {"9223372036854775808", "at most 2"}},
      {"length_max", length_bytes(~uint64_t{0}) + "{}", corrupt, {"18446744073709551615"}},
      {"length_past_end", length_bytes(3) + "{}", corrupt, {"length is 3", "at most 2"}},
      {"truncated_in_header", good.substr(0, 20), corrupt, {"header length"}},
      {"truncated_in_data", good.substr(0, good.size() - 1), corrupt, {"'w'", "[0, 4]", "at most 3", "truncated"}},
      {"trailing_data", good + "x", corrupt, {"1 bytes after the last tensor 'w'"}},
      {"data_without_tensors", safetensors("{}", "x"), corrupt, {"1 bytes after the start"}},
      {"pickle", "PK\x03\x04" + std::string(4, '\0') + std::string(100, 'x'), corrupt, {"header length"}},
      {"not_json", safetensors("hello"), corrupt, {"begins with 'h'"}},
      {"array_header", safetensors("[]"), corrupt, {"begins with '['"}},
      {"leading_space", safetensors(" {}"), corrupt, {"begins with ' '"}},
      {"byte_order_mark", safetensors("\xEF\xBB\xBF{}"), corrupt, {"begins with '\\xEF'"}},
      {"header_cut", safetensors("{\"w\":{\"dtype\":\"U8\""), corrupt, {"'w'", "not valid JSON"}},
      {"header_garbage_after", safetensors("{}x"), corrupt, {"not valid JSON"}},
      {"header_nul_padding", safetensors(std::string("{}\0\0", 4)), corrupt, {"not valid JSON", "NUL byte at 2"}},
      {"trailing_comma", safetensors("{" + entry("w", "U8", "[1]", "[0,1]") + ",}", "x"), corrupt, {"not valid JSON"}},
      {"utf8_name", safetensors("{\"w\xFFq\":1}"), corrupt, {"not valid JSON", "\\xFF"}},
      {"surrogate_name", safetensors(R"({"w\ud800q":1})"), corrupt, {"not valid JSON", "ud800"}},
      {"deep_metadata", safetensors("{\"__metadata__\":" + std::string(100'000, '[')), limit, {"64 levels"}},
      {"deep_objects",
       [] {
         std::string header = "{\"__metadata__\":";
         for (int i = 0; i < 100'000; ++i) header += "{\"a\":";
         return safetensors(header);
       }(),
       limit,
       {"64 levels"}},
      {"metadata_twice",
       safetensors(R"({"__metadata__":{},"__metadata__":{}})"),
       corrupt,
       {"'__metadata__' is given twice"}},
  };
}

std::vector<Case> entry_cases() {
  const std::string u8 = "\"U8\"";
  return {
      {"entry_null", one("null"), corrupt, {"'w'", "is null", "an object"}},
      {"entry_number", one("5"), corrupt, {"'w'", "is 5"}},
      {"entry_array", one("[]"), corrupt, {"'w'", "an array"}},
      {"entry_empty", one("{}"), corrupt, {"'w'", "'dtype' is missing"}},
      {"no_shape", one(R"({"dtype":"U8","data_offsets":[0,4]})"), corrupt, {"'w'", "'shape' is missing"}},
      {"no_offsets", one(R"({"dtype":"U8","shape":[4]})"), corrupt, {"'w'", "'data_offsets' is missing"}},
      {"dtype_number", one(tensor("1", "[4]", "[0,4]")), corrupt, {"'w'", "'dtype' is 1", "a string"}},
      {"dtype_null", one(tensor("null", "[4]", "[0,4]")), corrupt, {"'w'", "'dtype' is null"}},
      {"dtype_array", one(tensor("[]", "[4]", "[0,4]")), corrupt, {"'w'", "'dtype' is an array"}},
      {"dtype_empty", one(tensor("\"\"", "[4]", "[0,4]")), corrupt, {"'w'", "'dtype' is ''"}},
      {"dtype_long",
       one(tensor("\"" + std::string(1000, 'F') + "\"", "[4]", "[0,4]")),
       corrupt,
       {"'w'", "'dtype' is 'FFFF"}},
      {"dtype_twice",
       one(R"({"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]})"),
       corrupt,
       {"'w'", "'dtype' is given twice"}},
      {"shape_string", one(tensor(u8, "\"4\"", "[0,4]")), corrupt, {"'w'", "'shape' is '4'", "an array"}},
      {"shape_number", one(tensor(u8, "4", "[0,4]")), corrupt, {"'w'", "'shape' is 4"}},
      {"shape_object", one(tensor(u8, "{}", "[0,4]")), corrupt, {"'w'", "'shape' is an object"}},
      {"shape_negative", one(tensor(u8, "[2,-2]", "[0,4]")), corrupt, {"'w'", "'shape' holds -2 at index 1"}},
      {"shape_float", one(tensor(u8, "[4.0]", "[0,4]")), corrupt, {"'w'", "'shape' holds 4.0 at index 0"}},
      {"shape_exponent", one(tensor(u8, "[4e0]", "[0,4]")), corrupt, {"'w'", "'shape' holds 4e0"}},
      {"shape_of_strings", one(tensor(u8, "[\"4\"]", "[0,4]")), corrupt, {"'w'", "'shape' holds '4'"}},
      {"shape_of_bools", one(tensor(u8, "[true]", "[0,4]")), corrupt, {"'w'", "'shape' holds true"}},
      {"shape_nested", one(tensor(u8, "[[4]]", "[0,4]")), corrupt, {"'w'", "'shape' holds an array"}},
      {"shape_2_63",
       one(tensor(u8, "[9223372036854775808]", "[0,4]")),
       corrupt,
       {"'w'", "'shape' holds 9223372036854775808"}},
      {"shape_2_64",
       one(tensor(u8, "[18446744073709551616]", "[0,4]")),
       corrupt,
       {"'w'", "'shape' holds 18446744073709551616"}},
      {"shape_product_overflow",
       one(tensor(u8, "[4294967296,4294967296]", "[0,4]")),
       corrupt,
       {"'w'", "[4294967296, 4294967296]", "does not fit"}},
      {"shape_product_wraps_to_4",
       one(tensor(u8, "[4611686018427387905,4]", "[0,4]")),
       corrupt,
       {"'w'", "does not fit"}},
      {"shape_bytes_overflow",
       one(tensor("\"F64\"", "[2305843009213693952]", "[0,4]")),
       corrupt,
       {"'w'", "size in bits", "does not fit"}},
      {"shape_overflow_behind_zero",
       one(tensor(u8, "[0,4611686018427387904,4]", "[0,0]"), ""),
       corrupt,
       {"'w'", "does not fit"}},
      {"shape_too_many",
       one(tensor(
               u8,
               "[1" +
                   [] {
                     std::string more;
                     for (int i = 0; i < 64; ++i) more += ",1";
                     return more;
                   }() +
                   "]",
               "[0,1]"),
           "1"),
       limit,
       {"'w'", "more than 64 dimensions"}},
      {"shape_twice",
       one(R"({"dtype":"U8","shape":[4],"shape":[4],"data_offsets":[0,4]})"),
       corrupt,
       {"'w'", "'shape' is given twice"}},
      {"product_too_large",
       one(tensor(u8, "[5]", "[0,4]")),
       corrupt,
       {"'w'", "span 4 bytes", "expected 5", "[5] of U8"}},
      {"product_too_small", one(tensor(u8, "[3]", "[0,4]")), corrupt, {"'w'", "span 4 bytes", "expected 3"}},
      {"product_of_wide_type",
       one(tensor("\"BF16\"", "[4]", "[0,4]")),
       corrupt,
       {"'w'", "span 4 bytes", "expected 8", "BF16"}},
      {"product_of_other_type", one(tensor("\"F8_E4M3\"", "[3]", "[0,4]")), corrupt, {"'w'", "expected 3", "F8_E4M3"}},
      {"half_bytes", one(tensor("\"F4\"", "[7]", "[0,4]")), corrupt, {"'w'", "F4"}},
      {"offsets_reversed", one(tensor(u8, "[4]", "[4,0]")), corrupt, {"'w'", "[4, 0]", "begin <= end"}},
      {"offsets_outside", one(tensor(u8, "[5]", "[0,5]")), corrupt, {"'w'", "[0, 5]", "at most 4"}},
      {"offsets_begin_outside", one(tensor(u8, "[0]", "[9,9]")), corrupt, {"'w'", "[9, 9]", "at most 4"}},
      {"offsets_huge",
       one(tensor(u8, "[4]", "[9223372036854775803,9223372036854775807]")),
       corrupt,
       {"'w'", "9223372036854775807", "at most 4"}},
      {"offsets_2_63",
       one(tensor(u8, "[4]", "[0,9223372036854775808]")),
       corrupt,
       {"'w'", "'data_offsets' holds 9223372036854775808"}},
      {"offsets_negative", one(tensor(u8, "[4]", "[-4,0]")), corrupt, {"'w'", "'data_offsets' holds -4"}},
      {"offsets_float", one(tensor(u8, "[4]", "[0,4.5]")), corrupt, {"'w'", "'data_offsets' holds 4.5"}},
      {"offsets_none", one(tensor(u8, "[4]", "[]")), corrupt, {"'w'", "'data_offsets' holds 0 numbers"}},
      {"offsets_one", one(tensor(u8, "[4]", "[4]")), corrupt, {"'w'", "'data_offsets' holds 1 numbers"}},
      {"offsets_three", one(tensor(u8, "[4]", "[0,4,4]")), corrupt, {"'w'", "'data_offsets' holds more than 2"}},
      {"offsets_null", one(tensor(u8, "[4]", "null")), corrupt, {"'w'", "'data_offsets' is null"}},
      {"offsets_twice",
       one(R"({"dtype":"U8","shape":[4],"data_offsets":[0,4],"data_offsets":[0,4]})"),
       corrupt,
       {"'w'", "'data_offsets' is given twice"}},
  };
}

std::vector<Case> tiling_cases() {
  return {
      {"overlap",
       two("[0,4]", "[3,7]", "1234567"),
       corrupt,
       {"'second'", "begins at 3", "expected 4", "'first'", "overlap"}},
      {"same_range", two("[0,4]", "[0,4]", "1234"), corrupt, {"'second'", "overlap", "'first'"}},
      {"hole", two("[0,4]", "[5,9]", "123456789"), corrupt, {"'second'", "begins at 5", "expected 4", "hole"}},
      {"hole_at_start", one(tensor("\"U8\"", "[3]", "[1,4]")), corrupt, {"'w'", "begins at 1", "expected 0", "hole"}},
      {"name_twice",
       safetensors("{" + entry("same", "U8", "[1]", "[0,1]") + "," + entry("same", "U8", "[1]", "[1,2]") + "}", "ab"),
       corrupt,
       {"'same' is given twice"}},
      {"name_twice_escaped",
       safetensors("{" + entry("same", "U8", "[1]", "[0,1]") + "," + entry("s\\u0061me", "U8", "[1]", "[1,2]") + "}",
                   "ab"),
       corrupt,
       {"'same' is given twice"}},
      {"control_in_name",
       safetensors("{" + entry("a\\u001b[2J", "U8", "[2]", "[0,1]") + "}", "a"),
       corrupt,
       {"'a\\x1B[2J'"}},
  };
}

void check(const std::vector<Case>& cases) {
  test::TemporaryDirectory directory;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::string file = std::string(c.name) + ".safetensors";
    const std::string path = directory.write(file, c.bytes);
    std::vector<std::string_view> texts(c.texts.begin(), c.texts.end());
    texts.push_back(file);
    test::expect_error([&] { read_safetensors(MappedFile::open(path, WeightsMode::map)); }, c.code, texts);
  }
}

TEST(SafetensorsBrokenTest, Frame) { check(frame_cases()); }
TEST(SafetensorsBrokenTest, Entries) { check(entry_cases()); }
TEST(SafetensorsBrokenTest, Tiling) { check(tiling_cases()); }

TEST(SafetensorsBrokenTest, HeaderOverTheLimit) {
  test::TemporaryDirectory directory;
  const std::string path = directory.write("long.safetensors", length_bytes(safetensors_header_limit + 1) + "{");
  std::filesystem::resize_file(path, safetensors_header_limit + 9);
  test::expect_error([&] { read_safetensors(MappedFile::open(path, WeightsMode::map)); }, limit,
                     {"long.safetensors", "100000001", "at most 100000000"});
}

/// Whatever the damage: an answer or an Error, never anything else. Deterministic, so that a failure can be repeated.
TEST(SafetensorsBrokenTest, EveryTruncationAndByteFlip) {
  test::TemporaryDirectory directory;
  const std::string good = two("[0,4]", "[4,8]", "12345678");
  const auto read = [&](const std::string& bytes) {
    try {
      const auto tensors =
          read_safetensors(MappedFile::open(directory.write("m.safetensors", bytes), WeightsMode::read));
      for (const TensorEntry& entry : tensors) {
        const std::byte* begin = entry.file->data();
        EXPECT_TRUE(entry.data >= begin && entry.data + entry.byte_size <= begin + entry.file->size());
      }
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  ASSERT_TRUE(read(good));
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(read(good.substr(0, size))) << size;
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int flip : {0x01, 0x10, 0x80, 0xFF}) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      read(bytes);
    }
  }
}

}  // namespace
}  // namespace graft

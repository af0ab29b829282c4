#include "core/checkpoint/json.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/checkpoint/files.h"

namespace graft {
namespace {

using test::expect_error;
constexpr StatusCode corrupt = StatusCode::corrupt_data;

JsonObject config(std::string_view text) { return parse_json_object(text, "config.json"); }

TEST(JsonTest, GettersFindValues) {
  const JsonObject object = config(R"({"layers": 32, "eps": 1e-6, "theta": 10000, "tie": true, "act": "silu",
                                      "width": 64.0,
                                      "rope": {"type": "yarn", "factor": 2.5},
                                      "kinds": ["full", "sliding"], "eos": [1, 2]})");
  EXPECT_EQ(object.get_int("layers", 1), 32);
  EXPECT_EQ(object.require_int("layers", {1, 10000}), 32);
  EXPECT_EQ(object.get_int("width", 0), 64);
  EXPECT_DOUBLE_EQ(object.get_number("eps", 0), 1e-6);
  EXPECT_DOUBLE_EQ(object.require_number("theta"), 10000.0);
  EXPECT_TRUE(object.get_bool("tie", false));
  EXPECT_EQ(object.get_string("act", ""), "silu");
  EXPECT_EQ(object.get_object("rope").require_string("type"), "yarn");
  EXPECT_DOUBLE_EQ(object.require_object("rope").require_number("factor"), 2.5);
  EXPECT_EQ(object.get_array("kinds").strings(), (std::vector<std::string>{"full", "sliding"}));
  EXPECT_EQ(object.require_array("kinds").size(), 2);
  EXPECT_EQ(object.get_int_or_ints("eos"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(object.get_int_or_ints("layers"), (std::vector<int64_t>{32}));
  EXPECT_EQ(object.size(), 9);
  EXPECT_EQ(object.keys().front(), "act");
  EXPECT_EQ(object.at("rope").text(), R"({"factor":2.5,"type":"yarn"})");
}

TEST(JsonTest, NullAndMissingCountAsAbsent) {
  const JsonObject object = config(R"({"window": null})");
  for (const char* key : {"window", "none"}) {
    EXPECT_FALSE(object.has(key));
    EXPECT_EQ(object.at(key).kind(), JsonKind::absent);
    EXPECT_EQ(object.get_int(key, 7), 7);
    EXPECT_DOUBLE_EQ(object.get_number(key, 0.5), 0.5);
    EXPECT_TRUE(object.get_bool(key, true));
    EXPECT_EQ(object.get_string(key, "x"), "x");
    EXPECT_EQ(object.get_object(key).size(), 0);
    EXPECT_EQ(object.get_array(key).size(), 0);
    EXPECT_TRUE(object.get_int_or_ints(key).empty());
    expect_error([&] { object.require_int(key); }, corrupt, {"config.json", key, "missing", "an integer"});
    expect_error([&] { object.require_object(key); }, corrupt, {"config.json", key, "missing", "an object"});
  }
  EXPECT_EQ(JsonObject().get_int("anything", 3), 3);
  expect_error([&] { JsonObject().require_string("anything"); }, corrupt, {"anything", "missing", "a string"});
}

TEST(JsonTest, PlacesOutliveTheirDocument) {
  JsonObject rope;
  { rope = config(R"({"rope": {"type": "default"}})").get_object("rope"); }
  EXPECT_EQ(rope.get_string("type", ""), "default");
}

TEST(JsonTest, ErrorsNameFilePathValueAndExpectation) {
  const JsonObject object = config(R"({"num_hidden_layers": "two", "heads": 0, "rope": {"factor": [1], "dims": [8, -1]},
      "big": 18446744073709551615, "half": 1.5, "flag": 1, "list": [1, "x"], "huge": 1e300})");
  try {
    object.require_int("num_hidden_layers", {1, 10000});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "config.json: 'num_hidden_layers' is \"two\", expected an integer from 1 to 10000");
  }
  expect_error([&] { object.get_int("heads", 1, {1}); }, corrupt, {"'heads' is 0", "at least 1"});
  expect_error([&] { object.get_object("rope").get_number("factor", 1); }, corrupt,
               {"'rope.factor' is [1]", "a finite number"});
  expect_error(
      [&] {
        object.get_object("rope").get_array("dims").ints({1, 99});
      },
      corrupt, {"'rope.dims[1]' is -1", "from 1 to 99"});
  expect_error([&] { object.get_int("big", 0); }, corrupt, {"'big' is 18446744073709551615", "an integer"});
  expect_error([&] { object.get_int("half", 0); }, corrupt, {"'half' is 1.5", "an integer"});
  expect_error([&] { object.get_int("huge", 0); }, corrupt, {"'huge' is 1e+300", "an integer"});
  expect_error([&] { object.get_int("flag", 0, {2, 3}); }, corrupt, {"'flag' is 1", "from 2 to 3"});
  expect_error([&] { object.get_bool("flag", false); }, corrupt, {"'flag' is 1", "true or false"});
  expect_error([&] { object.get_string("flag", ""); }, corrupt, {"'flag' is 1", "a string"});
  expect_error([&] { object.get_array("flag"); }, corrupt, {"'flag' is 1", "an array"});
  expect_error([&] { object.get_object("flag"); }, corrupt, {"'flag' is 1", "an object"});
  expect_error([&] { object.get_array("list").strings(); }, corrupt, {"'list[0]' is 1", "a string"});
  expect_error([&] { object.get_array("list").numbers(); }, corrupt, {"'list[1]' is \"x\"", "number"});
  expect_error([&] { object.get_array("list").at(2).as_int(); }, corrupt, {"'list[2]' is missing"});
  expect_error([&] { object.get_number("half", 0, {2.0, 4.0}); }, corrupt, {"'half' is 1.5", "from 2 to 4"});
  expect_error([&] { object.get_int_or_ints("list"); }, corrupt, {"'list[1]' is \"x\""});
}

TEST(JsonTest, LongAndUnprintableValuesAreShownSafely) {
  const JsonObject object = config(R"({"a": ")" + std::string(5000, 'x') + R"(", "b\u001b": 1})");
  try {
    object.require_int("a");
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 300u);
  }
  expect_error([&] { object.require_string("b\x1B"); }, corrupt, {"'b\\x1B' is 1"});
}

TEST(JsonTest, UnknownKeysAreNamed) {
  const JsonObject object = config(R"({"mp": {"tp_sise": 2}})");
  object.expect_only({"mp"});
  expect_error(
      [&] {
        object.get_object("mp").expect_only({"tp_size", "mpu"});
      },
      corrupt, {"unknown key 'mp.tp_sise'", "tp_size, mpu"});
  EXPECT_NO_THROW(JsonObject().expect_only({}));
}

TEST(JsonTest, NumbersThatPythonWrites) {
  const JsonObject object = config(
      R"({"limit": [0.0, Infinity], "low": -Infinity, "bad": NaN, "new": {"__float__": "Infinity"},
          "text": "NaN \" Infinity"})");
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(object.get_array("limit").numbers({0, infinity}), (std::vector<double>{0, infinity}));
  EXPECT_EQ(object.get_number("low", 0, {-infinity, 0}), -infinity);
  EXPECT_EQ(object.get_number("new", 0, {0, infinity}), infinity);
  EXPECT_EQ(object.get_string("text", ""), "NaN \" Infinity");
  expect_error([&] { object.get_number("bad", 0, {-infinity, infinity}); }, corrupt, {"'bad' is NaN"});
  expect_error([&] { object.get_array("limit").numbers(); }, corrupt, {"'limit[1]' is Infinity", "a finite number"});
  expect_error([&] { object.get_int("low", 0); }, corrupt, {"'low' is -Infinity", "an integer"});
  JsonOptions strict;
  strict.python_numbers = false;
  expect_error([&] { parse_json("[NaN]", "s.json", strict); }, corrupt, {"s.json", "not valid JSON"});
}

TEST(JsonTest, MalformedTextNamesTheSource) {
  for (const char* text : {"", " ", "{", "{\"a\":}", "{\"a\":1,}", "[1 2]", "{\"a\" 1}", "nul", "{} x", "\"\xFF\"",
                           "{\"\\ud800\":1}", "1e999", "[1]]", "'a'", "{NaN:1}", "-NaN", "NaNx", "\"\n\"", "\x01"}) {
    expect_error([&] { parse_json(text, "bad.json"); }, corrupt, {"bad.json", "not valid JSON"});
  }
  // The parser alone would stop at the NUL and call this an empty object.
  expect_error([&] { parse_json(std::string_view("{}\0x", 4), "bad.json"); }, corrupt, {"bad.json", "NUL byte at 2"});
  expect_error([&] { config("[1, 2]"); }, corrupt, {"config.json", "[1,2]", "an object"});
  expect_error([&] { config("null"); }, corrupt, {"config.json", "null", "an object"});
}

TEST(JsonTest, DepthIsLimitedWithoutRecursion) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_NO_THROW(parse_json(nested(64), "deep.json"));
  expect_error([&] { parse_json(nested(65), "deep.json"); }, StatusCode::limit_exceeded, {"deep.json", "64 levels"});
  expect_error([&] { parse_json(nested(100'000), "deep.json"); }, StatusCode::limit_exceeded, {"deep.json"});
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  expect_error([&] { parse_json(objects, "deep.json"); }, StatusCode::limit_exceeded, {"deep.json", "64 levels"});
}

TEST(JsonTest, SizeAndCountAreLimited) {
  JsonOptions options;
  options.max_bytes = 10;
  EXPECT_NO_THROW(parse_json("[1,2,3,45]", "a.json", options));
  expect_error([&] { parse_json("[1,2,3,456]", "a.json", options); }, StatusCode::limit_exceeded,
               {"a.json", "11 bytes", "at most 10"});
  options = {};
  options.max_values = 3;
  EXPECT_NO_THROW(parse_json("[1,2]", "a.json", options));
  expect_error([&] { parse_json("[1,2,3]", "a.json", options); }, StatusCode::limit_exceeded,
               {"a.json", "more than 3"});
  expect_error([&] { parse_json("[NaN,NaN,NaN,NaN]", "a.json", options); }, StatusCode::limit_exceeded,
               {"a.json", "more than 3"});
}

TEST(JsonTest, DuplicateKeys) {
  EXPECT_EQ(config(R"({"a": 1, "a": 2})").get_int("a", 0), 2);
  JsonOptions options;
  options.unique_keys = true;
  expect_error([&] { parse_json(R"({"x": {"a": 1, "a": 2}})", "dup.json", options); }, corrupt,
               {"dup.json", "'a' is given twice"});
}

TEST(JsonTest, ErrorCodeIsTheCallersChoice) {
  JsonOptions options;
  options.error = StatusCode::invalid_argument;
  expect_error([&] { parse_json("{", "options", options); }, StatusCode::invalid_argument, {"options"});
  const JsonObject object = parse_json_object(R"({"a": "b"})", "options", options);
  expect_error([&] { object.require_int("a"); }, StatusCode::invalid_argument, {"options: 'a' is \"b\""});
  expect_error([&] { object.expect_only({"b"}); }, StatusCode::invalid_argument, {"'a'"});
}

TEST(JsonTest, Files) {
  test::TemporaryDirectory directory;
  EXPECT_EQ(read_json_object(directory.write("config.json", R"({"a": 5})")).get_int("a", 0), 5);
  expect_error([&] { read_json_object(directory.path("none.json")); }, StatusCode::not_found, {"none.json"});
  expect_error([&] { read_json_object(directory.path()); }, StatusCode::io_error, {"directory"});
  expect_error([&] { read_json_object(directory.write("empty.json", "")); }, corrupt, {"empty.json", "empty"});
  JsonOptions options;
  options.max_bytes = 3;
  expect_error([&] { read_json_object(directory.path("config.json"), options); }, StatusCode::limit_exceeded,
               {"config.json", "at most 3"});
}

}  // namespace
}  // namespace graft

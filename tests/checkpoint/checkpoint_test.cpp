#include "core/checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include "core/checkpoint/format.h"
#include "tests/checkpoint/files.h"

namespace graft {
namespace {

using test::entry;
using test::expect_error;
using test::safetensors;

std::string file_of(const std::string& name, char fill = 'x') {
  return safetensors("{" + entry(name, "F32", "[2,3]", "[0,24]") + "}", std::string(24, fill));
}

std::string index_of(const std::string& weight_map) {
  return "{\"metadata\":{\"total_size\":48},\"weight_map\":" + weight_map + "}";
}

class CheckpointTest : public testing::Test {
 protected:
  Checkpoint open(WeightsMode mode = WeightsMode::map) { return Checkpoint::open(directory_.path(), mode); }
  void expect_open_error(StatusCode code, std::initializer_list<std::string_view> texts) {
    for (const WeightsMode mode : {WeightsMode::map, WeightsMode::read}) expect_error([&] { open(mode); }, code, texts);
  }
  void write_two_shards() {
    directory_.write("model-00001-of-00002.safetensors", file_of("b", '1'));
    directory_.write("model-00002-of-00002.safetensors", file_of("a", '2'));
  }
  void write_index(const std::string& weight_map) {
    directory_.write("model.safetensors.index.json", index_of(weight_map));
  }
  test::TemporaryDirectory directory_;
};

TEST_F(CheckpointTest, SingleFile) {
  directory_.write("model.safetensors", file_of("w"));
  directory_.write("config.json", R"({"model_type": "llama"})");
  directory_.write("generation_config.json", R"({"eos_token_id": [1, 2]})");
  for (const WeightsMode mode : {WeightsMode::map, WeightsMode::read}) {
    const Checkpoint checkpoint = open(mode);
    EXPECT_EQ(checkpoint.names(), std::vector<std::string>{"w"});
    EXPECT_EQ(checkpoint.total_bytes(), 24);
    EXPECT_EQ(checkpoint.mode(), mode);
    EXPECT_EQ(checkpoint.path(), directory_.path());
    EXPECT_EQ(checkpoint.config().require_string("model_type"), "llama");
    EXPECT_EQ(checkpoint.generation_config().get_int_or_ints("eos_token_id").size(), 2u);
    EXPECT_EQ(checkpoint.require("w", {2, 3}).byte_size, 24);
    EXPECT_EQ(checkpoint.find("v"), nullptr);
    EXPECT_TRUE(checkpoint.contains("w"));
  }
}

TEST_F(CheckpointTest, Shards) {
  write_two_shards();
  write_index(R"({"a":"model-00002-of-00002.safetensors","b":"model-00001-of-00002.safetensors"})");
  const Checkpoint checkpoint = open();
  EXPECT_EQ(checkpoint.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(checkpoint.total_bytes(), 48);
  EXPECT_EQ(static_cast<char>(*checkpoint.require("a").data), '2');
  EXPECT_EQ(static_cast<char>(*checkpoint.require("b").data), '1');
  EXPECT_EQ(checkpoint.find("b")->file->path(), directory_.path("model-00001-of-00002.safetensors"));
}

TEST_F(CheckpointTest, ShardsBehindLinksAsInADownloadCache) {
  test::TemporaryDirectory blobs;
  std::filesystem::create_symlink(blobs.write("blob", file_of("a")), directory_.path("shard.safetensors"));
  write_index(R"({"a":"shard.safetensors"})");
  EXPECT_TRUE(open().contains("a"));
}

TEST_F(CheckpointTest, OneFileOfAnyName) {
  directory_.write("weights.safetensors", file_of("w"));
  directory_.write("training_args.bin", "pickle");
  EXPECT_TRUE(open().contains("w"));
}

TEST_F(CheckpointTest, WholeFileIsPreferredToIndexAndOthers) {
  directory_.write("model.safetensors", file_of("whole"));
  directory_.write("consolidated.safetensors", file_of("other"));
  write_index(R"({"a":"missing.safetensors"})");
  EXPECT_EQ(open().names(), std::vector<std::string>{"whole"});
}

TEST_F(CheckpointTest, RequireNamesFileTensorFoundAndExpected) {
  directory_.write("model.safetensors", file_of("w"));
  const Checkpoint checkpoint = open();
  EXPECT_NO_THROW(checkpoint.require("w", {-1, 3}));
  EXPECT_NO_THROW(checkpoint.require("w", std::vector<int64_t>{2, -1}));
  expect_error(
      [&] {
        checkpoint.require("w", {3, 2});
      },
      StatusCode::corrupt_data, {"model.safetensors", "'w'", "[2, 3]", "expected [3, 2]"});
  expect_error([&] { checkpoint.require("w", {6}); }, StatusCode::corrupt_data, {"'w'", "expected [6]"});
  expect_error([&] { checkpoint.require("w", {2, 3, -1}); }, StatusCode::corrupt_data, {"'w'"});
  expect_error([&] { checkpoint.require("w", {-2, 3}); }, StatusCode::corrupt_data, {"'w'"});
  expect_error([&] { checkpoint.require("lm_head.weight", {1}); }, StatusCode::not_found,
               {directory_.path(), "'lm_head.weight' is missing"});
}

TEST_F(CheckpointTest, OtherElementTypesFailOnlyWhenAskedFor) {
  directory_.write("model.safetensors", safetensors("{" + entry("good", "U8", "[1]", "[0,1]") + "," +
                                                        entry("odd", "F8_E4M3", "[1]", "[1,2]") + "}",
                                                    "ab"));
  const Checkpoint checkpoint = open();
  EXPECT_EQ(checkpoint.tensors().size(), 2u);
  EXPECT_TRUE(checkpoint.contains("odd"));
  EXPECT_NE(checkpoint.find("good"), nullptr);
  for (const auto& ask : {+[](const Checkpoint& c) { c.find("odd"); }, +[](const Checkpoint& c) { c.require("odd"); },
                          +[](const Checkpoint& c) { c.require("odd", {1}); }}) {
    expect_error([&] { ask(checkpoint); }, StatusCode::unsupported, {"model.safetensors", "'odd'", "'F8_E4M3'"});
  }
}

TEST_F(CheckpointTest, EntriesOutliveTheCheckpoint) {
  directory_.write("model.safetensors", file_of("w", 'q'));
  const TensorEntry kept = open().require("w");
  EXPECT_EQ(static_cast<char>(kept.data[23]), 'q');
}

TEST_F(CheckpointTest, ConfigIsOptionalUntilAskedFor) {
  directory_.write("model.safetensors", file_of("w"));
  const Checkpoint checkpoint = open();
  EXPECT_FALSE(checkpoint.has_config());
  EXPECT_EQ(checkpoint.generation_config().size(), 0);
  expect_error([&] { checkpoint.config(); }, StatusCode::not_found, {directory_.path(), "config.json is missing"});
  expect_error([&] { read_config(directory_.path()); }, StatusCode::not_found, {"config.json is missing"});
  directory_.write("config.json", R"({"a": 1})");
  std::filesystem::remove(directory_.path("model.safetensors"));
  EXPECT_EQ(read_config(directory_.path()).get_int("a", 0), 1);
}

TEST_F(CheckpointTest, MetaParamsStandForConfig) {
  directory_.write("consolidated.safetensors", file_of("tok_embeddings.weight"));
  directory_.write("params.json", R"({"dim": 3, "vocab_size": 7})");
  EXPECT_EQ(read_config(directory_.path()).require_string("model_type"), "llama_meta");
  EXPECT_EQ(open().config().require_int("vocab_size"), 7);
  directory_.write("params.json", R"({"dim": 3, "vocab_size": -1})");  // the embedding says
  EXPECT_EQ(open().config().require_int("vocab_size"), 2);
  EXPECT_EQ(read_config(directory_.path()).require_int("vocab_size"), 2);
  EXPECT_EQ(read_config(directory_.path()).require_int("dim"), 3);
  directory_.write("config.json", R"({"model_type": "llama"})");
  EXPECT_EQ(open().config().require_string("model_type"), "llama");
}

TEST_F(CheckpointTest, BrokenMetaParams) {
  directory_.write("model.safetensors", file_of("w"));
  directory_.write("params.json", R"({"vocab_size": "many"})");
  expect_open_error(StatusCode::corrupt_data, {"params.json", "vocab_size", "many"});
  directory_.write("params.json", "[]");
  expect_open_error(StatusCode::corrupt_data, {"params.json"});
  directory_.write("params.json", R"({"vocab_size": -1})");  // and no embedding: the policy refuses what is left
  EXPECT_EQ(open().config().require_int("vocab_size"), -1);
}

TEST_F(CheckpointTest, PathsThatAreNoModel) {
  for (const auto& call : {+[](const std::string& p) { Checkpoint::open(p, WeightsMode::map); },
                           +[](const std::string& p) { read_config(p); }}) {
    expect_error([&] { call(directory_.path("nowhere")); }, StatusCode::not_found, {"nowhere", "does not exist"});
    expect_error([&] { call(""); }, StatusCode::invalid_argument, {"empty"});
    expect_error([&] { call(std::string("a\0b", 3)); }, StatusCode::invalid_argument, {"a\\x00b"});
    const std::string file = directory_.write("model.txt", "x");
    expect_error([&] { call(file); }, StatusCode::invalid_argument, {"model.txt", "is a file"});
    expect_error([&] { call(file + "/deeper"); }, StatusCode::not_found, {"model.txt/deeper"});
  }
  expect_error([&] { open(); }, StatusCode::not_found, {directory_.path(), "no weights", "model.safetensors"});
}

TEST_F(CheckpointTest, PicklesAreNamed) {
  directory_.write("training_args.bin", "x");
  expect_open_error(StatusCode::unsupported, {"'training_args.bin' is a pickle"});
  directory_.write("pytorch_model.bin", "x");
  expect_open_error(StatusCode::unsupported,
                    {directory_.path(), "'pytorch_model.bin' is a pickle checkpoint", "convert it to safetensors"});
}

TEST_F(CheckpointTest, SeveralFilesWithoutIndex) {
  write_two_shards();
  expect_open_error(StatusCode::not_found,
                    {"2 safetensors files", "model-00001-of-00002.safetensors", "model.safetensors.index.json"});
}

TEST_F(CheckpointTest, BrokenConfig) {
  directory_.write("model.safetensors", file_of("w"));
  directory_.write("generation_config.json", "[]");
  expect_open_error(StatusCode::corrupt_data, {"generation_config.json", "an object"});
  directory_.write("config.json", "{\"a\":");
  expect_open_error(StatusCode::corrupt_data, {"/config.json", "not valid JSON"});
}

TEST_F(CheckpointTest, MissingShard) {
  write_two_shards();
  write_index(R"({"a":"model-00002-of-00002.safetensors","b":"gone.safetensors"})");
  expect_open_error(StatusCode::not_found, {"model.safetensors.index.json", "'gone.safetensors' is missing", "'b'"});
}

TEST_F(CheckpointTest, ShardThatIsADirectory) {
  std::filesystem::create_directory(directory_.path("dir.safetensors"));
  write_index(R"({"a":"dir.safetensors"})");
  expect_open_error(StatusCode::io_error, {"dir.safetensors", "is a directory"});
}

TEST_F(CheckpointTest, BrokenOrEmptyShard) {
  write_index(R"({"a":"s.safetensors"})");
  directory_.write("s.safetensors", "");
  expect_open_error(StatusCode::corrupt_data, {"s.safetensors", "empty"});
  directory_.write("s.safetensors", file_of("a").substr(0, 60));
  expect_open_error(StatusCode::corrupt_data, {"s.safetensors"});
}

TEST_F(CheckpointTest, ShardNamesMustBePlain) {
  write_two_shards();
  for (const char* shard :
       {"../model.safetensors", "/etc/passwd", "a/b.safetensors", "a\\\\b", "..", ".", "", "a\\u0000b"}) {
    write_index("{\"evil.weight\":\"" + std::string(shard) + "\"}");
    expect_open_error(StatusCode::corrupt_data, {"model.safetensors.index.json", "'evil.weight'", "plain file name"});
  }
}

TEST_F(CheckpointTest, TensorThatTheShardLacks) {
  write_two_shards();
  write_index(R"({"a":"model-00002-of-00002.safetensors","b":"model-00001-of-00002.safetensors",)"
              R"("c":"model-00001-of-00002.safetensors"})");
  expect_open_error(StatusCode::corrupt_data, {"model-00001-of-00002.safetensors", "lacks", "'c'"});
}

TEST_F(CheckpointTest, TensorThatTheIndexLacks) {
  std::string header = "{";
  for (int i = 0; i < 8; ++i) {
    header += entry("t" + std::to_string(i), "U8", "[1]", "[" + std::to_string(i) + "," + std::to_string(i + 1) + "]") +
              (i < 7 ? "," : "}");
  }
  directory_.write("s.safetensors", safetensors(header, "12345678"));
  write_index(R"({"t0":"s.safetensors"})");
  expect_open_error(StatusCode::corrupt_data, {"s.safetensors", "does not put here", "'t1'", "'t5' and 2 more"});
}

TEST_F(CheckpointTest, SameTensorInTwoShards) {
  directory_.write("s1.safetensors", file_of("a"));
  directory_.write(
      "s2.safetensors",
      safetensors("{" + entry("a", "U8", "[1]", "[0,1]") + "," + entry("b", "U8", "[1]", "[1,2]") + "}", "xy"));
  write_index(R"({"a":"s1.safetensors","b":"s2.safetensors"})");
  expect_open_error(StatusCode::corrupt_data, {"s2.safetensors", "does not put here", "'a'"});
}

TEST_F(CheckpointTest, BrokenIndex) {
  write_two_shards();
  const std::string name = "model.safetensors.index.json";
  for (const auto& [text, word] : std::initializer_list<std::pair<std::string, std::string_view>>{
           {"", "empty"},
           {"{", "not valid JSON"},
           {"[]", "an object"},
           {"{}", "'weight_map' is missing"},
           {index_of("[]"), "'weight_map' is []"},
           {index_of("null"), "'weight_map' is missing"},
           {index_of(R"({"a":1})"), "'weight_map.a' is 1"},
           {index_of(R"({"a":null})"), "'weight_map.a' is missing"},
           {index_of(R"({"a":["x"]})"), "'weight_map.a' is"},
           {index_of(R"({"a":"model-00002-of-00002.safetensors","a":"model-00002-of-00002.safetensors"})"),
            "'a' is given twice"}}) {
    directory_.write(name, text);
    expect_open_error(StatusCode::corrupt_data, {name, word});
  }
  directory_.write(name, std::string(100'000, '['));
  expect_open_error(StatusCode::limit_exceeded, {name, "64 levels"});
}

TEST(CheckpointFormatTest, FormatsAreNamed) {
  ASSERT_FALSE(checkpoint_formats().empty());
  EXPECT_STREQ(checkpoint_formats().front()->name, "safetensors");
}

}  // namespace
}  // namespace graft

// Files that are absent, that are directories, or that an index places where it should not; and broken tokenizers.
#include <fstream>

#include "tests/broken/support.h"
#include "tests/conformance/support/session.h"

namespace graft::broken {
namespace {

constexpr graft_status corrupt = GRAFT_STATUS_CORRUPT_DATA;
constexpr graft_status absent = GRAFT_STATUS_NOT_FOUND;
constexpr const char* index_file = "model.safetensors.index.json";

/// The weights as one shard, which an index with this name for it points to.
void shard(Model& m, const std::string& name) {
  m.files["one.safetensors"] = m.weights();
  m.absent.insert("model.safetensors");
  Json map = Json::object();
  for (const auto& [tensor, entry] : m.header.items()) map[tensor] = name;
  m.files[index_file] = Json{{"metadata", Json::object()}, {"weight_map", map}}.dump();
}

class BrokenFiles : public testing::TestWithParam<Case> {};
TEST_P(BrokenFiles, AreRefused) { expect_refused(GetParam()); }

const Case cases[] = {
    {"no_config", [](Model& m) { m.absent.insert("config.json"); }, absent, {"config.json", "missing"}},
    {"no_weights", [](Model& m) { m.absent.insert("model.safetensors"); }, absent, {"model.safetensors", "no weights"}},
    {"config_is_a_directory",
     [](Model& m) { m.folders.insert("config.json"); },
     GRAFT_STATUS_IO_ERROR,
     {"config.json", "is a directory"}},
    {"weights_are_a_directory",
     [](Model& m) { m.folders.insert("model.safetensors"); },
     GRAFT_STATUS_IO_ERROR,
     {"model.safetensors", "is a directory"}},
    {"index_is_a_directory",
     [](Model& m) {
       m.absent.insert("model.safetensors");
       m.folders.insert(index_file);
     },
     GRAFT_STATUS_IO_ERROR,
     {index_file, "is a directory"}},
    {"generation_config_is_no_json",
     [](Model& m) { m.files["generation_config.json"] = "{"; },
     corrupt,
     {"generation_config.json", "not valid JSON"}},
    {"generation_config_temperature",
     [](Model& m) { m.files["generation_config.json"] = R"({"temperature":"hot"})"; },
     corrupt,
     {"generation_config.json", "'temperature'"}},
    {"generation_config_top_p",
     [](Model& m) { m.files["generation_config.json"] = R"({"top_p":1.5})"; },
     corrupt,
     {"generation_config.json", "'top_p'"}},
    {"shard_missing", [](Model& m) { shard(m, "two.safetensors"); }, absent, {index_file, "two.safetensors"}},
    {"shard_above", [](Model& m) { shard(m, "../one.safetensors"); }, corrupt, {index_file, "../one.safetensors"}},
    {"shard_absolute", [](Model& m) { shard(m, "/etc/passwd"); }, corrupt, {index_file, "/etc/passwd"}},
    {"shard_is_dots", [](Model& m) { shard(m, ".."); }, corrupt, {index_file, "'..'"}},
    {"shard_with_nul", [](Model& m) { shard(m, std::string("one.safetensors\0x", 17)); }, corrupt, {index_file}},
    {"shard_is_empty", [](Model& m) { shard(m, ""); }, corrupt, {index_file, "plain file name"}},
    {"shard_is_a_directory",
     [](Model& m) {
       shard(m, "sub");
       m.folders.insert("sub");
     },
     GRAFT_STATUS_IO_ERROR,
     {"sub", "is a directory"}},
    {"index_without_map",
     [](Model& m) {
       shard(m, "");
       m.files[index_file] = "{}";
     },
     corrupt,
     {index_file, "'weight_map'"}},
    {"index_map_of_numbers",
     [](Model& m) {
       shard(m, "");
       m.files[index_file] = R"({"weight_map":{"model.norm.weight":1}})";
     },
     corrupt,
     {index_file, "model.norm.weight"}},
    {"index_names_twice",
     [](Model& m) {
       shard(m, "");
       m.files[index_file] = R"({"weight_map":{"a":"one.safetensors","a":"one.safetensors"}})";
     },
     corrupt,
     {index_file, "twice"}},
    {"index_lacks_a_tensor",
     [](Model& m) {
       shard(m, "");
       m.files[index_file] = R"({"weight_map":{"model.norm.weight":"one.safetensors"}})";
     },
     corrupt,
     {"one.safetensors", "does not put here"}},
    {"two_files_without_index",
     [](Model& m) {
       m.files["one.safetensors"] = m.files["two.safetensors"] = m.weights();
       m.absent.insert("model.safetensors");
     },
     absent,
     {"one.safetensors", index_file}},
};
INSTANTIATE_TEST_SUITE_P(Directory, BrokenFiles, testing::ValuesIn(cases), case_name);

// A tokenizer is looked for when it is needed: the model opens, text does not go in, and the message says why.
class BrokenTokenizer : public testing::TestWithParam<Case> {};
TEST_P(BrokenTokenizer, IsNamed) {
  const Folder folder;
  Model model;
  GetParam().damage(model);
  model.write(folder.path());
  graft_tokenizer* tokenizer = nullptr;
  expect_failure(graft_tokenizer_open(folder.path().c_str(), -1, &tokenizer), GetParam().status, GetParam().texts);
  EXPECT_EQ(tokenizer, nullptr);
  graft_engine* engine = nullptr;
  const graft_status opened = graft_engine_open(folder.path().c_str(), -1, nullptr, &engine);
  if (opened == GRAFT_STATUS_OK) {
    const conformance::Engine owned(engine);
    graft_input* input = nullptr;
    ASSERT_EQ(graft_input_new(&input), GRAFT_STATUS_OK);
    const conformance::Input owned_input(input);
    ASSERT_EQ(graft_input_set_text(input, "1+1", -1), GRAFT_STATUS_OK);
    graft_request* request = nullptr;
    EXPECT_NE(graft_request_submit(engine, input, nullptr, nullptr, 0, &request), GRAFT_STATUS_OK);
    EXPECT_NE(std::string(graft_last_error_message()).find("tokenizer.json"), std::string::npos)
        << graft_last_error_message();
    EXPECT_EQ(request, nullptr);
    expect_answers(engine);
  } else {
    expect_failure(opened, GetParam().status, GetParam().texts);
  }
}

void set_tokenizer(Model& m, const std::string& text) { m.files["tokenizer.json"] = text; }

Json tokenizer_json() { return Json::parse(example_file("tokenizer.json")); }

const Case tokenizers[] = {
    {"missing", [](Model& m) { m.absent.insert("tokenizer.json"); }, absent, {"tokenizer.json"}},
    {"a_directory", [](Model& m) { m.folders.insert("tokenizer.json"); }, GRAFT_STATUS_IO_ERROR, {"tokenizer.json"}},
    {"empty", [](Model& m) { set_tokenizer(m, ""); }, corrupt, {"tokenizer.json"}},
    {"cut",
     [](Model& m) { set_tokenizer(m, example_file("tokenizer.json").substr(0, 5000)); },
     corrupt,
     {"tokenizer.json"}},
    {"no_model",
     [](Model& m) {
       Json json = tokenizer_json();
       json.erase("model");
       set_tokenizer(m, json.dump());
     },
     corrupt,
     {"tokenizer.json", "Model missing"}},
    {"vocabulary_of_text",
     [](Model& m) {
       Json json = tokenizer_json();
       json["model"]["vocab"] = "a b c";
       set_tokenizer(m, json.dump());
     },
     corrupt,
     {"tokenizer.json"}},
    {"negative_id",
     [](Model& m) {
       Json json = tokenizer_json();
       json["model"]["vocab"]["a"] = -1;
       set_tokenizer(m, json.dump());
     },
     corrupt,
     {"tokenizer.json"}},
    {"merge_of_nothing",
     [](Model& m) {
       Json json = tokenizer_json();
       json["model"]["merges"] = Json::array({Json::array({"absent", "pieces"})});
       set_tokenizer(m, json.dump());
     },
     corrupt,
     {"tokenizer.json"}},
    {"unknown_decoder",
     [](Model& m) {
       Json json = tokenizer_json();
       json["decoder"] = {{"type", "Enigma"}};
       set_tokenizer(m, json.dump());
     },
     corrupt,
     {"tokenizer.json"}},
    {"deep", [](Model& m) { set_tokenizer(m, std::string(100'000, '[')); }, corrupt, {"tokenizer.json"}},
    {"not_utf8", [](Model& m) { set_tokenizer(m, "{\"version\":\"\xFF\"}"); }, corrupt, {"tokenizer.json"}},
};
INSTANTIATE_TEST_SUITE_P(Tokenizer, BrokenTokenizer, testing::ValuesIn(tokenizers), case_name);

TEST(BrokenPath, IsRefused) {
  const Folder folder;
  Model().write(folder.path());
  const std::string inside = folder.path("config.json"), nowhere = folder.path("nowhere"),
                    not_utf8 = folder.path("\xFF\xFE"), with_nul = folder.path() + std::string("\0x", 2),
                    long_name = "/" + std::string(100'000, 'a');
  const struct {
    std::string path;
    graft_status status;
    std::string text;
  } paths[] = {{"", GRAFT_STATUS_INVALID_ARGUMENT, "path: found an empty text"},
               {nowhere, absent, "nowhere"},
               {inside, GRAFT_STATUS_INVALID_ARGUMENT, "config.json: is a file"},
               {inside + "/deeper", GRAFT_STATUS_NOT_FOUND, "deeper"},
               {not_utf8, GRAFT_STATUS_INVALID_ARGUMENT, "path: found byte 0xff"},
               {with_nul, GRAFT_STATUS_INVALID_ARGUMENT, "path: found a NUL byte"},
               {long_name, GRAFT_STATUS_IO_ERROR, "too long"}};
  for (const auto& [path, status, text] : paths) {
    SCOPED_TRACE(path.substr(0, 100));
    const auto size = static_cast<int64_t>(path.size());
    graft_engine* engine = nullptr;
    expect_failure(graft_engine_open(path.data(), size, nullptr, &engine), status, {text});
    graft_string* json = nullptr;
    expect_failure(graft_engine_inspect(path.data(), size, nullptr, &json), status, {text});
  }
}

}  // namespace
}  // namespace graft::broken

// Damaged weights: each ends in the stated status with a message that names the file and what is wrong in it.
#include "tests/broken/support.h"

namespace graft::broken {
namespace {

constexpr graft_status corrupt = GRAFT_STATUS_CORRUPT_DATA;
constexpr const char* file = "model.safetensors";
constexpr const char* norm = "model.norm.weight";
constexpr const char* query = "model.layers.0.self_attn.q_proj.weight";

void set_weights(Model& m, const std::string& bytes) { m.files[file] = bytes; }

/// The file with one byte changed; `at` counts from the begin of the header.
void flip(Model& m, size_t at, char bits) {
  std::string bytes = m.weights();
  bytes[8 + at] = static_cast<char>(bytes[8 + at] ^ bits);
  set_weights(m, bytes);
}

class BrokenWeights : public testing::TestWithParam<Case> {};
TEST_P(BrokenWeights, AreRefused) { expect_refused(GetParam()); }

const Case frame[] = {
    {"empty", [](Model& m) { set_weights(m, ""); }, corrupt, {file, "empty"}},
    {"zeros", [](Model& m) { set_weights(m, std::string(4096, '\0')); }, corrupt, {file, "header"}},
    {"zeroed_data_length", [](Model& m) { set_weights(m, length_bytes(0) + m.weights().substr(8)); }, corrupt, {file}},
    {"length_cut", [](Model& m) { set_weights(m, m.weights().substr(0, 5)); }, corrupt, {file, "5 bytes"}},
    {"header_cut", [](Model& m) { set_weights(m, m.weights().substr(0, 100)); }, corrupt, {file, "header length"}},
    {"data_cut",
     [](Model& m) {
       std::string bytes = m.weights();
       bytes.pop_back();
       set_weights(m, bytes);
     },
     corrupt,
     {file, norm, "truncated"}},
    {"data_gone", [](Model& m) { m.data.clear(); }, corrupt, {file, "model.embed_tokens.weight", "truncated"}},
    {"data_too_long", [](Model& m) { m.data += "x"; }, corrupt, {file, "1 bytes after"}},
    {"length_2_63",
     [](Model& m) { set_weights(m, length_bytes(uint64_t{1} << 63) + m.weights().substr(8)); },
     corrupt,
     {file, "9223372036854775808"}},
    {"length_all_ones",
     [](Model& m) { set_weights(m, length_bytes(~uint64_t{0}) + m.weights().substr(8)); },
     corrupt,
     {file, "18446744073709551615"}},
    {"flipped_brace", [](Model& m) { flip(m, 0, 1); }, corrupt, {file, "begins with 'z'"}},
    {"flipped_quote", [](Model& m) { flip(m, 1, 1); }, corrupt, {file, "not valid JSON"}},
    {"flipped_to_high_bit", [](Model& m) { flip(m, 4, '\x80'); }, corrupt, {file, "not valid JSON"}},
    {"flipped_name", [](Model& m) { flip(m, 8, 1); }, GRAFT_STATUS_NOT_FOUND, {"model.embed_tokens.weight", "missing"}},
    {"pickle",
     [](Model& m) {
       m.absent.insert(file);
       m.files["pytorch_model.bin"] = "PK\x03\x04";
     },
     GRAFT_STATUS_UNSUPPORTED,
     {"pytorch_model.bin", "safetensors"}},
    {"deep_metadata",
     [](Model& m) {
       const std::string header = "{\"__metadata__\":" + std::string(200'000, '[');
       set_weights(m, length_bytes(header.size()) + header);
     },
     GRAFT_STATUS_LIMIT_EXCEEDED,
     {file, "levels"}},
};
INSTANTIATE_TEST_SUITE_P(Frame, BrokenWeights, testing::ValuesIn(frame), case_name);

const Case entries[] = {
    {"dtype_unknown", [](Model& m) { m.header[norm]["dtype"] = "F33"; }, GRAFT_STATUS_UNSUPPORTED, {file, norm, "F33"}},
    {"dtype_number", [](Model& m) { m.header[norm]["dtype"] = 7; }, corrupt, {file, norm, "'dtype' is 7"}},
    {"dtype_gone", [](Model& m) { m.header[norm].erase("dtype"); }, corrupt, {file, norm, "'dtype' is missing"}},
    {"dtype_of_whole_numbers",
     [](Model& m) { m.header[norm]["dtype"] = "I32"; },
     GRAFT_STATUS_UNSUPPORTED,
     {file, norm, "I32"}},
    {"shape_text", [](Model& m) { m.header[norm]["shape"] = "32"; }, corrupt, {file, norm, "'shape' is '32'"}},
    {"shape_negative", [](Model& m) { m.header[norm]["shape"] = {-32}; }, corrupt, {file, norm, "holds -32"}},
    {"shape_fraction", [](Model& m) { m.header[norm]["shape"] = {32.5}; }, corrupt, {file, norm, "holds 32.5"}},
    {"shape_overflows",
     [](Model& m) {
       m.header[norm]["shape"] = {int64_t{1} << 32, int64_t{1} << 32};
     },
     corrupt,
     {file, norm, "does not fit"}},
    {"shape_bytes_overflow",
     [](Model& m) { m.header[norm]["shape"] = {int64_t{1} << 61}; },
     corrupt,
     {file, norm, "does not fit"}},
    {"shape_other_than_config",
     [](Model& m) {
       m.header[query]["shape"] = {16, 64};
     },
     corrupt,
     {file, query, "[16, 64]", "[32, 32]"}},
    {"shape_of_too_many",
     [](Model& m) { m.header[norm]["shape"] = std::vector<int64_t>(100, 1); },
     GRAFT_STATUS_LIMIT_EXCEEDED,
     {file, norm, "64 dimensions"}},
    {"offsets_overlap",
     [](Model& m) {
       for (int i : {0, 1}) {
         m.header[query]["data_offsets"][i] = m.header[query]["data_offsets"][i].get<int64_t>() - 4;
       }
     },
     corrupt,
     {file, query, "overlap"}},
    {"offsets_past_the_end",
     [](Model& m) { m.header[norm]["data_offsets"][1] = int64_t{1} << 62; },
     corrupt,
     {file, norm, "4611686018427387904"}},
    {"offsets_reversed",
     [](Model& m) { std::swap(m.header[norm]["data_offsets"][0], m.header[norm]["data_offsets"][1]); },
     corrupt,
     {file, norm, "begin <= end"}},
    {"offsets_negative", [](Model& m) { m.header[norm]["data_offsets"][0] = -1; }, corrupt, {file, norm, "holds -1"}},
    {"tensor_missing",
     [](Model& m) {
       m.header.erase(norm);
       m.data.resize(m.data.size() - hidden * 4);
     },
     GRAFT_STATUS_NOT_FOUND,
     {norm, "missing"}},
    {"tensor_of_nobody",
     [](Model& m) {
       m.header["model.layers.7.surprise"] = {
           {"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {m.data.size(), m.data.size()}}};
     },
     corrupt,
     {"model.layers.7.surprise", "LlamaForCausalLM"}},
    {"tensor_twice",
     [](Model& m) {
       std::string header = m.header.dump();
       header.insert(header.size() - 1, ",\"model.norm.weight\":" + m.header[norm].dump());
       set_weights(m, length_bytes(header.size()) + header + m.data);
     },
     corrupt,
     {file, norm, "twice"}},
};
INSTANTIATE_TEST_SUITE_P(Entry, BrokenWeights, testing::ValuesIn(entries), case_name);

/// Looks at a model whose weights are these bytes: it may be sound, else the message names the file.
void inspect(const Folder& folder, Model& model, const std::string& bytes) {
  model.files[file] = bytes;
  std::filesystem::remove(folder.path(file));
  model.write(folder.path());
  graft_string* json = nullptr;
  if (graft_engine_inspect(folder.path().c_str(), -1, nullptr, &json) != GRAFT_STATUS_OK) {
    EXPECT_EQ(json, nullptr);
    EXPECT_NE(std::string(graft_last_error_message()).find(folder.path()), std::string::npos)
        << graft_last_error_message();
  }
  graft_string_free(json);
}

TEST(AnyWeights, WithAFlippedBit) {
  const Folder folder;
  Model model;
  const std::string sound = model.weights();
  const size_t end = 8 + model.header.dump().size();
  for (size_t at = 0; at < end; at += 3) {
    std::string bytes = sound;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    inspect(folder, model, bytes);
  }
}

TEST(AnyWeights, CutAnywhere) {
  const Folder folder;
  Model model;
  const std::string sound = model.weights();
  for (size_t size = 0; size < sound.size(); size += 1 + size / 20) inspect(folder, model, sound.substr(0, size));
}

}  // namespace
}  // namespace graft::broken

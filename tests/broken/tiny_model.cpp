#include "tests/broken/tiny_model.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

namespace graft::broken {
namespace {

namespace fs = std::filesystem;

constexpr int64_t intermediate = 64, heads = 4, kv_heads = 2;

void add(Model& model, const std::string& name, const std::vector<int64_t>& shape) {
  static std::mt19937 random(1);
  std::uniform_real_distribution<float> weight(-0.2F, 0.2F);
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  const size_t begin = model.data.size();
  for (int64_t i = 0; i < count; ++i) {
    const float value = weight(random);
    model.data.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  model.header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, model.data.size()}}};
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

Model::Model(int64_t head_dim) {
  config = {{"architectures", {"LlamaForCausalLM"}}, {"model_type", "llama"},    {"hidden_size", hidden},
            {"intermediate_size", intermediate},     {"num_hidden_layers", 1},   {"num_attention_heads", heads},
            {"num_key_value_heads", kv_heads},       {"head_dim", head_dim},     {"hidden_act", "silu"},
            {"max_position_embeddings", context},    {"rms_norm_eps", 1e-5},     {"rope_theta", 10000.0},
            {"tie_word_embeddings", true},           {"vocab_size", vocabulary}, {"eos_token_id", 0}};
  const std::string layer = "model.layers.0.";
  add(*this, "model.embed_tokens.weight", {vocabulary, hidden});
  add(*this, layer + "self_attn.q_proj.weight", {heads * head_dim, hidden});
  add(*this, layer + "self_attn.k_proj.weight", {kv_heads * head_dim, hidden});
  add(*this, layer + "self_attn.v_proj.weight", {kv_heads * head_dim, hidden});
  add(*this, layer + "self_attn.o_proj.weight", {hidden, heads * head_dim});
  add(*this, layer + "mlp.gate_proj.weight", {intermediate, hidden});
  add(*this, layer + "mlp.up_proj.weight", {intermediate, hidden});
  add(*this, layer + "mlp.down_proj.weight", {hidden, intermediate});
  add(*this, layer + "input_layernorm.weight", {hidden});
  add(*this, layer + "post_attention_layernorm.weight", {hidden});
  add(*this, "model.norm.weight", {hidden});
}

std::string Model::weights() const {
  const std::string text = header.dump();
  return length_bytes(text.size()) + text + data;
}

void Model::set_raw(const std::string& key, const std::string& text) {
  config[key] = "@raw@";
  std::string json = config.dump();
  files["config.json"] = json.replace(json.find("\"@raw@\""), 7, text);
}

void Model::write(const fs::path& directory) const {
  std::map<std::string, std::string> all = files;
  all.try_emplace("config.json", config.dump());
  all.try_emplace("model.safetensors", weights());
  all.try_emplace("tokenizer.json", example_file("tokenizer.json"));
  for (const auto& [name, bytes] : all) {
    if (absent.count(name) == 0 && folders.count(name) == 0) write_file(directory / name, bytes);
  }
  for (const std::string& name : folders) fs::create_directory(directory / name);
}

Folder::Folder() {
  std::string pattern = (fs::temp_directory_path() / "graft-broken-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string length_bytes(uint64_t length) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(length >> (8 * i));
  return out;
}

std::string example_file(const std::string& name) {
  const char* folder = std::getenv("GRAFT_TEST_MODEL");
  if (folder == nullptr) throw std::runtime_error("GRAFT_TEST_MODEL is not set");
  std::ifstream file(fs::path(folder) / name, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read the example's " + name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace graft::broken

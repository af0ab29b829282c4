// A tiny Llama of random weights that a test damages in one place before it writes it down.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace graft::broken {

using Json = nlohmann::ordered_json;

/// What a model directory holds. `files` replaces what the other members would give, `absent` leaves files out, and
/// `folders` are directories where files should be.
struct Model {
  explicit Model(int64_t head_dim = 8);
  Json config;
  Json header;       ///< of model.safetensors
  std::string data;  ///< behind the header
  std::map<std::string, std::string> files;
  std::set<std::string> absent;
  std::set<std::string> folders;

  /// The whole safetensors file.
  std::string weights() const;
  /// Puts JSON text that no JSON library would write (NaN, 1e999, keys given twice) as the value of a key.
  void set_raw(const std::string& key, const std::string& text);
  void write(const std::filesystem::path& directory) const;
};

constexpr int64_t hidden = 32, vocabulary = 512, context = 64;

/// A folder that goes away with the test.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name = "") const {
    return name.empty() ? path_.string() : (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

/// The eight bytes of a header length.
std::string length_bytes(uint64_t length);

std::string example_file(const std::string& name);

}  // namespace graft::broken

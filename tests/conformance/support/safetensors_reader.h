// Reads the float32 tensors of one safetensors file, independently of Graft's own reader. For tests only: it trusts the
// file to come from tests/oracle.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace graft::conformance {

struct Matrix {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<float> values;  ///< row-major
};

/// All two-dimensional float32 tensors of the file, by name. Throws std::runtime_error.
inline std::map<std::string, Matrix> read_matrices(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  uint64_t header_size = 0;
  if (!file || bytes.size() < sizeof header_size) throw std::runtime_error(path.string() + ": cannot be read");
  std::memcpy(&header_size, bytes.data(), sizeof header_size);
  const uint64_t data_start = sizeof header_size + header_size;
  if (header_size > bytes.size() || data_start > bytes.size()) throw std::runtime_error(path.string() + ": cut short");
  std::map<std::string, Matrix> matrices;
  const auto header = nlohmann::json::parse(bytes.substr(sizeof header_size, header_size));
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const auto shape = entry.at("shape").get<std::vector<int64_t>>();
    const auto offsets = entry.at("data_offsets").get<std::vector<uint64_t>>();
    if (entry.at("dtype") != "F32" || shape.size() != 2 || offsets.size() != 2) {
      throw std::runtime_error(path.string() + ": " + name + " is not a float32 matrix");
    }
    Matrix matrix{shape[0], shape[1], std::vector<float>(static_cast<size_t>(shape[0] * shape[1]))};
    const uint64_t size = matrix.values.size() * sizeof(float);
    if (offsets[1] - offsets[0] != size || data_start + offsets[1] > bytes.size()) {
      throw std::runtime_error(path.string() + ": " + name + " does not fill its place");
    }
    std::memcpy(matrix.values.data(), bytes.data() + data_start + offsets[0], size);
    matrices.emplace(name, std::move(matrix));
  }
  return matrices;
}

}  // namespace graft::conformance

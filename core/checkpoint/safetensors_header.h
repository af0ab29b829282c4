// Inside core/checkpoint only: the JSON header of a safetensors file, as numbers. Nothing is checked against the file
// here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

struct SafetensorsHeaderEntry {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;         ///< each entry >= 0
  std::vector<int64_t> data_offsets;  ///< exactly two, each >= 0: begin and end within the data area
};

/// Parses the header in one pass, without building a document: memory is a small multiple of the text. Throws
/// CORRUPT_DATA or LIMIT_EXCEEDED naming `source` and the tensor. `__metadata__` and unknown keys of an entry are
/// skipped.
std::vector<SafetensorsHeaderEntry> parse_safetensors_header(std::string_view text, const std::string& source);

}  // namespace graft

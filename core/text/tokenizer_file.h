// Where a tokenizer is on disk, and its bytes.
#pragma once

#include <cstdint>
#include <string>

namespace graft {

/// The tokenizer.json that `path` means: itself, or the one inside a directory. Throws Error NOT_FOUND, naming the file
/// looked for, the supported formats, and other tokenizer files that lie beside it.
std::string find_tokenizer_file(const std::string& path);

/// The content of a regular file of at most `limit` bytes. Throws Error: NOT_FOUND, IO_ERROR, LIMIT_EXCEEDED.
std::string read_tokenizer_file(const std::string& file, int64_t limit);

}  // namespace graft

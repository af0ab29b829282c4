// Writes NumPy's .npy format, version 1.0 (numpy.lib.format): float32, C order, little-endian.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace cli {

/// The first bytes of the file: magic, version, and the header padded with spaces to a multiple of 64 bytes.
std::string npy_header(const std::vector<int64_t>& shape);

/// A file written row block by row block, so that large results are never held twice. A file that was not finished is
/// removed. Throws Failure (IO_ERROR) naming the path.
class NpyWriter {
 public:
  NpyWriter(const std::string& path, const std::vector<int64_t>& shape);
  ~NpyWriter();
  NpyWriter(const NpyWriter&) = delete;
  NpyWriter& operator=(const NpyWriter&) = delete;

  void append(const float* values, int64_t count);

  /// Checks that as many values came as the shape holds, and closes.
  void finish();

 private:
  [[noreturn]] void fail(const std::string& what) const;

  std::string path_;
  std::ofstream file_;
  int64_t missing_;
  bool finished_ = false;
};

}  // namespace cli

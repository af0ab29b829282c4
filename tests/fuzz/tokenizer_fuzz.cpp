// Bytes as a tokenizer.json and a text: the tokenizer refuses the file with an Error, or encodes and decodes the text.
//
// One byte of flags and two of the text's length (little-endian), then the text, then the file.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/status.h"
#include "core/text/tokenizer.h"

namespace {

constexpr int64_t longest_text = 512;

void expect_sound(const graft::Error& error) {
  if (error.code() == graft::StatusCode::internal || *error.what() == '\0') abort();
}

/// Streamed or at once, the text is the same.
void decode(const std::shared_ptr<const graft::Tokenizer>& tokenizer, const std::vector<int64_t>& ids, bool skip) {
  const std::string whole = tokenizer->decode(ids, skip);
  graft::StreamDecoder stream(tokenizer, skip);
  std::string pieces;
  for (const int64_t id : ids) pieces += stream.push(id);
  pieces += stream.flush();
  if (pieces != whole) abort();
}

void use(const std::shared_ptr<const graft::Tokenizer>& tokenizer, std::string_view text, unsigned flags) {
  std::vector<int64_t> ids = tokenizer->encode(text, flags & 1);
  for (const int64_t id : ids) {
    if (id < 0 || id >= tokenizer->id_bound()) abort();
  }
  decode(tokenizer, ids, flags & 2);
  // Ids that no text gives, in any order.
  ids.clear();
  const int64_t bound = tokenizer->id_bound();
  for (const char byte : text) ids.push_back(bound == 0 ? 0 : static_cast<unsigned char>(byte) % bound);
  if (bound > 0) decode(tokenizer, ids, flags & 4);
  for (const int64_t id : {int64_t{0}, bound - 1, bound, int64_t{-1}, int64_t{1} << 32}) {
    try {
      const std::string piece = tokenizer->piece(id);
      if (id < 0 || id >= bound) abort();
      tokenizer->id_of(piece);
    } catch (const graft::Error& error) {
      expect_sound(error);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 3, size - 3);
  const size_t length = std::min<size_t>({rest.size(), size_t{longest_text}, data[1] | size_t{data[2]} << 8});
  try {
    use(graft::Tokenizer::from_json(rest.substr(length), "tokenizer.json"), rest.substr(0, length), data[0]);
  } catch (const graft::Error& error) {
    expect_sound(error);
  }
  return 0;
}

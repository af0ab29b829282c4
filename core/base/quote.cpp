#include "core/base/quote.h"

#include <cstdint>

namespace graft {
namespace {

/// Bytes of the UTF-8 character that starts the text; 0 when its bytes are not one (RFC 3629: no overlong, no
/// surrogate).
size_t character_size(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

std::string printable(std::string_view text, size_t limit) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  while (!text.empty()) {
    if (out.size() >= limit) return out + "...";
    const size_t size = character_size(text);
    const auto first = static_cast<uint8_t>(text.front());
    // C1 controls are two bytes, C2 80 to C2 9F; terminals obey them too.
    const bool control =
        first < 0x20 || first == 0x7F || (size == 2 && first == 0xC2 && static_cast<uint8_t>(text[1]) < 0xA0);
    if (size == 0 || control) {
      for (size_t i = 0; i < (size == 0 ? 1 : size); ++i) {
        const auto byte = static_cast<uint8_t>(text[i]);
        out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
      }
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

std::string quote(std::string_view text, size_t limit) { return "'" + printable(text, limit) + "'"; }

}  // namespace graft

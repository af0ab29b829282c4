#include "capi/src/utf8.h"

#include <cstring>

namespace graft::capi {
namespace {

struct Lead {
  int length;           // 0: no character starts with this byte
  unsigned char first;  // range of the second byte
  unsigned char last;
};

Lead lead_of(unsigned char byte) noexcept {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};  // no surrogates
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

int64_t valid_utf8_prefix(const char* data, int64_t size) noexcept {
  const auto* bytes = reinterpret_cast<const unsigned char*>(data);
  int64_t at = 0;
  while (at < size) {
    const Lead lead = lead_of(bytes[at]);
    if (lead.length == 0 || lead.length > size - at) return at;
    for (int i = 1; i < lead.length; ++i) {
      const unsigned char first = i == 1 ? lead.first : 0x80;
      const unsigned char last = i == 1 ? lead.last : 0xBF;
      if (bytes[at + i] < first || bytes[at + i] > last) return at;
    }
    at += lead.length;
  }
  return size;
}

void make_valid_utf8(char* text) noexcept {
  int64_t size = static_cast<int64_t>(std::strlen(text));
  int64_t at = 0;
  while ((at += valid_utf8_prefix(text + at, size - at)) < size) {
    const int needed = lead_of(static_cast<unsigned char>(text[at])).length;
    if (needed > size - at) {
      // The rest can only be a character that was cut off, unless one of its bytes is none of its own.
      bool cut = true;
      for (int64_t i = at + 1; i < size; ++i) cut = cut && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
      if (cut) {
        text[at] = '\0';
        return;
      }
    }
    text[at++] = '?';
  }
}

}  // namespace graft::capi

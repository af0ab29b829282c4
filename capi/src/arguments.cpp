#include "capi/src/arguments.h"

#include <cfloat>
#include <cinttypes>
#include <cmath>
#include <cstring>

#include "capi/src/utf8.h"

namespace graft::capi {

std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 120;
  std::string out = "'";
  for (const char byte : text.substr(0, most)) out += byte == '\0' ? ' ' : byte;
  return out + (text.size() > most ? "...'" : "'");
}

std::string_view text(const char* name, const char* data, int64_t size) {
  if (size < -1) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found size %" PRId64 ", expected 0 or more, or -1 for NUL-terminated",
         name, size);
  }
  if (data == nullptr) {
    if (size != 0) fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found NULL, expected text", name);
    return "";
  }
  const int64_t count = size == -1 ? static_cast<int64_t>(std::strlen(data)) : size;
  const int64_t valid = valid_utf8_prefix(data, count);
  if (valid < count) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found byte 0x%02x at offset %" PRId64 ", expected UTF-8", name,
         static_cast<unsigned>(static_cast<unsigned char>(data[valid])), valid);
  }
  return {data, static_cast<std::size_t>(count)};
}

std::string_view word(const char* name, const char* data, int64_t size) {
  const std::string_view value = text(name, data, size);
  if (value.empty()) fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found an empty text, expected one that is not", name);
  const std::size_t nul = value.find('\0');
  if (nul != std::string_view::npos) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found a NUL byte at offset %zu, expected none", name, nul);
  }
  return value;
}

int64_t integer(const char* name, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return value;
  if (most == INT64_MAX) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %" PRId64 ", expected %" PRId64 " or more", name, value, least);
  }
  fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %" PRId64 ", expected %" PRId64 " to %" PRId64, name, value, least,
       most);
}

int32_t flag(const char* name, int32_t value) {
  if (value != 0 && value != 1) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %" PRId32 ", expected 0 or 1", name, value);
  }
  return value;
}

int32_t choice(const char* name, int32_t value, int32_t count) {
  return static_cast<int32_t>(integer(name, value, 0, count - 1));
}

double number(const char* name, double value, double least, double most) {
  if (std::isfinite(value) && value >= least && value <= most) return value;
  if (least == -DBL_MAX) fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %g, expected a finite number", name, value);
  if (most == DBL_MAX) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %g, expected a finite number, %g or more", name, value, least);
  }
  fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %g, expected %g to %g", name, value, least, most);
}

double number_above(const char* name, double value, double above, double most) {
  if (std::isfinite(value) && value > above && value <= most) return value;
  if (most == DBL_MAX) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %g, expected a finite number above %g", name, value, above);
  }
  fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %g, expected a number above %g and at most %g", name, value, above,
       most);
}

int64_t timeout(int64_t timeout_ms) {
  if (timeout_ms < -1) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "timeout_ms: found %" PRId64 ", expected 0 or more, or -1 for ever",
         timeout_ms);
  }
  return timeout_ms;
}

std::string_view one_of(const char* name, std::string_view value, std::initializer_list<std::string_view> words) {
  std::string list;
  for (const std::string_view& word : words) {
    if (value == word) return value;
    list += (list.empty() ? "'" : ", '") + std::string(word) + "'";
  }
  fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %s, expected one of %s", name, in_quotes(value).c_str(), list.c_str());
}

void array(const char* name, const void* data, int64_t count) {
  if (count < 0) fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found count %" PRId64 ", expected 0 or more", name, count);
  if (count > 0 && data == nullptr) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found NULL, expected %" PRId64 " elements", name, count);
  }
}

std::vector<int64_t> ids(const char* name, const int64_t* data, int64_t count) {
  array(name, data, count);
  for (int64_t i = 0; i < count; ++i) {
    if (data[i] < 0) {
      fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %" PRId64 " at position %" PRId64 ", expected 0 or more", name,
           data[i], i);
    }
  }
  return count == 0 ? std::vector<int64_t>() : std::vector<int64_t>(data, data + count);
}

}  // namespace graft::capi

// Checks of arguments. Each throws Failed with INVALID_ARGUMENT and a text: the name, what was found, what was
// expected.
#pragma once

#include <climits>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "capi/src/error.h"
#include "core/facade/table.h"

namespace graft::capi {

/// A text in quotes, shortened, for an error text.
std::string in_quotes(std::string_view text);

/// A handle that must be there.
template <class T>
T& required(const char* name, T* handle) {
  if (handle == nullptr) fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found NULL, expected a handle", name);
  return *handle;
}

/// The place of an output; for handles it is set to NULL.
template <class T>
T*& output_handle(const char* name, T** out) {
  if (out == nullptr) fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found NULL, expected the address of the result", name);
  *out = nullptr;
  return *out;
}
template <class T>
T& output(const char* name, T* out) {
  if (out == nullptr) fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found NULL, expected the address of the result", name);
  return *out;
}

/// Well-formed UTF-8, which may hold NUL bytes.
std::string_view text(const char* name, const char* data, int64_t size);

/// text() without NUL bytes, and not empty: a path, a name.
std::string_view word(const char* name, const char* data, int64_t size);

int64_t integer(const char* name, int64_t value, int64_t least, int64_t most = INT64_MAX);
int32_t flag(const char* name, int32_t value);
/// One of the numbers 0 ... count - 1.
int32_t choice(const char* name, int32_t value, int32_t count);
/// Finite, and in [least, most].
double number(const char* name, double value, double least, double most);
/// Finite, above `above` and at most `most`.
double number_above(const char* name, double value, double above, double most);
int64_t timeout(int64_t timeout_ms);

/// One of the words, or a text naming them all.
std::string_view one_of(const char* name, std::string_view value, std::initializer_list<std::string_view> words);

/// The pointer and count of an array: count at least 0, and a pointer where there is something.
void array(const char* name, const void* data, int64_t count);
/// A copy of token ids (or segments), each at least 0.
std::vector<int64_t> ids(const char* name, const int64_t* data, int64_t count);

inline facade::Text core_text(std::string_view text) { return {text.data(), static_cast<int64_t>(text.size())}; }

}  // namespace graft::capi

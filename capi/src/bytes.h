// Memory that core functions fill: the caller's side of facade::Buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/facade/table.h"

namespace graft::capi {

/// `reserve` of every buffer made here: malloc'd, and one byte more than `capacity` is always there, so that a NUL
/// fits.
inline char* grow_buffer(facade::Buffer* self, int64_t wanted) noexcept {
  if (wanted < 0 || wanted >= INT64_MAX - 1) return nullptr;
  if (self->data != nullptr && wanted <= self->capacity) return self->data;
  int64_t capacity = self->capacity > INT64_MAX / 4 ? wanted : self->capacity * 2;
  if (capacity < 63) capacity = 63;
  if (capacity < wanted) capacity = wanted;
  auto* grown = static_cast<char*>(std::realloc(self->data, static_cast<std::size_t>(capacity) + 1));
  if (grown == nullptr) return nullptr;
  self->data = grown;
  self->capacity = capacity;
  return grown;
}

inline facade::Buffer empty_buffer() noexcept { return {nullptr, 0, 0, &grow_buffer}; }

/// Writes the NUL behind the bytes.
inline void terminate(facade::Buffer& buffer) noexcept {
  if (buffer.data != nullptr) buffer.data[buffer.size] = '\0';
}

/// The bytes as a NUL-terminated text, never null.
inline const char* text_of(const facade::Buffer& buffer) noexcept { return buffer.data != nullptr ? buffer.data : ""; }

}  // namespace graft::capi

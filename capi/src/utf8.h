// UTF-8 at the border of the library.
#pragma once

#include <cstdint>

namespace graft::capi {

/// Offset of the first byte that is not part of a well-formed character (Unicode 15, table 3-7), or `size`.
int64_t valid_utf8_prefix(const char* data, int64_t size) noexcept;

/// Makes a NUL-terminated text well-formed in place: drops a character cut off at the end, turns other bad bytes into
/// '?'.
void make_valid_utf8(char* text) noexcept;

}  // namespace graft::capi

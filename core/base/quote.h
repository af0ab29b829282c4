// Text from files and callers, made safe to show in a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace graft {

/// The text with control characters and bytes that are not UTF-8 written as \xNN, cut after about `limit` bytes (then
/// "..." follows). The result is always valid UTF-8 on one line.
std::string printable(std::string_view text, size_t limit = 200);

/// How much of a path a message shows: what is said about it must fit into the 4096 bytes of the public interface too.
inline constexpr size_t most_of_path = 3000;

/// printable() between single quotes.
std::string quote(std::string_view text, size_t limit = 200);

}  // namespace graft

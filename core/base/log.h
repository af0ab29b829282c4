// The process-wide log sink: the only mutable global of the core. Silent until a host sets one.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <utility>

namespace graft {

/// Ascending verbosity; the numbers are part of the C ABI (graft/log.h).
enum class LogLevel : int32_t { off = 0, error = 1, warning = 2, info = 3, debug = 4 };

/// Receives one line without a line end, UTF-8 and NUL-terminated, valid for the call. Called from any thread, several
/// at once, with no lock held. What it throws is swallowed; what is logged from inside it is dropped.
using LogWrite = void (*)(void* user, int32_t level, const char* message);

/// Sets level and sink together; lines up to `level` are written. A null `write` or level off means silence. Any
/// thread. A call of the former sink that has already begun may still be running when this returns (it never waits for
/// the host).
void log_set(LogLevel level, LogWrite write, void* user) noexcept;

/// True when a line of this level would be written: ask before computing something costly to say. Any thread.
bool log_enabled(LogLevel level) noexcept;

/// Hands one finished line to the sink. Any thread.
void log_write(LogLevel level, const char* message) noexcept;

/// Formats and writes one line; does nothing below the set level, and a line that cannot be formatted (memory) is
/// dropped.
template <class... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) noexcept {
  if (!log_enabled(level)) return;
  try {
    log_write(level, fmt::format(format, std::forward<Args>(args)...).c_str());
  } catch (...) {
  }
}

}  // namespace graft

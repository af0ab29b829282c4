// Inside core/checkpoint only: the parsed document behind JsonValue, and what the two SAX readers share.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/quote.h"
#include "core/base/status.h"

namespace graft {

// NOLINTNEXTLINE(bugprone-exception-escape): moving a json asserts its own invariants, which hold
struct JsonDocument {
  std::string source;
  StatusCode error = StatusCode::corrupt_data;
  nlohmann::json root;
};

/// The parser takes a NUL byte for the end of the text and would accept whatever follows it; JSON allows none anywhere.
inline void refuse_nul(std::string_view text, std::string_view source, StatusCode code) {
  if (const size_t at = text.find('\0'); at != std::string_view::npos) {
    fail(code, "{}: not valid JSON: NUL byte at {}", source, at);
  }
}

/// The parser's own words (place and reason) without its tag, safe to show.
inline std::string parse_error_text(const std::exception& error) {
  std::string_view text = error.what();
  if (const size_t tag = text.find("] "); tag != std::string_view::npos) text.remove_prefix(tag + 2);
  return printable(text, 400);
}

}  // namespace graft

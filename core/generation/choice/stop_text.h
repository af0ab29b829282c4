// Ends an answer before a stop text, wherever it falls between tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace graft {

/// Watches one answer's text as it comes. One thread at a time.
class StopText {
 public:
  /// `stops`: none of them empty. Without any, text passes through untouched.
  explicit StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// Takes more text (whole characters) and returns what is certain not to belong to a stop text: whole characters,
  /// valid until the next call. Once a stop text is complete, what came before it is returned and found() is true.
  std::string_view push(std::string_view text);

  /// What was held back for a stop text that did not come; valid until the next call.
  std::string_view flush();

  bool found() const { return found_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  std::string out_;
  bool found_ = false;
};

}  // namespace graft

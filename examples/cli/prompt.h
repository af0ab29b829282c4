// Text given as an argument or on stdin.
#pragma once

#include <optional>
#include <string>

namespace cli {

/// The argument, or all of stdin without its last newline. Throws Interrupted or Failure.
std::string read_prompt(const std::optional<std::string>& argument);

/// stdin line by line.
class LineReader {
 public:
  enum class Result { line, end, interrupted };

  /// The next line without its newline; Ctrl-C gives up what was typed of it. Throws Failure.
  Result next(std::string& line);

 private:
  std::string pending_;
  bool ended_ = false;
};

}  // namespace cli

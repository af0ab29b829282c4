// Text given as an argument, or on stdin when the argument is absent.
#pragma once

#include <optional>
#include <string>

namespace cli {

/// The argument, or all of stdin without its last newline. Throws Interrupted or Failure.
std::string read_prompt(const std::optional<std::string>& argument);

}  // namespace cli

// The token ids of a text.
#pragma once

#include <string>

#include "handles.h"
#include "tokens.h"

namespace cli {

/// With the special tokens that the tokenizer adds. Failure when the text is not UTF-8 or too long.
Tokens encode_text(const Tokenizer& tokenizer, const std::string& text);

}  // namespace cli

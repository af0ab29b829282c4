#include "text_tokens.h"

namespace cli {

Tokens encode_text(const Tokenizer& tokenizer, const std::string& text) {
  const auto size = static_cast<int64_t>(text.size());
  Tokens tokens(text.size() + 8);  // nearly always enough: a token is at least a byte, and a few are added around it
  int64_t count = 0;
  for (;;) {
    const graft_status status = graft_tokenizer_encode(tokenizer.get(), text.data(), size, 1, tokens.data(),
                                                       static_cast<int64_t>(tokens.size()), &count);
    if (status != GRAFT_STATUS_BUFFER_TOO_SMALL) check(status);
    tokens.resize(static_cast<size_t>(count));
    if (status == GRAFT_STATUS_OK) return tokens;
  }
}

}  // namespace cli

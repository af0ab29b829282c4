#include "tokens.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <string_view>

#include "errors.h"

namespace cli {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

CLI::Option* add_tokens_option(CLI::App& app, const char* name, std::vector<std::string>& values, const char* help) {
  return app.add_option(name, values, help)->allow_extra_args(false)->type_name("IDS");
}

Tokens parse_tokens(const std::string& option, const std::string& text) {
  Tokens tokens;
  std::string_view rest(text);
  for (;;) {
    const size_t comma = rest.find(',');
    const std::string_view item = trim(rest.substr(0, comma));
    int64_t token = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), token);
    if (error != std::errc() || end != item.data() + item.size() || token < 0) {
      throw UsageError(option + ": item " + std::to_string(tokens.size() + 1) + " '" + std::string(item) +
                       "' is not a token id (a whole number, 0 or more), expected a list like 5,9,2");
    }
    tokens.push_back(token);
    if (comma == std::string_view::npos) return tokens;
    rest.remove_prefix(comma + 1);
  }
}

std::vector<Tokens> parse_all_tokens(const std::string& option, const std::vector<std::string>& texts) {
  std::vector<Tokens> all;
  for (const std::string& text : texts) all.push_back(parse_tokens(option, text));
  return all;
}

}  // namespace cli

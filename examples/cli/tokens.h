// Token ids on the command line: 5,9,2
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cli {

using Tokens = std::vector<int64_t>;

/// Declares an option that may be repeated, each time with one list of ids; `values` must outlive the parser.
CLI::Option* add_tokens_option(CLI::App& app, const char* name, std::vector<std::string>& values, const char* help);

/// Reads "5,9,2" (spaces around an id are allowed); UsageError names the option and the item that is no id.
Tokens parse_tokens(const std::string& option, const std::string& text);

std::vector<Tokens> parse_all_tokens(const std::string& option, const std::vector<std::string>& texts);

}  // namespace cli

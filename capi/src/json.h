// JSON that a caller hands in: bounded in size and depth, no key twice, errors that name the place.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "capi/src/error.h"

namespace graft::capi {

using Json = nlohmann::json;

inline constexpr std::size_t json_size_limit = std::size_t{16} << 20;
inline constexpr int json_depth_limit = 64;

/// Parses a document, throws Failed with INVALID_ARGUMENT.
Json parse_json(const char* name, std::string_view text);

/// The value as its type, or INVALID_ARGUMENT naming the key.
int64_t json_integer(const std::string& key, const Json& value);
double json_number(const std::string& key, const Json& value);
bool json_flag(const std::string& key, const Json& value);
const std::string& json_text(const std::string& key, const Json& value);
std::vector<int64_t> json_integers(const std::string& key, const Json& value);

/// Throws Failed when a call of another thunk failed; its error text stands.
inline void check(graft_status status) {
  if (status != GRAFT_STATUS_OK) throw Failed{status};
}

/// One key of an options object and how its value is set.
template <class Options>
struct JsonKey {
  const char* name;
  void (*set)(Options* options, const std::string& key, const Json& value);
};

template <auto Set, class Options>
void set_integer(Options* options, const std::string& key, const Json& value) {
  check(Set(options, json_integer(key, value)));
}
template <auto Set, class Options>
void set_number(Options* options, const std::string& key, const Json& value) {
  check(Set(options, json_number(key, value)));
}
template <auto Set, class Options>
void set_flag(Options* options, const std::string& key, const Json& value) {
  check(Set(options, json_flag(key, value) ? 1 : 0));
}
template <auto Set, class Options>
void set_text(Options* options, const std::string& key, const Json& value) {
  const std::string& text = json_text(key, value);
  check(Set(options, text.data(), static_cast<int64_t>(text.size())));
}
template <auto Set, class Options>
void set_integers(Options* options, const std::string& key, const Json& value) {
  const std::vector<int64_t> values = json_integers(key, value);
  check(Set(options, values.data(), static_cast<int64_t>(values.size())));
}

/// Position of a text in a list of words, or INVALID_ARGUMENT naming them.
int32_t json_choice(const std::string& key, const Json& value, std::initializer_list<std::string_view> words);

[[noreturn]] void fail_type(const std::string& key, const Json& value, const char* expected);
[[noreturn]] void fail_unknown_key(const std::string& key, const std::string& known);

/// Sets every key of an object; throws Failed at the first that cannot be set, and then some are.
template <class Options, std::size_t N>
void set_members(Options& options, const Json& json, const JsonKey<Options> (&keys)[N]) {
  for (const auto& [key, value] : json.items()) {
    const JsonKey<Options>* found = nullptr;
    for (const JsonKey<Options>& candidate : keys) {
      if (key == candidate.name) found = &candidate;
    }
    if (found == nullptr) {
      std::string known;
      for (const JsonKey<Options>& candidate : keys) known += (known.empty() ? "" : ", ") + std::string(candidate.name);
      fail_unknown_key(key, known);
    }
    found->set(&options, key, value);
  }
}

/// Sets every key of an object on a copy, then the copy takes the place of the options: all or nothing.
template <class Options, std::size_t N>
void set_from_json(Options& options, std::string_view text, const JsonKey<Options> (&keys)[N]) {
  const Json json = parse_json("json", text);
  if (!json.is_object()) fail_type("json", json, "an object");
  Options changed = options;
  set_members(changed, json, keys);
  options = std::move(changed);
}

}  // namespace graft::capi

#include "capi/src/json.h"

#include <set>

#include "capi/src/arguments.h"

namespace graft::capi {

// The parser and the destructor of nlohmann::json keep their own stacks, so depth costs memory, never the thread's
// stack.
Json parse_json(const char* name, std::string_view text) {
  if (text.size() > json_size_limit) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %zu bytes, expected at most %zu", name, text.size(),
         json_size_limit);
  }
  std::vector<std::set<std::string>> open;  // keys met so far, one set for each object that is open
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= json_depth_limit) {
        fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found more than %d levels, expected at most that", name,
             json_depth_limit);
      }
      if (event == Event::object_start) open.emplace_back();
    } else if (event == Event::object_end) {
      open.pop_back();
    } else if (event == Event::key && !open.back().insert(value.get<std::string>()).second) {
      fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found key %s twice in one object, expected it once", name,
           in_quotes(value.get<std::string>()).c_str());
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), watch);
  } catch (const Json::parse_error& error) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: not JSON, byte %zu: %s", name, error.byte, error.what());
  } catch (const Json::out_of_range& error) {
    fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: %s", name, error.what());
  }
}

void fail_type(const std::string& key, const Json& value, const char* expected) {
  std::string found = value.is_structured() ? std::string(value.type_name()) : value.dump();
  if (value.is_string()) found = in_quotes(value.get_ref<const std::string&>());
  fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found %s, expected %s", key.c_str(), found.c_str(), expected);
}

void fail_unknown_key(const std::string& key, const std::string& known) {
  fail(GRAFT_STATUS_INVALID_ARGUMENT, "json: found unknown key %s, expected one of %s", in_quotes(key).c_str(),
       known.c_str());
}

int64_t json_integer(const std::string& key, const Json& value) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
    fail_type(key, value, "an integer of 64 bits");
  }
  if (!value.is_number_integer()) fail_type(key, value, "an integer");
  return value.get<int64_t>();
}

double json_number(const std::string& key, const Json& value) {
  if (!value.is_number()) fail_type(key, value, "a number");
  return value.get<double>();
}

bool json_flag(const std::string& key, const Json& value) {
  if (!value.is_boolean()) fail_type(key, value, "true or false");
  return value.get<bool>();
}

const std::string& json_text(const std::string& key, const Json& value) {
  if (!value.is_string()) fail_type(key, value, "a text");
  return value.get_ref<const std::string&>();
}

std::vector<int64_t> json_integers(const std::string& key, const Json& value) {
  if (!value.is_array()) fail_type(key, value, "an array of integers");
  std::vector<int64_t> values;
  for (const Json& element : value) values.push_back(json_integer(key, element));
  return values;
}

int32_t json_choice(const std::string& key, const Json& value, std::initializer_list<std::string_view> words) {
  const std::string_view word = one_of(key.c_str(), json_text(key, value), words);
  int32_t at = 0;
  for (const std::string_view& candidate : words) {
    if (candidate == word) break;
    ++at;
  }
  return at;
}

}  // namespace graft::capi

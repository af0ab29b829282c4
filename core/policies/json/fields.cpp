#include "core/policies/json/fields.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "core/base/quote.h"

namespace graft::json_policy {
namespace {

// Fields may stand on one another; each is a level of calls.
constexpr int64_t most_fields = 200;

Value plain_value(const JsonValue& place) {
  switch (place.kind()) {
    case JsonKind::absent:
      return std::monostate();
    case JsonKind::boolean:
      return place.as_bool();
    case JsonKind::integer:
      return place.as_int();
    case JsonKind::number:
      return place.as_number();
    case JsonKind::string:
      return place.as_string();
    default:
      place.fail_expected("a number, true, false or a string");
  }
}

std::optional<int64_t> as_whole(const Value& value) {
  if (const auto* whole = std::get_if<int64_t>(&value)) return *whole;
  const auto* real = std::get_if<double>(&value);
  if (real == nullptr || std::floor(*real) != *real || std::abs(*real) > 9e15) return std::nullopt;
  return static_cast<int64_t>(*real);
}

[[noreturn]] void fail_value(const JsonValue& place, const std::string& expected, const Value& value) {
  place.fail_expected(place.kind() == JsonKind::string ? fmt::format("{}; it gives {}", expected, to_text(value))
                                                       : expected);
}

}  // namespace

JsonValue find_key(const JsonObject& config, std::string_view path) {
  JsonObject object = config;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    object = object.get_object(path.substr(0, dot));
    path.remove_prefix(dot + 1);
  }
  return object.at(path);
}

Fields::Fields(JsonObject fields, JsonObject config) : fields_(std::move(fields)), config_(std::move(config)) {
  if (fields_.size() > most_fields) fields_.fail_expected(fmt::format("at most {} fields", most_fields));
}

Value Fields::read(const JsonObject& field) {
  field.expect_only({"key", "default", "value", "type"});
  if (field.has("value")) return value_of(field.at("value"));
  const JsonValue stated = find_key(config_, field.require_string("key"));
  if (stated.absent()) return value_of(field.at("default"));
  const std::string type = field.get_string("type", "whole");
  if (type == "whole") return stated.as_int();
  if (type == "number") return stated.as_number();
  if (type == "flag") return stated.as_bool();
  if (type == "text") return stated.as_string();
  field.at("type").fail_expected("one of: whole, number, flag, text");
}

std::optional<Value> Fields::find(std::string_view name) {
  if (name == "layer" && layer_ >= 0) return Value(layer_);
  if (name == "head" && head_ >= 0) return Value(head_);
  if (const auto known = known_.find(name); known != known_.end()) {
    if (!known->second) throw std::invalid_argument(fmt::format("{} stands on itself", quote(name)));
    return known->second;
  }
  const JsonValue place = fields_.at(name);
  if (place.absent()) return std::nullopt;
  const auto slot = known_.emplace(std::string(name), std::nullopt).first;
  // A field is the same for every layer and head.
  const int64_t layer = std::exchange(layer_, -1), head = std::exchange(head_, -1);
  slot->second = read(place.as_object());
  layer_ = layer, head_ = head;
  return slot->second;
}

Value Fields::expression(const JsonValue& place, std::string_view text) {
  try {
    return evaluate(text, [this](std::string_view name) { return find(name); });
  } catch (const std::invalid_argument& error) {
    place.fail_expected(fmt::format("an expression that can be worked out: {}", error.what()));
  }
}

Value Fields::value_of(const JsonValue& place) {
  return place.kind() == JsonKind::string ? expression(place, place.as_string()) : plain_value(place);
}

int64_t Fields::whole(const JsonObject& place, const char* key, std::optional<int64_t> fallback, IntRange range) {
  const JsonValue stated = place.at(key);
  const std::string expected = fmt::format("a whole number from {} to {}", range.low, range.high);
  if (stated.absent() && !fallback) stated.fail_expected(expected);
  const Value value = stated.absent() ? Value(*fallback) : value_of(stated);
  const std::optional<int64_t> found = as_whole(value);
  if (!found || *found < range.low || *found > range.high) fail_value(stated, expected, value);
  return *found;
}

double Fields::number(const JsonObject& place, const char* key, double fallback, NumberRange range) {
  const JsonValue stated = place.at(key);
  if (stated.absent()) return fallback;
  const Value value = value_of(stated);
  double found = std::nan("");
  if (const auto* whole = std::get_if<int64_t>(&value)) found = static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) found = *real;
  if (!(found >= range.low && found <= range.high)) {
    fail_value(stated, fmt::format("a number from {} to {}", range.low, range.high), value);
  }
  return found;
}

bool Fields::flag(const JsonObject& place, const char* key, bool fallback) {
  const JsonValue stated = place.at(key);
  if (stated.absent()) return fallback;
  const Value value = value_of(stated);
  if (const auto* found = std::get_if<bool>(&value)) return *found;
  fail_value(stated, "true or false", value);
}

std::string Fields::text(const JsonObject& place, const char* key, std::optional<std::string> fallback) {
  const JsonValue stated = place.at(key);
  if (stated.absent() && fallback) return *fallback;
  const std::string words = stated.as_string();
  if (!words.starts_with("=")) return words;
  const Value value = expression(stated, std::string_view(words).substr(1));
  if (const auto* found = std::get_if<std::string>(&value)) return *found;
  fail_value(stated, "a text", value);
}

}  // namespace graft::json_policy

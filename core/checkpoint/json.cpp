#include "core/checkpoint/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/checkpoint/json_document.h"

namespace graft {
namespace {

using nlohmann::json;

std::string describe(const IntRange& range) {
  const IntRange all;
  if (range.low == all.low && range.high == all.high) return "an integer";
  if (range.high == all.high) return fmt::format("an integer of at least {}", range.low);
  if (range.low == all.low) return fmt::format("an integer of at most {}", range.high);
  return fmt::format("an integer from {} to {}", range.low, range.high);
}

std::string describe(const NumberRange& range) {
  const NumberRange all;
  if (range.low == all.low && range.high == all.high) return "a finite number";
  if (range.high >= all.high) return fmt::format("a number of at least {}", range.low);
  if (range.low <= all.low) return fmt::format("a number of at most {}", range.high);
  return fmt::format("a number from {} to {}", range.low, range.high);
}

/// JSON has no text for infinities; say what stood in the file.
std::string dump(const json& node) {
  if (node.is_number_float() && !std::isfinite(node.get<double>())) {
    const double value = node.get<double>();
    return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  }
  return node.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

JsonValue::JsonValue() : node_(nullptr) {}

JsonValue::JsonValue(std::shared_ptr<const JsonDocument> document, const json* node, std::string path)
    : document_(std::move(document)), node_(node), path_(std::move(path)) {}

JsonValue JsonValue::place(const json* node, std::string path) const { return {document_, node, std::move(path)}; }

JsonKind JsonValue::kind() const noexcept {
  if (node_ == nullptr || node_->is_null()) return JsonKind::absent;
  if (node_->is_boolean()) return JsonKind::boolean;
  if (node_->is_number_integer()) return JsonKind::integer;
  if (node_->is_number()) return JsonKind::number;
  if (node_->is_string()) return JsonKind::string;
  return node_->is_array() ? JsonKind::array : JsonKind::object;
}

std::string JsonValue::source() const { return document_ ? document_->source : "JSON"; }

std::string JsonValue::text() const { return node_ == nullptr ? "null" : dump(*node_); }

void JsonValue::fail_expected(std::string_view expectation) const {
  const StatusCode code = document_ ? document_->error : StatusCode::corrupt_data;
  const std::string place = path_.empty() ? "the top level" : quote(path_);
  if (absent() && !path_.empty()) fail(code, "{}: {} is missing, expected {}", source(), place, expectation);
  fail(code, "{}: {} is {}, expected {}", source(), place, printable(text(), 120), expectation);
}

bool JsonValue::as_bool() const {
  if (kind() != JsonKind::boolean) fail_expected("true or false");
  return node_->get<bool>();
}

int64_t JsonValue::as_int(IntRange range) const {
  int64_t value = 0;
  if (kind() == JsonKind::integer) {
    if (node_->is_number_unsigned() && node_->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
      fail_expected(describe(range));
    }
    value = node_->get<int64_t>();
  } else if (kind() == JsonKind::number) {
    const double number = node_->get<double>();
    constexpr double exact = 9007199254740992.0;  // 2^53: every integer up to here has its own double
    if (!(std::abs(number) <= exact) || number != std::trunc(number)) fail_expected(describe(range));
    value = static_cast<int64_t>(number);
  } else {
    fail_expected(describe(range));
  }
  if (value < range.low || value > range.high) fail_expected(describe(range));
  return value;
}

double JsonValue::as_number(NumberRange range) const {
  if (kind() != JsonKind::integer && kind() != JsonKind::number) fail_expected(describe(range));
  const double value = node_->get<double>();
  if (!(value >= range.low && value <= range.high)) fail_expected(describe(range));
  return value;
}

std::string JsonValue::as_string() const {
  if (kind() != JsonKind::string) fail_expected("a string");
  return node_->get<std::string>();
}

JsonArray JsonValue::as_array() const {
  if (kind() != JsonKind::array) fail_expected("an array");
  return JsonArray(document_, node_, path_);
}

JsonObject JsonValue::as_object() const {
  if (kind() != JsonKind::object) fail_expected("an object");
  return JsonObject(document_, node_, path_);
}

int64_t JsonArray::size() const noexcept { return absent() ? 0 : static_cast<int64_t>(node_->size()); }

JsonValue JsonArray::at(int64_t index) const {
  std::string path = fmt::format("{}[{}]", path_, index);
  const bool inside = index >= 0 && index < size();
  return place(inside ? &(*node_)[static_cast<size_t>(index)] : nullptr, std::move(path));
}

std::vector<int64_t> JsonArray::ints(IntRange range) const {
  std::vector<int64_t> out;
  for (int64_t i = 0; i < size(); ++i) out.push_back(at(i).as_int(range));
  return out;
}

std::vector<double> JsonArray::numbers(NumberRange range) const {
  std::vector<double> out;
  for (int64_t i = 0; i < size(); ++i) out.push_back(at(i).as_number(range));
  return out;
}

std::vector<std::string> JsonArray::strings() const {
  std::vector<std::string> out;
  for (int64_t i = 0; i < size(); ++i) out.push_back(at(i).as_string());
  return out;
}

int64_t JsonObject::size() const noexcept { return absent() ? 0 : static_cast<int64_t>(node_->size()); }

std::vector<std::string> JsonObject::keys() const {
  std::vector<std::string> out;
  if (absent()) return out;
  for (const auto& item : node_->items()) out.push_back(item.key());
  return out;
}

JsonValue JsonObject::at(std::string_view key) const {
  const json* child = nullptr;
  if (!absent()) {
    const auto found = node_->find(key);
    if (found != node_->end()) child = &*found;
  }
  std::string path = path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  return place(child, std::move(path));
}

bool JsonObject::get_bool(std::string_view key, bool fallback) const {
  const JsonValue value = at(key);
  return value.absent() ? fallback : value.as_bool();
}

int64_t JsonObject::get_int(std::string_view key, int64_t fallback, IntRange range) const {
  const JsonValue value = at(key);
  return value.absent() ? fallback : value.as_int(range);
}

double JsonObject::get_number(std::string_view key, double fallback, NumberRange range) const {
  const JsonValue value = at(key);
  return value.absent() ? fallback : value.as_number(range);
}

std::string JsonObject::get_string(std::string_view key, std::string_view fallback) const {
  const JsonValue value = at(key);
  return value.absent() ? std::string(fallback) : value.as_string();
}

JsonObject JsonObject::get_object(std::string_view key) const {
  const JsonValue value = at(key);
  return value.absent() ? JsonObject(document_, nullptr, value.path()) : value.as_object();
}

JsonArray JsonObject::get_array(std::string_view key) const {
  const JsonValue value = at(key);
  return value.absent() ? JsonArray(document_, nullptr, value.path()) : value.as_array();
}

std::vector<int64_t> JsonObject::get_int_or_ints(std::string_view key, IntRange range) const {
  const JsonValue value = at(key);
  if (value.absent()) return {};
  if (value.kind() == JsonKind::array) return value.as_array().ints(range);
  return {value.as_int(range)};
}

JsonObject JsonObject::require_object(std::string_view key) const { return at(key).as_object(); }

JsonArray JsonObject::require_array(std::string_view key) const { return at(key).as_array(); }

void JsonObject::expect_only(std::initializer_list<std::string_view> known) const {
  for (const std::string& key : keys()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const StatusCode code = document_ ? document_->error : StatusCode::corrupt_data;
    fail(code, "{}: found unknown key {}, expected one of {}", source(), quote(at(key).path()), fmt::join(known, ", "));
  }
}

}  // namespace graft

// What an architecture's JSON calls fields: named values read from config.json or worked out from one another, and the
// places of the JSON that use them.
#pragma once

#include <map>
#include <string>

#include "core/checkpoint/json.h"
#include "core/model/config.h"
#include "core/policies/json/expression.h"

namespace graft::json_policy {

/// Reads both documents while one model is described; not for several threads at once. Errors about the policy's own
/// text are INVALID_ARGUMENT and name the place in it; errors about config.json are that document's.
class Fields {
 public:
  Fields(JsonObject fields, JsonObject config);

  /// Where `layer` and `head` in expressions point; -1: the name is not known there.
  void set_layer(int64_t layer) { layer_ = layer; }
  void set_head(int64_t head) { head_ = head; }

  /// A number or truth as it stands, or a string as an expression. The fallback where the key is absent.
  int64_t whole(const JsonObject& place, const char* key, std::optional<int64_t> fallback, IntRange range);
  double number(const JsonObject& place, const char* key, double fallback, NumberRange range);
  bool flag(const JsonObject& place, const char* key, bool fallback);
  /// A string as it stands, or an expression behind "=". No fallback: the key is required.
  std::string text(const JsonObject& place, const char* key, std::optional<std::string> fallback = std::nullopt);

  const JsonObject& config() const { return config_; }

 private:
  Value value_of(const JsonValue& place);
  Value expression(const JsonValue& place, std::string_view text);
  std::optional<Value> find(std::string_view name);
  Value read(const JsonObject& field);

  JsonObject fields_;
  JsonObject config_;
  std::map<std::string, std::optional<Value>, std::less<>> known_;  ///< none: being worked out
  int64_t layer_ = -1;
  int64_t head_ = -1;
};

/// The value of a key such as "attn_config.softmax_scale".
JsonValue find_key(const JsonObject& config, std::string_view path);

}  // namespace graft::json_policy

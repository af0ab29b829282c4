// JSON files and texts of a checkpoint, read with limits and through typed getters whose errors say what was expected.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/status.h"

namespace graft {

struct JsonOptions {
  int64_t max_bytes = int64_t{64} << 20;  ///< of the text; more is LIMIT_EXCEEDED
  int64_t max_depth = 64;                 ///< of arrays and objects; more is LIMIT_EXCEEDED
  int64_t max_values = 4'000'000;         ///< scalars and containers; more is LIMIT_EXCEEDED
  bool unique_keys = false;               ///< a key given twice is an error; otherwise the last one holds, as in Python
  /// Read NaN, Infinity and -Infinity (and Transformers' {"__float__": "Infinity"}) as numbers: Python writes them.
  bool python_numbers = true;
  StatusCode error = StatusCode::corrupt_data;  ///< for malformed text and for values that are not as expected
};

/// absent: no such key, no such index, or null.
enum class JsonKind { absent, boolean, integer, number, string, array, object };

/// Both ends included.
struct IntRange {
  int64_t low = std::numeric_limits<int64_t>::min();
  int64_t high = std::numeric_limits<int64_t>::max();
};

/// Both ends included; infinite ends admit infinities, NaN never passes.
struct NumberRange {
  double low = std::numeric_limits<double>::lowest();
  double high = std::numeric_limits<double>::max();
};

struct JsonDocument;
class JsonArray;
class JsonObject;

/// A place in a document, with the document kept alive and the path remembered ("rope_parameters.factor", "layers[3]").
/// Immutable, any thread. The as_* functions throw the document's error code with a message such as
///   config.json: 'num_hidden_layers' is "two", expected an integer from 1 to 10000
/// and, when absent, "... 'num_hidden_layers' is missing, expected ...".
class JsonValue {
 public:
  JsonValue();  ///< absent

  JsonKind kind() const noexcept;
  bool absent() const noexcept { return kind() == JsonKind::absent; }

  bool as_bool() const;
  /// A number with a fraction of zero counts as an integer (JSON does not tell 32 from 32.0).
  int64_t as_int(IntRange range = {}) const;
  double as_number(NumberRange range = {}) const;
  std::string as_string() const;
  JsonArray as_array() const;
  JsonObject as_object() const;

  /// Compact JSON of this place; "null" when absent.
  std::string text() const;
  const std::string& path() const noexcept { return path_; }
  /// The file or name the text came from.
  std::string source() const;
  /// Throws as the as_* functions do: "SOURCE: 'PATH' is FOUND, expected EXPECTATION".
  [[noreturn]] void fail_expected(std::string_view expectation) const;

 protected:
  JsonValue(std::shared_ptr<const JsonDocument> document, const nlohmann::json* node, std::string path);
  friend JsonValue parse_json(std::string_view text, const std::string& source, const JsonOptions& options);
  /// Another place of the same document.
  JsonValue place(const nlohmann::json* node, std::string path) const;

  std::shared_ptr<const JsonDocument> document_;
  const nlohmann::json* node_;  ///< null: absent
  std::string path_;
};

/// A JsonValue known to be an array, or an absent one (size 0).
class JsonArray : public JsonValue {
 public:
  JsonArray() = default;
  int64_t size() const noexcept;
  JsonValue at(int64_t index) const;  ///< absent outside [0, size)

  std::vector<int64_t> ints(IntRange range = {}) const;
  std::vector<double> numbers(NumberRange range = {}) const;
  std::vector<std::string> strings() const;

 private:
  friend class JsonValue;
  friend class JsonObject;
  using JsonValue::JsonValue;
};

/// A JsonValue known to be an object, or an absent one (no keys). get_*: the fallback where the key is absent or null;
/// require_*: an error there. Keys are plain, not paths.
class JsonObject : public JsonValue {
 public:
  JsonObject() = default;
  int64_t size() const noexcept;
  std::vector<std::string> keys() const;
  bool has(std::string_view key) const { return !at(key).absent(); }
  JsonValue at(std::string_view key) const;

  bool get_bool(std::string_view key, bool fallback) const;
  int64_t get_int(std::string_view key, int64_t fallback, IntRange range = {}) const;
  double get_number(std::string_view key, double fallback, NumberRange range = {}) const;
  std::string get_string(std::string_view key, std::string_view fallback) const;
  /// Absent: an empty object or array that remembers its path.
  JsonObject get_object(std::string_view key) const;
  JsonArray get_array(std::string_view key) const;
  /// One integer or an array of them (eos_token_id is either); absent: empty.
  std::vector<int64_t> get_int_or_ints(std::string_view key, IntRange range = {}) const;

  bool require_bool(std::string_view key) const { return at(key).as_bool(); }
  int64_t require_int(std::string_view key, IntRange range = {}) const { return at(key).as_int(range); }
  double require_number(std::string_view key, NumberRange range = {}) const { return at(key).as_number(range); }
  std::string require_string(std::string_view key) const { return at(key).as_string(); }
  JsonObject require_object(std::string_view key) const;
  JsonArray require_array(std::string_view key) const;

  /// Throws the document's error code naming the first key that is not among `known`.
  void expect_only(std::initializer_list<std::string_view> known) const;

 private:
  friend class JsonValue;
  using JsonValue::JsonValue;
};

/// Parses a text; `source` names it in errors. Throws options.error for text that is not JSON (with the place),
/// LIMIT_EXCEEDED.
JsonValue parse_json(std::string_view text, const std::string& source, const JsonOptions& options = {});

/// The same; anything but an object is an error.
JsonObject parse_json_object(std::string_view text, const std::string& source, const JsonOptions& options = {});

/// Reads and parses a file whose top is an object. Throws also what MappedFile::open throws.
JsonObject read_json_object(const std::string& path, const JsonOptions& options = {});

}  // namespace graft

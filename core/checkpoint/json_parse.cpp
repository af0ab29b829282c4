// From text to JsonDocument. nlohmann's parser keeps its own stack on the heap, so depth costs no native stack here;
// the depth limit protects what walks the document later.
#include <cmath>
#include <optional>
#include <utility>

#include "core/checkpoint/json.h"
#include "core/checkpoint/json_document.h"
#include "core/checkpoint/mapped_file.h"

namespace graft {
namespace {

using nlohmann::json;

constexpr const char* float_key = "__float__";

std::optional<double> python_number(std::string_view name) {
  if (name == "NaN") return std::nan("");
  if (name == "Infinity") return std::numeric_limits<double>::infinity();
  if (name == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

/// The text with bare NaN, Infinity and -Infinity in the form {"__float__": NAME}; nothing when there are none.
std::optional<std::string> rewrite_python_numbers(std::string_view text, const JsonOptions& options,
                                                  const std::string& source) {
  if (text.find("NaN") == std::string_view::npos && text.find("Infinity") == std::string_view::npos)
    return std::nullopt;
  std::string out;
  int64_t count = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (in_string) {
      const size_t step = c == '\\' && i + 1 < text.size() ? 2 : 1;
      in_string = c != '"';
      out += text.substr(i, step);
      i += step;
      continue;
    }
    in_string = c == '"';
    size_t step = 1;
    for (const std::string_view name : {"NaN", "Infinity", "-Infinity"}) {
      if (text.substr(i, name.size()) == name) step = name.size();
    }
    if (step == 1) {
      out += c;
    } else {
      if (++count > options.max_values) {
        fail(StatusCode::limit_exceeded, "{}: more than {} JSON values", source, options.max_values);
      }
      out += fmt::format("{{\"{}\":\"{}\"}}", float_key, text.substr(i, step));
    }
    i += step;
  }
  return out;
}

class DocumentBuilder : public nlohmann::json_sax<json> {
 public:
  DocumentBuilder(json& root, const std::string& source, const JsonOptions& options)
      : root_(root), source_(source), options_(options) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return open(json::object()); }
  bool start_array(size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }

  bool end_object() override {
    json& object = *stack_.back();
    if (options_.python_numbers && object.size() == 1 && object.begin().key() == float_key &&
        object.begin()->is_string()) {
      if (const auto number = python_number(object.begin()->get_ref<const std::string&>())) object = *number;
    }
    return close();
  }

  bool key(string_t& value) override {
    if (options_.unique_keys && stack_.back()->contains(value)) {
      fail(options_.error, "{}: key {} is given twice", source_, quote(value));
    }
    key_ = std::move(value);
    return true;
  }

  bool parse_error(size_t, const std::string&, const json::exception& error) override {
    fail(options_.error, "{}: not valid JSON: {}", source_, parse_error_text(error));
  }

 private:
  json& place(json&& value) {
    if (++count_ > options_.max_values) {
      fail(StatusCode::limit_exceeded, "{}: more than {} JSON values", source_, options_.max_values);
    }
    if (stack_.empty()) return root_ = std::move(value);
    json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return parent.back();
    }
    return parent[key_] = std::move(value);
  }

  bool add(json&& value) {
    place(std::move(value));
    return true;
  }

  // A container's address holds while it is open: its parent gets no other child meanwhile.
  bool open(json&& container) {
    if (static_cast<int64_t>(stack_.size()) >= options_.max_depth) {
      fail(StatusCode::limit_exceeded, "{}: JSON nested deeper than {} levels", source_, options_.max_depth);
    }
    stack_.push_back(&place(std::move(container)));
    return true;
  }

  bool close() {
    stack_.pop_back();
    return true;
  }

  json& root_;
  const std::string& source_;
  const JsonOptions& options_;
  std::vector<json*> stack_;
  std::string key_;
  int64_t count_ = 0;
};

}  // namespace

JsonValue parse_json(std::string_view text, const std::string& source, const JsonOptions& options) {
  auto document = std::make_shared<JsonDocument>();
  document->source = printable(source, most_of_path);
  document->error = options.error;
  if (static_cast<int64_t>(text.size()) > options.max_bytes) {
    fail(StatusCode::limit_exceeded, "{}: found {} bytes of JSON, expected at most {}", document->source, text.size(),
         options.max_bytes);
  }
  refuse_nul(text, document->source, options.error);
  std::optional<std::string> rewritten;
  if (options.python_numbers) rewritten = rewrite_python_numbers(text, options, document->source);
  if (rewritten) text = *rewritten;
  DocumentBuilder builder(document->root, document->source, options);
  json::sax_parse(text.begin(), text.end(), &builder);
  const json* root = &document->root;
  return JsonValue(std::move(document), root, "");
}

JsonObject parse_json_object(std::string_view text, const std::string& source, const JsonOptions& options) {
  return parse_json(text, source, options).as_object();
}

JsonObject read_json_object(const std::string& path, const JsonOptions& options) {
  // Read, not mapped: somebody may be editing a configuration.
  const auto file = MappedFile::open(path, WeightsMode::read, options.max_bytes);
  const auto bytes = file->bytes();
  return parse_json_object({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path, options);
}

}  // namespace graft

#include "core/text/chat_template.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "core/base/status.h"
#include "core/text/text_bytes.h"
#include "core/text/tokenizer_file.h"

namespace graft {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// As many as a folder of templates is searched for.
constexpr size_t max_templates = 64;

std::optional<std::string> read_if_there(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  return read_tokenizer_file(file.string(), ChatTemplate::max_file_bytes);
}

Json read_object(const fs::path& file) {
  const std::optional<std::string> text = read_if_there(file);
  if (!text) return Json::object();
  Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) fail(StatusCode::corrupt_data, "{}: not valid JSON", file.string());
  if (!json.is_object())
    fail(StatusCode::corrupt_data, "{}: found {}, expected an object", file.string(), json.type_name());
  return json;
}

void read_folder(const fs::path& folder, Json& templates) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".jinja") continue;
    if (templates.size() >= max_templates)
      fail(StatusCode::limit_exceeded, "{}: more than {} templates", folder.string(), max_templates);
    templates[it->path().stem().string()] = read_tokenizer_file(it->path().string(), ChatTemplate::max_file_bytes);
  }
}

[[noreturn]] void fail_templates(const std::string& file, std::string_view found) {
  fail(StatusCode::corrupt_data, "{}: key chat_template: found {}, expected a string or a list of {{name, template}}",
       file, found);
}

/// The key chat_template of tokenizer_config.json as {name: text}.
Json templates_of(const Json& config, const std::string& file) {
  const auto found = config.find("chat_template");
  Json templates = Json::object();
  if (found == config.end() || found->is_null()) return templates;
  if (found->is_string()) {
    templates["default"] = *found;
  } else if (found->is_object()) {
    for (const auto& [name, text] : found->items()) {
      if (!text.is_string()) fail_templates(file, text.type_name());
      templates[name] = text;
    }
  } else if (found->is_array()) {
    for (const Json& entry : *found) {
      const bool whole = entry.is_object() && entry.contains("name") && entry.contains("template") &&
                         entry["name"].is_string() && entry["template"].is_string();
      if (!whole) fail_templates(file, "a list with another entry");
      templates[entry["name"].get<std::string>()] = entry["template"];
    }
  } else {
    fail_templates(file, found->type_name());
  }
  return templates;
}

/// Takes what is a special token: a string, or an object with the string as its content.
void add_special(const Json& tokens, Json& special) {
  for (const auto& [name, value] : tokens.items()) {
    const bool described = value.is_object() && value.contains("content");
    const Json& token = described ? value["content"] : value;
    if (name.ends_with("_token") && token.is_string()) special[name] = token;
  }
}

/// With U+FFFD for what is not UTF-8.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::shared_ptr<const ChatTemplate> ChatTemplate::open(const std::string& path) {
  std::shared_ptr<ChatTemplate> result(new ChatTemplate());
  std::error_code ignored;
  const fs::path given(path);
  const fs::path folder = fs::is_directory(given, ignored) ? given : given.parent_path();
  const fs::path config_file = folder / "tokenizer_config.json";
  result->source_ = config_file.string();
  try {
    Json templates = Json::object();
    if (auto text = read_if_there(folder / "chat_template.jinja")) templates["default"] = std::move(*text);
    read_folder(folder / "additional_chat_templates", templates);
    if (!templates.empty()) result->source_ = (folder / "chat_template.jinja").string();
    const Json config = read_object(config_file);
    if (templates.empty()) templates = templates_of(config, config_file.string());
    Json special = Json::object();
    add_special(config, special);
    if (const auto named = config.find("extra_special_tokens"); named != config.end() && named->is_object())
      add_special(*named, special);
    if (!config.contains("added_tokens_decoder")) add_special(read_object(folder / "special_tokens_map.json"), special);
    result->available_ = !templates.empty();
    result->setup_ = dump({{"templates", std::move(templates)}, {"special", std::move(special)}});
  } catch (const Error& error) {
    result->problem_code_ = static_cast<int32_t>(error.code());
    result->problem_ = error.what();
  } catch (const fs::filesystem_error& error) {
    result->problem_code_ = static_cast<int32_t>(StatusCode::io_error);
    result->problem_ = error.what();
  }
  return result;
}

std::string ChatTemplate::render(std::string_view messages, std::string_view options) const {
  if (problem_code_ != 0) throw Error(static_cast<StatusCode>(problem_code_), problem_);
  Bytes text;
  Bytes error;
  check(graft_text_render_chat(bytes_of(setup_), size_of(setup_), bytes_of(messages), size_of(messages),
                               bytes_of(options), size_of(options), text.out(), error.out()),
        error, source_);
  return text.str();
}

}  // namespace graft

// Chat templates: what a model's own Jinja template makes of a conversation.
//
// The template comes with the model and is code, so it runs in a sandbox: no files, no network, no environment but the
// clock, and a budget of work and memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace graft {

/// The chat templates of a model. Immutable; any number of threads may use one at once.
class ChatTemplate {
 public:
  /// Largest file that is read, in bytes.
  static constexpr int64_t max_file_bytes = int64_t{64} << 20;

  /// Reads the templates and special tokens of `path`, a model directory or a file in it, from where Transformers
  /// reads them: chat_template.jinja and additional_chat_templates/*.jinja, else the key chat_template of
  /// tokenizer_config.json. A model without a template and files that cannot be read are no failure here; `render`
  /// tells. Throws only std::bad_alloc.
  static std::shared_ptr<const ChatTemplate> open(const std::string& path);

  /// The text of a conversation, as Transformers renders it; encode it with add_special false.
  ///
  /// `messages`: a JSON array of objects, in general {"role": ..., "content": ...}; a null entry counts as absent.
  /// `options`: a JSON object, or empty. Its keys are
  ///   add_generation_prompt   whether the start of the model's answer follows; true where it is not given
  ///   continue_final_message  true, or the name of a key of the last message: its text stays open at the end
  ///   tools, documents        arrays of objects, as the template wants them
  ///   chat_template           the name of one of the model's templates, or a template
  /// and any other is a variable of the template.
  ///
  /// Throws Error: INVALID_ARGUMENT (not such JSON, not UTF-8; what the template refuses, in its own words),
  /// UNSUPPORTED (no template; a filter or function that this engine has not), CORRUPT_DATA (the template or the files
  /// around it are broken), LIMIT_EXCEEDED (8 MiB of messages, or of options; 1 MiB of template; 16 MiB of text; work
  /// and recursion), OUT_OF_MEMORY, IO_ERROR.
  std::string render(std::string_view messages, std::string_view options = {}) const;

  /// Whether the model brings a template.
  bool available() const { return available_; }

 private:
  ChatTemplate() = default;

  std::string source_;  ///< names the templates in messages
  std::string setup_;   ///< JSON: {"templates": {...}, "special": {...}}
  bool available_ = false;
  int32_t problem_code_ = 0;  ///< what went wrong with the files
  std::string problem_;
};

}  // namespace graft

// A model folder with a chat template, for one test.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "core/text/chat_template.h"

namespace graft::testing {

inline constexpr const char* one_message = R"([{"role": "user", "content": "Hi"}])";

/// A folder of its own that goes away with the object.
class ChatFolder {
 public:
  ChatFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "graft-chat-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  explicit ChatFolder(const std::string& chat_template) : ChatFolder() { write("chat_template.jinja", chat_template); }
  ~ChatFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ChatFolder(const ChatFolder&) = delete;
  ChatFolder& operator=(const ChatFolder&) = delete;

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << content;
  }
  std::shared_ptr<const ChatTemplate> open() const { return ChatTemplate::open(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace graft::testing

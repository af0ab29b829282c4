#include "core/text/tokenizer_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "core/base/status.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

constexpr const char* supported_formats =
    "the supported format is Hugging Face's tokenizer.json; write one with "
    "AutoTokenizer.from_pretrained(MODEL).save_pretrained(DIRECTORY)";

/// Names of tokenizer files in formats that are not read, for the message only.
std::string other_formats_in(const fs::path& directory) {
  std::string found;
  for (const char* name : {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "merges.txt",
                           "vocab.txt", "tekken.json", "tiktoken.model"}) {
    std::error_code error;
    if (fs::exists(directory / name, error)) found += found.empty() ? name : std::string(", ") + name;
  }
  return found;
}

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

std::string find_tokenizer_file(const std::string& path) {
  std::error_code error;
  const fs::path given(path);
  const fs::path file = fs::is_directory(given, error) ? given / "tokenizer.json" : given;
  const fs::file_status status = fs::status(file, error);
  if (fs::exists(status)) return file.string();
  if (error && status.type() != fs::file_type::not_found)
    fail(StatusCode::io_error, "{}: {}", file.string(), error.message());
  const std::string others = other_formats_in(file.parent_path());
  if (others.empty()) fail(StatusCode::not_found, "{}: no such file; {}", file.string(), supported_formats);
  fail(StatusCode::not_found, "{}: no such file; found {} instead, but {}", file.string(), others, supported_formats);
}

std::string read_tokenizer_file(const std::string& file, int64_t limit) {
  std::error_code error;
  if (!fs::is_regular_file(file, error))  // a pipe or a device would never end
    fail(StatusCode::io_error, "{}: {}", file, error ? error.message() : "not a regular file");
  const uintmax_t size = fs::file_size(file, error);
  if (error) fail(StatusCode::io_error, "{}: {}", file, error.message());
  if (size > static_cast<uintmax_t>(limit))
    fail(StatusCode::limit_exceeded, "{}: {} bytes, expected at most {}", file, size, limit);
  const std::unique_ptr<std::FILE, FileCloser> handle(std::fopen(file.c_str(), "rbe"));
  if (!handle)
    fail(errno == ENOENT ? StatusCode::not_found : StatusCode::io_error, "{}: {}", file,
         std::generic_category().message(errno));
  std::string content(static_cast<size_t>(size), '\0');
  content.resize(std::fread(content.data(), 1, content.size(), handle.get()));
  if (std::ferror(handle.get()) != 0 || content.size() != size)
    fail(StatusCode::io_error, "{}: read {} of {} bytes", file, content.size(), size);
  return content;
}

}  // namespace graft

#include "output.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

namespace cli {

Json parse_json(const String& text) {
  Json value = Json::parse(to_string(text), nullptr, false);
  if (!value.is_object()) throw Failure(GRAFT_STATUS_INTERNAL, "the library's answer is not a JSON object");
  return value;
}

void print_json_line(const Json& value) {
  const std::string line = value.dump(-1, ' ', false, Json::error_handler_t::replace);  // a path may be no UTF-8
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void finish_stdout() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw Failure(GRAFT_STATUS_IO_ERROR, std::string("stdout cannot be written (") + std::strerror(errno) + ")");
}

int64_t peak_resident_bytes() {
  // Not getrusage: its figure survives exec, so a large parent would be measured with us.
  std::ifstream status("/proc/self/status");
  std::string word;
  int64_t kibibytes = 0;
  while (status >> word && word != "VmHWM:") {
  }
  status >> kibibytes;
  return kibibytes * 1024;
}

}  // namespace cli

#include "output.h"

#include <sys/resource.h>

#include <cerrno>
#include <cstring>

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
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
}

}  // namespace cli

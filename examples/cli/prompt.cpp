#include "prompt.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "errors.h"
#include "interrupt.h"

namespace cli {

std::string read_prompt(const std::optional<std::string>& argument) {
  if (argument) return *argument;
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t size = read(STDIN_FILENO, buffer, sizeof buffer);
    if (interrupted()) throw Interrupted();
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw Failure(GRAFT_STATUS_IO_ERROR, std::string("stdin cannot be read: ") + std::strerror(errno));
    if (size == 0) break;
    text.append(buffer, static_cast<size_t>(size));
  }
  if (!text.empty() && text.back() == '\n') text.pop_back();  // the shell's newline, not the writer's
  if (!text.empty() && text.back() == '\r') text.pop_back();
  return text;
}

}  // namespace cli

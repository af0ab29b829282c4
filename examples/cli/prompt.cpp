#include "prompt.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "errors.h"
#include "interrupt.h"

namespace cli {
namespace {

enum class Read { some, end, interrupted };

/// Waits until stdin has something. Ctrl-C ends the wait, also one that comes between looking for it and waiting: it is
/// held back until ppoll lets it in.
void wait_for_input() {
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &before);
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (!interrupted()) ppoll(&input, 1, nullptr, &before);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

/// Appends what stdin has next; waits for it.
Read read_some(std::string& text) {
  char buffer[65536];
  for (;;) {
    wait_for_input();
    if (interrupted()) return Read::interrupted;
    const ssize_t size = read(STDIN_FILENO, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw Failure(GRAFT_STATUS_IO_ERROR, std::string("stdin cannot be read: ") + std::strerror(errno));
    if (size == 0) return Read::end;
    text.append(buffer, static_cast<size_t>(size));
    return Read::some;
  }
}

void drop_last(std::string& text, char last) {
  if (!text.empty() && text.back() == last) text.pop_back();
}

}  // namespace

std::string read_prompt(const std::optional<std::string>& argument) {
  if (argument) return *argument;
  std::string text;
  for (;;) {
    const Read result = read_some(text);
    if (result == Read::interrupted) throw Interrupted();
    if (result == Read::end) break;
  }
  drop_last(text, '\n');  // the shell's newline, not the writer's
  drop_last(text, '\r');
  return text;
}

LineReader::Result LineReader::next(std::string& line) {
  for (;;) {
    const size_t newline = pending_.find('\n');
    if (newline != std::string::npos || (ended_ && !pending_.empty())) {
      line = pending_.substr(0, newline);
      pending_.erase(0, newline == std::string::npos ? newline : newline + 1);
      drop_last(line, '\r');
      return Result::line;
    }
    if (ended_) return Result::end;
    const Read result = read_some(pending_);
    if (result == Read::interrupted) {
      pending_.clear();
      return Result::interrupted;
    }
    ended_ = result == Read::end;
  }
}

}  // namespace cli

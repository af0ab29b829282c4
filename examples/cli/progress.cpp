#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "errors.h"
#include "interrupt.h"

namespace cli {
namespace {

constexpr int bar_width = 30;
constexpr int text_width = 40;

}  // namespace

ProgressBar::ProgressBar(bool enabled) : enabled_(enabled && isatty(STDERR_FILENO) != 0) {}

void ProgressBar::clear() {
  if (!last_line_.empty()) std::fputs("\r\033[K", stderr);
  last_line_.clear();
}

void show_prompt_progress(ProgressBar& bar, const graft_event* event) {
  if (graft_event_kind(event) == GRAFT_EVENT_PROGRESS) {
    bar.draw(graft_event_progress(event), "reading the prompt");
  } else {
    bar.clear();
  }
}

void LoadProgress::attach(graft_engine_options* options) {
  check(graft_engine_options_set_progress(options, report, this));
}

int32_t LoadProgress::report(void* self, double fraction, const char* what) {
  if (interrupted()) return 1;
  try {
    static_cast<LoadProgress*>(self)->bar_.draw(fraction, what);
  } catch (...) {  // out of memory for a progress bar is no reason to stop, and nothing may unwind into the library
  }
  return 0;
}

void ProgressBar::draw(double fraction, const char* what) {
  if (!enabled_) return;
  const double bounded = std::clamp(fraction, 0.0, 1.0);
  std::string bar(static_cast<size_t>(bounded * bar_width), '#');
  bar.resize(bar_width, ' ');
  char line[160];
  std::snprintf(line, sizeof line, "\r[%s] %3d%% %.*s\033[K", bar.c_str(), static_cast<int>(bounded * 100), text_width,
                what == nullptr ? "" : what);
  if (last_line_ == line) return;
  last_line_ = line;
  std::fputs(line, stderr);
  std::fflush(stderr);
}

}  // namespace cli

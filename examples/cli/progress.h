// Progress bars: on stderr, only when that is a terminal.
#pragma once

#include <graft/engine_options.h>
#include <graft/event.h>

#include <string>

namespace cli {

/// One line that is drawn over itself and removed at the end.
class ProgressBar {
 public:
  /// enabled  false draws nothing.
  explicit ProgressBar(bool enabled);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void draw(double fraction, const char* what);
  void clear();

 private:
  bool enabled_;
  std::string last_line_;
};

/// The load's bar. Ctrl-C cancels the load, drawn or not.
class LoadProgress {
 public:
  explicit LoadProgress(bool enabled) : bar_(enabled) {}

  /// Has `options` report here; this object must outlive the load.
  void attach(graft_engine_options* options);

 private:
  static int32_t report(void* self, double fraction, const char* what);

  ProgressBar bar_;
};

/// The prompt's bar: shows each event of an answer, and goes when the first token comes.
void show_prompt_progress(ProgressBar& bar, const graft_event* event);

}  // namespace cli

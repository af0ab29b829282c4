// The load's progress bar: on stderr, only when that is a terminal.
#pragma once

#include <graft/engine_options.h>

#include <string>

namespace cli {

class LoadProgress {
 public:
  /// enabled  false draws nothing; Ctrl-C cancels the load either way.
  explicit LoadProgress(bool enabled);
  ~LoadProgress();
  LoadProgress(const LoadProgress&) = delete;
  LoadProgress& operator=(const LoadProgress&) = delete;

  /// Has `options` report here; this object must outlive the load.
  void attach(graft_engine_options* options);

 private:
  static int32_t report(void* self, double fraction, const char* what);
  void draw(double fraction, const char* what);

  bool enabled_;
  std::string last_line_;
};

}  // namespace cli

/* The two callbacks of the ABI, as functions of Go. What the user gave is a cgo.Handle, a number and no pointer. */
#include <graft/graft.h>

#include "_cgo_export.h"

static int32_t progress(void* user, double fraction, const char* what) {
  return graftGoProgress((uintptr_t)user, fraction, (char*)what);
}

static void line(void* user, graft_log_level level, const char* message) {
  (void)user;
  graftGoLog(level, (char*)message);
}

int32_t graft_go_set_progress(void* options, uintptr_t user) {
  return graft_engine_options_set_progress(options, progress, (void*)user);
}

int32_t graft_go_set_log(int32_t enabled) { return graft_log_set_callback(enabled ? line : NULL, NULL); }

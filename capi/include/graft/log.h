/**
 * Log lines. Process-wide: the one setting that all engines share. Until told otherwise, warnings and errors go to
 * stderr.
 */
#ifndef GRAFT_LOG_H
#define GRAFT_LOG_H

#include "export.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t graft_log_level;

enum {
  GRAFT_LOG_OFF = 0,
  GRAFT_LOG_ERROR = 1,
  GRAFT_LOG_WARNING = 2, /**< the default */
  GRAFT_LOG_INFO = 3,
  GRAFT_LOG_DEBUG = 4
};

/**
 * Receives one line. Called from any thread, the library's own included, possibly from several at once, with no lock of
 * Graft's held. It must return soon, and must neither throw nor unwind. It may call Graft.
 *
 * user     as given to graft_log_set_callback.
 * level    GRAFT_LOG_ERROR ... GRAFT_LOG_DEBUG.
 * message  borrowed for the call; UTF-8, NUL-terminated, no final newline.
 */
typedef void (*graft_log_callback)(void* user, graft_log_level level, const char* message);

/**
 * Lets through lines of this level and graver ones; GRAFT_LOG_OFF silences all.
 *
 * Thread  any.
 * Status  INVALID_ARGUMENT (not a level).   Since ABI 1.
 */
GRAFT_API graft_status graft_log_set_level(graft_log_level level);

/**
 * Sends log lines to a function; NULL brings stderr back.
 *
 * user    kept and handed back at each line. A line that another thread is just writing may reach the previous function
 *         after this call returned, so what it uses should outlive the process's work with Graft.
 * Thread  any.
 * Status  none expected.   Since ABI 1.
 */
GRAFT_API graft_status graft_log_set_callback(graft_log_callback callback, void* user);

#ifdef __cplusplus
}
#endif

#endif

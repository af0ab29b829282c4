/** Status codes and the text that goes with a failure. */
#ifndef GRAFT_STATUS_H
#define GRAFT_STATUS_H

#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The result of a call. The numbers never change; new ones are only appended. */
typedef int32_t graft_status;

enum {
  GRAFT_STATUS_OK = 0,
  GRAFT_STATUS_INVALID_ARGUMENT = 1,   /**< an argument is wrong; the text names it */
  GRAFT_STATUS_INVALID_STATE = 2,      /**< right call, wrong moment (for example: submit after close) */
  GRAFT_STATUS_NOT_FOUND = 3,          /**< a file, a library, a tensor or a token does not exist */
  GRAFT_STATUS_UNSUPPORTED = 4,        /**< understood, but not offered by this release, model or machine */
  GRAFT_STATUS_LIMIT_EXCEEDED = 5,     /**< longer than the context, larger than a stated limit */
  GRAFT_STATUS_BUSY = 6,               /**< the engine's waiting queue is full; try again later */
  GRAFT_STATUS_OUT_OF_MEMORY = 7,      /**< host or device memory */
  GRAFT_STATUS_DEVICE_ERROR = 8,       /**< the device or its driver failed */
  GRAFT_STATUS_COMM_ERROR = 9,         /**< another rank died, hung or could not be reached */
  GRAFT_STATUS_IO_ERROR = 10,          /**< a file could not be read, written or loaded */
  GRAFT_STATUS_CORRUPT_DATA = 11,      /**< a file is damaged or not what it claims to be */
  GRAFT_STATUS_BUFFER_TOO_SMALL = 12,  /**< out_count holds the number of elements needed */
  GRAFT_STATUS_CANCELLED = 13,         /**< somebody cancelled it */
  GRAFT_STATUS_TIMEOUT = 14,           /**< nothing yet: poll again. Not a failure */
  GRAFT_STATUS_DEADLINE_EXCEEDED = 15, /**< the request's own deadline passed */
  GRAFT_STATUS_CLOSED = 16,            /**< the engine or queue was closed */
  GRAFT_STATUS_VERSION_MISMATCH = 17,  /**< two libraries of different versions met */
  GRAFT_STATUS_END = 18,               /**< nothing more will come. Not a failure */
  GRAFT_STATUS_INTERNAL = 19           /**< a defect of Graft; please report it with the text */
};

/**
 * Text of the last failure on this thread: what was wrong, what was found, what was expected. Never NULL; empty when
 * the thread's last fallible call succeeded.
 *
 * Returns  borrowed; valid until the next Graft call on this thread. Read it on the thread that made the failing call,
 *          at once: a runtime that moves work between threads (goroutines, fibres) must read it in the same native
 * call. Thread   any.   Since ABI 1.
 */
GRAFT_API const char* graft_last_error_message(void);

/**
 * Name of a status code: "OK", "INVALID_ARGUMENT", ...; "UNKNOWN" for any other number.
 *
 * Returns  borrowed; valid for the life of the process.
 * Thread   any.   Since ABI 1.
 */
GRAFT_API const char* graft_status_name(graft_status status);

#ifdef __cplusplus
}
#endif

#endif

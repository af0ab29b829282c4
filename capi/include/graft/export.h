/**
 * What every Graft header starts from: fixed-width integers, GRAFT_API, and the rules that hold for all of them.
 *
 * Rules (stated once here, not repeated at each function):
 * - Functions that can fail return graft_status (status.h); GRAFT_STATUS_OK is 0. Outputs come last: out_*.
 *   An out handle is set to NULL when the call begins; on failure nothing else that the caller owns is changed.
 * - Text in: UTF-8 bytes and an int64_t size; size -1 means NUL-terminated, other negative sizes are invalid. Text that
 *   is not valid UTF-8 is GRAFT_STATUS_INVALID_ARGUMENT. A size of 0 allows a NULL pointer.
 * - Text out: either borrowed from the object that holds it, or an owned graft_string (string.h).
 * - Arrays in: a pointer and an int64_t count (0 allows NULL). Arrays out: the caller's buffer, its capacity in
 *   elements, and out_count, which receives the number of elements needed; GRAFT_STATUS_BUFFER_TOO_SMALL when that
 *   exceeds the capacity.
 * - Everything given to a function is copied before it returns; nothing given is kept, unless the function says so.
 * - Handles come from *_new, *_open, ... and are released once with the noun's *_free, which accepts NULL, never blocks
 *   and may be called on any thread. Objects keep alive what they need: free them in any order.
 * - Getters never fail; given NULL they return 0, -1 or NULL as documented.
 * - No exception, signal, abort or exit leaves the library, and it prints nothing but log lines (log.h).
 * - Flags are int32_t, 0 or 1. Enum-like types are int32_t whose numbers never change.
 * - Thread words: "Send" = may be handed to another thread; "Sync" = may be used by several threads at once.
 *
 * Two limits no library can lift: a handle used after its *_free, and a mapped weight file that somebody shortens while
 * it is in use (graft_engine_options_set_weights with GRAFT_WEIGHTS_READ copies instead).
 */
#ifndef GRAFT_EXPORT_H
#define GRAFT_EXPORT_H

#include <stdint.h>

#if defined(__GNUC__) && !defined(SWIG)
#define GRAFT_API __attribute__((visibility("default")))
#else
#define GRAFT_API
#endif

#endif

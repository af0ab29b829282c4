/**
 * Where the time goes. Profiling is switched on for an engine; what was measured is taken away in pieces. A profile is
 * Send and Sync: it never changes.
 *
 * Where this release does not measure, graft_engine_profile returns GRAFT_STATUS_UNSUPPORTED and says so.
 */
#ifndef GRAFT_PROFILE_H
#define GRAFT_PROFILE_H

#include "engine.h"
#include "export.h"
#include "status.h"
#include "string.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_profile graft_profile;

/**
 * Begins (1) or ends (0) measuring. Off at first; what was measured stays until it is taken.
 *
 * Thread  any.
 * Status  UNSUPPORTED.   Since ABI 1.
 */
GRAFT_API graft_status graft_engine_profile(graft_engine* engine, int32_t enabled);

/**
 * Takes what was measured since the last take; the engine starts anew.
 *
 * out_profile  caller owns; release with graft_profile_free.
 * Thread       any.
 * Status       INVALID_STATE (profiling was never on), UNSUPPORTED.   Since ABI 1.
 */
GRAFT_API graft_status graft_profile_take(graft_engine* engine, graft_profile** out_profile);

/** Number of forward passes measured; 0 for NULL. Thread: any. Since ABI 1. */
GRAFT_API int64_t graft_profile_count(const graft_profile* profile);

/**
 * How long each forward pass took, in milliseconds, oldest first.
 *
 * out_milliseconds  caller's buffer of `capacity` numbers; may be NULL with capacity 0.
 * out_count         number of passes; required.
 * Thread            any.
 * Status            BUFFER_TOO_SMALL (the first `capacity` were written).   Since ABI 1.
 */
GRAFT_API graft_status graft_profile_milliseconds(const graft_profile* profile, double* out_milliseconds,
                                                  int64_t capacity, int64_t* out_count);

/**
 * The profile by operation and layer, as a JSON object.
 *
 * out_json  caller owns; release with graft_string_free.
 * Thread    any.
 * Status    OUT_OF_MEMORY.   Since ABI 1.
 */
GRAFT_API graft_status graft_profile_table(const graft_profile* profile, graft_string** out_json);

/** Releases the profile; NULL is fine. Thread: any. Since ABI 1. */
GRAFT_API void graft_profile_free(graft_profile* profile);

#ifdef __cplusplus
}
#endif

#endif

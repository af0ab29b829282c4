/**
 * Where the time goes. Profiling is switched on for an engine; what was measured is taken away in pieces. A profile is
 * Send and Sync: it never changes.
 *
 * A forward pass is measured from the moment a step is ready until its logits and hidden states are there: one step of
 * the engine for all requests that take part in it. Choosing tokens and making text are no part of it. Of a
 * tensor-parallel engine rank 0 is measured.
 *
 * Memory is bounded: each pass counts in the table, and the times of the newest 65536 passes are kept one by one.
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
 * Begins (1) or ends (0) measuring, from the next forward pass on; legal while requests run. Off at first; what was
 * measured stays until it is taken. In a process that follows rank 0 it has no effect.
 *
 * Thread  any.
 * Status  OUT_OF_MEMORY.   Since ABI 1.
 */
GRAFT_API graft_status graft_engine_profile(graft_engine* engine, int32_t enabled);

/**
 * Takes what was measured since the last take; the engine starts anew. A pass that still runs is in the next profile.
 *
 * out_profile  caller owns; release with graft_profile_free.
 * Thread       any.
 * Status       INVALID_STATE (profiling is off and nothing measured is left; this process follows rank 0),
 *              OUT_OF_MEMORY (nothing is lost).   Since ABI 1.
 */
GRAFT_API graft_status graft_profile_take(graft_engine* engine, graft_profile** out_profile);

/** Number of forward passes that graft_profile_milliseconds gives; 0 for NULL. Thread: any. Since ABI 1. */
GRAFT_API int64_t graft_profile_count(const graft_profile* profile);

/**
 * How long each forward pass took, in milliseconds, oldest first: the newest 65536.
 *
 * out_milliseconds  caller's buffer of `capacity` numbers; may be NULL with capacity 0.
 * out_count         number of passes; required.
 * Thread            any.
 * Status            BUFFER_TOO_SMALL (the first `capacity` were written).   Since ABI 1.
 */
GRAFT_API graft_status graft_profile_milliseconds(const graft_profile* profile, double* out_milliseconds,
                                                  int64_t capacity, int64_t* out_count);

/**
 * The profile by operation, as a JSON object:
 *
 *   forwards    number of passes
 *   dropped     how many of them graft_profile_milliseconds no longer gives
 *   forward_ms  milliseconds of all passes together
 *   explained   what share of them the rows below add up to; 0 without a pass
 *   ops         rows, the longest first: {"op", "variant", "calls", "milliseconds", "share" (of forward_ms)}
 *
 * With injection kernel a row is a kernel ("linear", "gemv.avx2"), what ranks do together ("all_reduce",
 * "gather_columns", "broadcast"), or the recording of a step that is run for the first time ("capture"). With injection
 * auto or none a row is a stage of the model (variant "client"): inputs, embedding, norm, attention, feed_forward,
 * hidden, head; what ranks do together counts towards its stage, and so does the addition of a residual before it.
 * 64 rows at the most; what would be beyond is summed in a row "other".
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

/**
 * One thing that happened to a request. Make one event, have graft_request_next or graft_queue_next refill it again and
 * again: its memory is reused, so a stream of tokens allocates nothing. Send, not Sync: not while it is being refilled.
 *
 * What a getter returns is borrowed and valid until the event is refilled or freed. Getters never fail, and given NULL
 * answer as on a new event. Thread: one at a time per event. Since ABI 1.
 */
#ifndef GRAFT_EVENT_H
#define GRAFT_EVENT_H

#include "export.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_event graft_event;

typedef int32_t graft_event_type;

enum {
  GRAFT_EVENT_NONE = -1,    /**< a new event, not filled yet */
  GRAFT_EVENT_TOKEN = 0,    /**< one token was chosen; its text, if whole characters became complete with it */
  GRAFT_EVENT_TEXT = 1,     /**< text alone: characters that were held back (a possible stop text, half a character) */
  GRAFT_EVENT_PROGRESS = 2, /**< the prompt is being read; graft_event_progress */
  GRAFT_EVENT_FINISHED = 3, /**< one sequence ended; graft_event_finish_reason and graft_event_usage */
  GRAFT_EVENT_ERROR = 4     /**< the request failed; graft_event_status and graft_event_message */
};

typedef int32_t graft_finish_reason;

enum {
  GRAFT_FINISH_NONE = 0,      /**< not finished */
  GRAFT_FINISH_STOP = 1,      /**< the model ended its answer, or a stop text or token came */
  GRAFT_FINISH_LENGTH = 2,    /**< max_tokens, or the context is full */
  GRAFT_FINISH_CANCELLED = 3, /**< graft_request_cancel or the engine was closed */
  GRAFT_FINISH_DEADLINE = 4,  /**< its deadline passed */
  GRAFT_FINISH_ERROR = 5      /**< it failed */
};

typedef int32_t graft_usage;

enum {
  GRAFT_USAGE_PROMPT_TOKENS = 0,     /**< tokens that went in */
  GRAFT_USAGE_COMPLETION_TOKENS = 1, /**< tokens generated so far */
  GRAFT_USAGE_CACHED_TOKENS = 2      /**< tokens of the prompt that were found in the cache */
};

/**
 * Makes an empty event.
 *
 * out_event  caller owns; release with graft_event_free.
 * Thread     any.
 * Status     OUT_OF_MEMORY.   Since ABI 1.
 */
GRAFT_API graft_status graft_event_new(graft_event** out_event);

/** What happened; GRAFT_EVENT_NONE on a new event. */
GRAFT_API graft_event_type graft_event_kind(const graft_event* event);

/** The tag given to graft_request_submit; 0 on a new event. */
GRAFT_API int64_t graft_event_tag(const graft_event* event);

/** Which of the request's answers it belongs to: 0 to num_sequences - 1. */
GRAFT_API int64_t graft_event_sequence(const graft_event* event);

/** The token's id; -1 when the event has none. */
GRAFT_API int64_t graft_event_token(const graft_event* event);

/**
 * New text: whole characters of UTF-8, followed by a NUL that the size does not count. "" when there is none.
 *
 * out_size  number of bytes; may be NULL.
 */
GRAFT_API const char* graft_event_text(const graft_event* event, int64_t* out_size);

/**
 * Natural logarithm of the token's probability under the model, before any rule or sampling setting, for requests with
 * top_logprobs; 0 otherwise.
 */
GRAFT_API double graft_event_logprob(const graft_event* event);

/**
 * The most likely tokens at this step and their log probabilities, most likely first.
 *
 * out_tokens, out_logprobs  caller's buffers of `capacity` entries each; either may be NULL (then it is left out).
 * out_count                 number of entries the event has; required.
 * Status                    BUFFER_TOO_SMALL (the first `capacity` were written), INVALID_ARGUMENT.
 */
GRAFT_API graft_status graft_event_top_logprobs(const graft_event* event, int64_t* out_tokens, double* out_logprobs,
                                                int64_t capacity, int64_t* out_count);

/** Why the sequence ended; GRAFT_FINISH_NONE on other events. */
GRAFT_API graft_finish_reason graft_event_finish_reason(const graft_event* event);

/** A count of tokens so far, by graft_usage; 0 for any other number. */
GRAFT_API int64_t graft_event_usage(const graft_event* event, graft_usage usage);

/** How much of the prompt has been read, in [0, 1]. */
GRAFT_API double graft_event_progress(const graft_event* event);

/**
 * 1 when nothing more will come of the event's request, in all its answers; 0 otherwise. Whoever reads a queue learns
 * by it when a request is over.
 */
GRAFT_API int32_t graft_event_last(const graft_event* event);

/** The status of the request: OK unless the event is GRAFT_EVENT_ERROR. */
GRAFT_API graft_status graft_event_status(const graft_event* event);

/** Text of the failure, NUL-terminated UTF-8; "" when there is none, never NULL. */
GRAFT_API const char* graft_event_message(const graft_event* event);

/** Releases the event; NULL is fine. Thread: any. Since ABI 1. */
GRAFT_API void graft_event_free(graft_event* event);

#ifdef __cplusplus
}
#endif

#endif

/**
 * A queue: the events of any number of requests, of any engines, in one place, so that one thread can serve thousands.
 * Send and Sync.
 */
#ifndef GRAFT_QUEUE_H
#define GRAFT_QUEUE_H

#include "event.h"
#include "export.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_queue graft_queue;

/**
 * Makes an empty queue, to be given to graft_request_submit.
 *
 * out_queue  caller owns; release with graft_queue_free.
 * Thread     any.
 * Status     OUT_OF_MEMORY, NOT_FOUND and VERSION_MISMATCH (LibTorch, as for graft_engine_open).   Since ABI 1.
 */
GRAFT_API graft_status graft_queue_new(graft_queue** out_queue);

/**
 * Waits for the next event of any request and refills `event` with it; graft_event_tag says whose it is.
 *
 * timeout_ms  0 = do not wait, -1 = for ever.
 * event       made with graft_event_new, one per thread; refilled only when OK is returned.
 * Thread      any, also several at once: each event goes to one of them.
 * Status      TIMEOUT (nothing yet, or graft_queue_wake), CLOSED (the queue was freed meanwhile).   Since ABI 1.
 */
GRAFT_API graft_status graft_queue_next(graft_queue* queue, int64_t timeout_ms, graft_event* event);

/**
 * Makes one waiting graft_queue_next return TIMEOUT, or the next one if none waits: to tell its thread something.
 *
 * Thread  any.
 * Status  none expected.   Since ABI 1.
 */
GRAFT_API graft_status graft_queue_wake(graft_queue* queue);

/**
 * Releases the queue; threads waiting in graft_queue_next return CLOSED, later events of its requests are dropped. No
 * call may begin on it afterwards. NULL is fine.
 *
 * Thread  any.   Since ABI 1.
 */
GRAFT_API void graft_queue_free(graft_queue* queue);

#ifdef __cplusplus
}
#endif

#endif

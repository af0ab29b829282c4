/**
 * A request: one input on its way through an engine. Answers are pulled, event by event. Send; not Sync, except
 * graft_request_cancel and graft_request_wait, which any thread may call.
 *
 *   graft_request_submit(engine, input, NULL, NULL, 0, &request);
 *   while (graft_request_next(request, -1, event) == GRAFT_STATUS_OK) {
 *     fputs(graft_event_text(event, NULL), stdout);
 *   }
 *   graft_request_free(request);
 */
#ifndef GRAFT_REQUEST_H
#define GRAFT_REQUEST_H

#include "engine.h"
#include "event.h"
#include "export.h"
#include "input.h"
#include "queue.h"
#include "request_options.h"
#include "status.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_request graft_request;

/**
 * Hands an input to an engine and returns at once; the work begins when the engine has room.
 *
 * input        borrowed for the call.
 * options      borrowed for the call; NULL = all defaults.
 * queue        where the events go; NULL = they are pulled from the request itself.
 * tag          any number; comes back on every event (graft_event_tag), to tell requests of one queue apart.
 * out_request  caller owns; release with graft_request_free.
 * Thread       any.
 * Status       INVALID_ARGUMENT (the input or options do not fit the model), LIMIT_EXCEEDED (longer than the context),
 *              BUSY (too many requests wait), UNSUPPORTED, INVALID_STATE (this rank does not take requests),
 *              CLOSED (the engine was closed).   Since ABI 1.
 */
GRAFT_API graft_status graft_request_submit(graft_engine* engine, const graft_input* input,
                                            const graft_request_options* options, graft_queue* queue, int64_t tag,
                                            graft_request** out_request);

/**
 * Waits for the next event and refills `event` with it. A request that failed gives a GRAFT_EVENT_ERROR event (and OK),
 * then END. A request submitted with a queue returns INVALID_STATE.
 *
 * timeout_ms  0 = do not wait, -1 = for ever.
 * event       made with graft_event_new; refilled only when OK is returned.
 * Thread      one at a time per request.
 * Status      TIMEOUT (nothing yet), END (nothing more will come), INVALID_STATE.   Since ABI 1.
 */
GRAFT_API graft_status graft_request_next(graft_request* request, int64_t timeout_ms, graft_event* event);

/**
 * Asks the engine to stop working on the request; it ends with GRAFT_FINISH_CANCELLED unless it has ended before.
 *
 * Thread  any, also while another thread waits in graft_request_next.
 * Status  none expected; cancelling twice, or after the end, is OK.   Since ABI 1.
 */
GRAFT_API graft_status graft_request_cancel(graft_request* request);

/**
 * Waits until the request has ended; its events stay where they are.
 *
 * timeout_ms  0 = look once, -1 = for ever.
 * Thread      any.
 * Status      TIMEOUT (still working); otherwise how it ended: OK, or the status of its failure.   Since ABI 1.
 */
GRAFT_API graft_status graft_request_wait(graft_request* request, int64_t timeout_ms);

/**
 * The result of a finished request of kind logits, embed or hidden.
 *
 * name        "logits", "embedding", "hidden", or "scores" of a sequence classifier's logits: float32 [labels],
 *             probabilities that sum to 1, or one for each where labels do not exclude each other.
 * out_tensor  caller owns; release with graft_tensor_free.
 * Thread      any.
 * Status      NOT_FOUND (the request has no such result), INVALID_STATE (not finished).   Since ABI 1.
 */
GRAFT_API graft_status graft_request_tensor(graft_request* request, const char* name, int64_t name_size,
                                            graft_tensor** out_tensor);

/**
 * Text of the request's failure; "" when there is none, never NULL.
 *
 * Returns  borrowed; valid until graft_request_free.
 * Thread   any.   Since ABI 1.
 */
GRAFT_API const char* graft_request_error_message(const graft_request* request);

/** Releases the request, cancelling it first if it has not ended. NULL is fine. Thread: any. Since ABI 1. */
GRAFT_API void graft_request_free(graft_request* request);

#ifdef __cplusplus
}
#endif

#endif

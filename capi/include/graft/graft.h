/**
 * Graft: Hugging Face transformers inside any process. This header includes all others; read them in this order.
 *
 *   #include <graft/graft.h>
 *   #include <stdio.h>
 *
 *   int main(int argc, char **argv) {
 *     graft_engine *engine = NULL;
 *     graft_input *input = NULL;
 *     graft_event *event = NULL;
 *     graft_request *request = NULL;
 *     int failed = argc < 3 || graft_engine_open(argv[1], -1, NULL, &engine) || graft_input_new(&input) ||
 *                  graft_input_set_text(input, argv[2], -1) || graft_event_new(&event) ||
 *                  graft_request_submit(engine, input, NULL, NULL, 0, &request);
 *     if (failed) fprintf(stderr, "%s\n", graft_last_error_message());
 *     while (!failed && graft_request_next(request, -1, event) == GRAFT_STATUS_OK) {
 *       fputs(graft_event_text(event, NULL), stdout);
 *     }
 *     graft_request_free(request);
 *     graft_event_free(event);
 *     graft_input_free(input);
 *     graft_engine_free(engine);
 *     return failed;
 *   }
 */
#ifndef GRAFT_GRAFT_H
#define GRAFT_GRAFT_H

/* In the order of reading, not of the alphabet. */
/* clang-format off */
#include "export.h"          /* the rules that hold everywhere */
#include "status.h"          /* status codes, the text of a failure */
#include "engine.h"          /* open a model */
#include "input.h"           /* what to ask */
#include "request.h"         /* ask, and pull the answer */
#include "event.h"           /* what happened */
#include "engine_options.h"  /* how to open */
#include "request_options.h" /* how to choose tokens */
#include "tokenizer.h"       /* text to ids and back */
#include "tensor.h"          /* logits, embeddings, pixels */
#include "queue.h"           /* thousands of requests, one thread */
#include "profile.h"         /* where the time goes */
#include "policy.h"          /* models Graft does not know */
#include "log.h"             /* log lines */
#include "library.h"         /* versions, and what the machine offers */
#include "string.h"          /* owned text */
/* clang-format on */

#endif

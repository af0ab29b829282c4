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

#include "engine.h"          /* open a model */
#include "engine_options.h"  /* how to open */
#include "event.h"           /* what happened */
#include "export.h"          /* the rules that hold everywhere */
#include "input.h"           /* what to ask */
#include "library.h"         /* versions, and what the machine offers */
#include "log.h"             /* log lines */
#include "policy.h"          /* models Graft does not know */
#include "profile.h"         /* where the time goes */
#include "queue.h"           /* thousands of requests, one thread */
#include "request.h"         /* ask, and pull the answer */
#include "request_options.h" /* how to choose tokens */
#include "status.h"          /* status codes, the text of a failure */
#include "string.h"          /* owned text */
#include "tensor.h"          /* logits, embeddings, pixels */
#include "tokenizer.h"       /* text to ids and back */

#endif

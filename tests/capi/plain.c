/*
 * A host in plain C99: opens a model, streams a generation, cancels another, and frees everything in odd orders.
 *
 *   plain MODEL_DIRECTORY [TOKEN...]     prints the generated ids; returns 1 and says why on any failure
 */
#include <graft/graft.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

static void expect(int condition, const char* what, int line) {
  if (condition) return;
  ++failures;
  fprintf(stderr, "plain.c:%d: expected %s (last error: %s)\n", line, what, graft_last_error_message());
}
#define EXPECT(condition) expect((condition), #condition, __LINE__)
#define EXPECT_OK(call) expect((call) == GRAFT_STATUS_OK, #call " to succeed", __LINE__)

enum { most_tokens = 64, generated = 8 };

/* Pulls all events of a request; returns the number of tokens and how it finished. */
static int drain(graft_request* request, graft_event* event, int64_t* tokens, int* out_count,
                 graft_finish_reason* out_reason) {
  graft_status status;
  *out_count = 0;
  *out_reason = GRAFT_FINISH_NONE;
  while ((status = graft_request_next(request, 60000, event)) == GRAFT_STATUS_OK) {
    EXPECT(graft_event_tag(event) == 7);
    if (graft_event_kind(event) == GRAFT_EVENT_TOKEN && *out_count < most_tokens) {
      tokens[(*out_count)++] = graft_event_token(event);
      EXPECT(graft_event_logprob(event) <= 0);
    }
    if (graft_event_kind(event) == GRAFT_EVENT_FINISHED) *out_reason = graft_event_finish_reason(event);
    if (graft_event_kind(event) == GRAFT_EVENT_ERROR) {
      fprintf(stderr, "request failed: %s\n", graft_event_message(event));
      return 0;
    }
  }
  EXPECT(status == GRAFT_STATUS_END);
  return status == GRAFT_STATUS_END;
}

static void generate(graft_engine* engine, const graft_input* input) {
  graft_request_options* options = NULL;
  graft_event* event = NULL;
  int64_t tokens[most_tokens];
  int64_t first[most_tokens];
  graft_finish_reason reason;
  int count = 0, first_count = 0, round, i;
  EXPECT_OK(graft_request_options_new(&options));
  EXPECT_OK(graft_request_options_set_greedy(options, 1));
  EXPECT_OK(graft_request_options_set_max_tokens(options, generated));
  EXPECT_OK(graft_request_options_set_ignore_eos(options, 1));
  EXPECT_OK(graft_event_new(&event));
  for (round = 0; round < 2; ++round) {
    graft_request* request = NULL;
    EXPECT_OK(graft_request_submit(engine, input, options, NULL, 7, &request));
    if (request == NULL) break;
    if (!drain(request, event, tokens, &count, &reason)) ++failures;
    EXPECT(count == generated);
    EXPECT(reason == GRAFT_FINISH_LENGTH);
    EXPECT(graft_event_usage(event, GRAFT_USAGE_COMPLETION_TOKENS) == generated);
    EXPECT_OK(graft_request_wait(request, 0));
    EXPECT(strcmp(graft_request_error_message(request), "") == 0);
    if (round == 0) {
      memcpy(first, tokens, sizeof first);
      first_count = count;
    } else {
      EXPECT(count == first_count && memcmp(first, tokens, (size_t)count * sizeof tokens[0]) == 0);
    }
    graft_request_free(request);
  }
  for (i = 0; i < count; ++i) printf("%s%" PRId64, i == 0 ? "" : ",", tokens[i]);
  printf("\n");
  graft_request_options_free(options);
  graft_event_free(event);
}

static void cancel(graft_engine* engine, const graft_input* input) {
  graft_request_options* options = NULL;
  graft_request* request = NULL;
  graft_event* event = NULL;
  graft_status status = GRAFT_STATUS_OK;
  graft_finish_reason reason = GRAFT_FINISH_NONE;
  EXPECT_OK(graft_request_options_new(&options));
  EXPECT_OK(graft_request_options_set_ignore_eos(options, 1));
  EXPECT_OK(graft_event_new(&event));
  EXPECT_OK(graft_request_submit(engine, input, options, NULL, 7, &request));
  graft_request_options_free(options); /* the request has its own copy */
  if (request == NULL) return;
  EXPECT_OK(graft_request_cancel(request));
  EXPECT_OK(graft_request_cancel(request));
  while (status == GRAFT_STATUS_OK) {
    status = graft_request_next(request, 60000, event);
    if (status == GRAFT_STATUS_OK && graft_event_kind(event) == GRAFT_EVENT_FINISHED) {
      reason = graft_event_finish_reason(event);
    }
  }
  EXPECT(status == GRAFT_STATUS_END);
  EXPECT(reason == GRAFT_FINISH_CANCELLED);
  graft_request_free(request);
  graft_event_free(event);
}

/* A queue, two requests on it, one of them freed while it works. */
static void serve(graft_engine* engine, const graft_input* input) {
  graft_request_options* options = NULL;
  graft_request *kept = NULL, *dropped = NULL;
  graft_queue* queue = NULL;
  graft_event* event = NULL;
  int finished = 0, polls = 0;
  EXPECT_OK(graft_request_options_new(&options));
  EXPECT_OK(graft_request_options_set_max_tokens(options, generated));
  EXPECT_OK(graft_request_options_set_ignore_eos(options, 1));
  EXPECT_OK(graft_queue_new(&queue));
  EXPECT_OK(graft_event_new(&event));
  EXPECT_OK(graft_request_submit(engine, input, options, queue, 1, &kept));
  EXPECT_OK(graft_request_submit(engine, input, options, queue, 2, &dropped));
  graft_request_free(dropped);
  while (!finished && polls < 600) {
    const graft_status status = graft_queue_next(queue, 100, event);
    if (status == GRAFT_STATUS_TIMEOUT)
      ++polls;
    else if (status != GRAFT_STATUS_OK)
      break;
    else if (graft_event_tag(event) == 1)
      finished = graft_event_kind(event) >= GRAFT_EVENT_FINISHED;
  }
  EXPECT(finished && graft_event_kind(event) == GRAFT_EVENT_FINISHED);
  EXPECT_OK(graft_queue_wake(queue));
  graft_queue_free(queue); /* before its request */
  graft_request_free(kept);
  graft_request_options_free(options);
  graft_event_free(event);
}

int main(int argc, char** argv) {
  graft_engine *engine = NULL, *none = NULL;
  graft_input* input = NULL;
  graft_request* late = NULL;
  graft_string* info = NULL;
  graft_event* event = NULL;
  int64_t prompt[most_tokens] = {1, 2, 3};
  int64_t prompt_count = 3;
  graft_status status;
  int i;
  if (argc < 2) {
    fprintf(stderr, "usage: %s MODEL_DIRECTORY [TOKEN...]\n", argv[0]);
    return 2;
  }
  for (i = 2; i < argc && i - 2 < most_tokens; ++i) {
    prompt[i - 2] = strtoll(argv[i], NULL, 10);
    prompt_count = i - 1;
  }
  EXPECT(graft_abi_version() == GRAFT_ABI_VERSION);
  EXPECT(graft_engine_open("no/such/model", -1, NULL, &none) == GRAFT_STATUS_NOT_FOUND && none == NULL);
  EXPECT(strstr(graft_last_error_message(), "no/such/model") != NULL);
  EXPECT_OK(graft_engine_open(argv[1], -1, NULL, &engine));
  if (engine == NULL) return 1;
  EXPECT_OK(graft_engine_info(engine, &info));
  EXPECT(graft_string_size(info) > 0 && graft_string_data(info)[0] == '{');
  EXPECT_OK(graft_input_new(&input));
  EXPECT_OK(graft_input_set_tokens(input, prompt, prompt_count));

  generate(engine, input);
  cancel(engine, input);
  serve(engine, input);

  /* The engine first, then what came from it. */
  EXPECT_OK(graft_event_new(&event));
  EXPECT_OK(graft_request_submit(engine, input, NULL, NULL, 7, &late));
  graft_input_free(input);
  graft_engine_free(engine);
  do status = graft_request_next(late, 60000, event);
  while (status == GRAFT_STATUS_OK);
  EXPECT(status == GRAFT_STATUS_END || status == GRAFT_STATUS_CLOSED);
  graft_event_free(event);
  graft_request_free(late);
  EXPECT(graft_string_size(info) > 0);
  graft_string_free(info);

  graft_engine_free(NULL);
  graft_request_free(NULL);
  graft_queue_free(NULL);
  graft_event_free(NULL);
  graft_input_free(NULL);
  graft_string_free(NULL);
  if (failures > 0) fprintf(stderr, "%d failures\n", failures);
  return failures > 0;
}

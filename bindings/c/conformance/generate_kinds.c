/* Answers: whole, event by event, cancelled, refused, many at once. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

/* Opens, submits, pulls with `visit`, and writes a failure. True when the request ended without one. */
static int run_request(const Case* c, Visit visit, void* state, Text* out) {
  graft_engine* engine = NULL;
  graft_request* request = NULL;
  Text message = {0};
  int good = 0;
  if (!failed(case_engine(c, &engine), out)) {
    if (!failed(submit(c, engine, NULL, 0, &request), out)) {
      const graft_status status = pull(request, visit, state, &message);
      good = status == GRAFT_STATUS_OK;
      if (!good) {
        clear(out);
        add(out, graft_status_name(status));
        add(out, " ");
        add_bytes(out, message.bytes, message.size);
      }
    }
  }
  clear(&message);
  graft_request_free(request);
  release_engine(c, engine);
  return good;
}

typedef struct {
  Text text;
  graft_finish_reason reason;
  int64_t prompt, completion;
} Answer;

static void take_answer(void* state, const graft_event* event) {
  Answer* answer = state;
  int64_t size = 0;
  const char* text = graft_event_text(event, &size);
  add_bytes(&answer->text, text, size);
  if (graft_event_kind(event) != GRAFT_EVENT_FINISHED) return;
  answer->reason = graft_event_finish_reason(event);
  answer->prompt = graft_event_usage(event, GRAFT_USAGE_PROMPT_TOKENS);
  answer->completion = graft_event_usage(event, GRAFT_USAGE_COMPLETION_TOKENS);
}

static const char* reason_name(graft_finish_reason reason) {
  static const char* const names[] = {"NONE", "STOP", "LENGTH", "CANCELLED", "DEADLINE", "ERROR"};
  return names[reason];
}

static void generate(const Case* c, Text* out) {
  Answer answer = {{0}, GRAFT_FINISH_NONE, 0, 0};
  if (run_request(c, take_answer, &answer, out)) {
    add_format(out, "%s %lld/%lld ", reason_name(answer.reason), (long long)answer.prompt,
               (long long)answer.completion);
    add_bytes(out, answer.text.bytes, answer.text.size);
  }
  clear(&answer.text);
}

static void take_token(void* state, const graft_event* event) {
  Text* out = state;
  if (graft_event_token(event) < 0) return;
  add_format(out, "%s%lld", out->size > 0 ? " " : "", (long long)graft_event_token(event));
}

static void tokens_of(const Case* c, Text* out) { run_request(c, take_token, out, out); }

typedef struct {
  Text* out;
  graft_event_type last;
  int run;
} Runs;

static void end_run(Runs* runs) {
  static const char* const names[] = {"TOKEN", "TEXT", "PROGRESS", "FINISHED", "ERROR"};
  if (runs->run == 0) return;
  add_format(runs->out, "%s%s", runs->out->size > 0 ? " " : "", names[runs->last]);
  if (runs->run > 1) add_format(runs->out, "*%d", runs->run);
}

static void take_kind(void* state, const graft_event* event) {
  Runs* runs = state;
  const graft_event_type kind = graft_event_kind(event);
  if (kind == GRAFT_EVENT_PROGRESS) return;
  if (runs->run > 0 && kind != runs->last) {
    end_run(runs);
    runs->run = 0;
  }
  runs->last = kind;
  ++runs->run;
}

static void events(const Case* c, Text* out) {
  Runs runs = {out, GRAFT_EVENT_NONE, 0};
  if (run_request(c, take_kind, &runs, out)) end_run(&runs);
}

enum { most_sequences = 8 };

static void take_sequence(void* state, const graft_event* event) {
  Text* texts = state;
  int64_t size = 0;
  const char* text = graft_event_text(event, &size);
  add_bytes(&texts[graft_event_sequence(event)], text, size);
}

static void sequences(const Case* c, Text* out) {
  Text texts[most_sequences] = {{0}};
  const int good = run_request(c, take_sequence, texts, out);
  for (int i = 0; i < most_sequences; ++i) {
    if (good && texts[i].bytes != NULL) {
      add_bytes(out, texts[i].bytes, texts[i].size);
      add(out, "|");
    }
    clear(&texts[i]);
  }
}

static long long thousandths(double logprob) { return (long long)floor(logprob * 1000 + 0.5); }

static void take_logprobs(void* state, const graft_event* event) {
  Text* out = state;
  int64_t tokens[8], count = 0;
  double logprobs[8];
  if (graft_event_token(event) < 0) return;
  add_format(out, "%s%lld:%lld[", out->size > 0 ? " " : "", (long long)graft_event_token(event),
             thousandths(graft_event_logprob(event)));
  if (graft_event_top_logprobs(event, tokens, logprobs, 8, &count) != GRAFT_STATUS_OK) count = 0;
  for (int64_t i = 0; i < count; ++i) {
    add_format(out, "%s%lld:%lld", i > 0 ? "," : "", (long long)tokens[i], thousandths(logprobs[i]));
  }
  add(out, "]");
}

static void logprobs(const Case* c, Text* out) { run_request(c, take_logprobs, out, out); }

typedef struct {
  graft_request* request;
  int64_t after, tokens;
  int elsewhere;
  graft_finish_reason reason;
} Cancel;

static void* cancel_request(void* request) {
  graft_request_cancel(request);
  return NULL;
}

static void count_and_cancel(void* state, const graft_event* event) {
  Cancel* cancel = state;
  if (graft_event_kind(event) == GRAFT_EVENT_FINISHED) cancel->reason = graft_event_finish_reason(event);
  if (graft_event_token(event) < 0 || ++cancel->tokens != cancel->after) return;
  pthread_t thread;
  if (!cancel->elsewhere) {
    graft_request_cancel(cancel->request);
  } else if (pthread_create(&thread, NULL, cancel_request, cancel->request) == 0) {
    pthread_join(thread, NULL);
  }
}

static void cancel_with(const Case* c, int elsewhere, Text* out) {
  graft_engine* engine = NULL;
  Cancel cancel = {NULL, number_value(c, "after", 0), 0, elsewhere, GRAFT_FINISH_NONE};
  Text message = {0};
  if (failed(case_engine(c, &engine), out)) return;
  if (!failed(submit(c, engine, NULL, 0, &cancel.request), out)) {
    if (cancel.after == 0) graft_request_cancel(cancel.request);
    pull(cancel.request, count_and_cancel, &cancel, &message);
    add(out, reason_name(cancel.reason));
    if (cancel.reason == GRAFT_FINISH_CANCELLED) add(out, cancel.tokens < 200 ? " early" : " late");
  }
  clear(&message);
  graft_request_free(cancel.request);
  release_engine(c, engine);
}

static void cancel_here(const Case* c, Text* out) { cancel_with(c, 0, out); }
static void cancel_elsewhere(const Case* c, Text* out) { cancel_with(c, 1, out); }

static void failure(const Case* c, Text* out) {
  if (run_request(c, NULL, NULL, out)) {
    add(out, "none");
  } else {
    out->size = (int64_t)strcspn(out->bytes, " ");
    out->bytes[out->size] = 0;
  }
}

static void wait_twice(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  graft_request* request = NULL;
  if (failed(case_engine(c, &engine), out)) return;
  if (!failed(submit(c, engine, NULL, 0, &request), out)) {
    add(out, graft_status_name(graft_request_wait(request, 0)));
    add(out, " ");
    add(out, graft_status_name(graft_request_wait(request, -1)));
  }
  graft_request_free(request);
  release_engine(c, engine);
}

enum { most_requests = 64 };

static void busy(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  graft_request* requests[most_requests] = {NULL};
  const int64_t count = number_value(c, "count", 0);
  if (failed(case_engine(c, &engine), out)) return;
  int refused = 0;
  for (int64_t i = 0; i < count && i < most_requests && !refused; ++i) {
    refused = failed(submit(c, engine, NULL, 0, &requests[i]), out);
  }
  if (!refused) add(out, "none");
  for (int i = 0; i < most_requests; ++i) graft_request_free(requests[i]);
  release_engine(c, engine);
}

static void shut_down(const Case* c, Text* out) {
  const Text path = {(char*)c->session->paths[0], (int64_t)strlen(c->session->paths[0])};
  graft_engine* engine = NULL;
  graft_request* request = NULL;
  if (failed(open_engine(&path, NULL, &engine), out)) return;
  if (!failed(graft_engine_close(engine, -1), out)) failed(submit(c, engine, NULL, 0, &request), out);
  graft_request_free(request);
  graft_engine_free(engine);
}

typedef struct {
  const Case* c;
  Text text;
} Worker;

static void* work(void* state) {
  Worker* worker = state;
  generate(worker->c, &worker->text);
  return NULL;
}

static void threads(const Case* c, Text* out) {
  Worker workers[most_requests];
  pthread_t ids[most_requests];
  Text alone = {0};
  int64_t count = number_value(c, "count", 1), equal = 0;
  generate(c, &alone);
  for (int64_t i = 0; i < count; ++i) {
    workers[i] = (Worker){c, {0}};
    if (pthread_create(&ids[i], NULL, work, &workers[i]) != 0) count = i;
  }
  for (int64_t i = 0; i < count; ++i) {
    pthread_join(ids[i], NULL);
    equal += workers[i].text.size == alone.size && memcmp(workers[i].text.bytes, alone.bytes, alone.size) == 0;
    clear(&workers[i].text);
  }
  add_format(out, "%lld equal", (long long)equal);
  clear(&alone);
}

const KindEntry generate_kinds[] = {{"generate", generate},
                                    {"tokens_of", tokens_of},
                                    {"events", events},
                                    {"sequences", sequences},
                                    {"logprobs", logprobs},
                                    {"cancel_decode", cancel_here},
                                    {"cancel_prefill", cancel_here},
                                    {"cancel_elsewhere", cancel_elsewhere},
                                    {"failure", failure},
                                    {"wait", wait_twice},
                                    {"busy", busy},
                                    {"shutdown", shut_down},
                                    {"threads", threads},
                                    {NULL, NULL}};

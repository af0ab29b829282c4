/* What the cases of ../../bench/README.md cost in C: the bottom line of every language. bench MODEL */
#include <graft/graft.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { batches = 101, calls = 2000, answers = 30, most_events = 512 };

static double now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_value(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static void report(const char* name, double* samples, int count) {
  qsort(samples, (size_t)count, sizeof *samples, by_value);
  printf("{\"language\": \"c\", \"case\": \"%s\", \"ns\": %.1f}\n", name, samples[count / 2]);
  fflush(stdout);
}

static void check(graft_status status) {
  if (status == GRAFT_STATUS_OK) return;
  fprintf(stderr, "%s: %s\n", graft_status_name(status), graft_last_error_message());
  exit(1);
}

static volatile int64_t sink; /* what keeps a call from being left out */

typedef struct {
  graft_tokenizer* tokenizer;
  graft_engine_options* options;
} Subject;

static void call_abi(const Subject* subject) {
  (void)subject;
  sink += graft_abi_version();
}

static void call_vocab_size(const Subject* subject) { sink += graft_tokenizer_vocab_size(subject->tokenizer); }

static void call_encode(const Subject* subject) {
  int64_t ids[32], count = 0;
  check(graft_tokenizer_encode(subject->tokenizer, "What is 27 + 58?", 16, 0, ids, 32, &count));
  sink += count;
}

static void call_failure(const Subject* subject) {
  const graft_status status = graft_engine_options_set_json(subject->options, "{\"colour\": 1}", -1);
  sink += status + (int64_t)strlen(graft_last_error_message());
}

static void measure(const char* name, void (*call)(const Subject*), const Subject* subject, int count) {
  double samples[batches];
  for (int batch = 0; batch < batches; ++batch) {
    const double begin = now_ns();
    for (int i = 0; i < count; ++i) call(subject);
    samples[batch] = (now_ns() - begin) / count;
  }
  report(name, samples, batches);
}

static void measure_tokens(graft_engine* engine) {
  graft_input* input = NULL;
  graft_request_options* options = NULL;
  graft_event* event = NULL;
  double samples[answers];
  check(graft_input_new(&input));
  check(graft_input_set_text(input, "What is", -1));
  check(graft_request_options_new(&options));
  check(graft_request_options_set_json(options, "{\"greedy\": true, \"ignore_eos\": true, \"max_tokens\": 250}", -1));
  check(graft_event_new(&event));
  for (int answer = 0; answer < answers; ++answer) {
    graft_request* request = NULL;
    int events = 0;
    check(graft_request_submit(engine, input, options, NULL, 0, &request));
    check(graft_request_wait(request, -1));
    const double begin = now_ns();
    while (graft_request_next(request, -1, event) == GRAFT_STATUS_OK) {
      int64_t size = 0;
      sink += graft_event_kind(event) + graft_event_token(event) + (int64_t)graft_event_logprob(event);
      sink += graft_event_text(event, &size)[0] + size;
      ++events;
    }
    samples[answer] = (now_ns() - begin) / events;
    graft_request_free(request);
  }
  report("token", samples, answers);
  graft_event_free(event);
  graft_request_options_free(options);
  graft_input_free(input);
}

int main(int argc, char** argv) {
  if (argc != 2) return fprintf(stderr, "usage: %s MODEL\n", argv[0]), 2;
  graft_engine* engine = NULL;
  Subject subject = {NULL, NULL};
  check(graft_engine_open(argv[1], -1, NULL, &engine));
  check(graft_engine_tokenizer(engine, &subject.tokenizer));
  check(graft_engine_options_new(&subject.options));
  measure("abi", call_abi, &subject, calls);
  measure("vocab_size", call_vocab_size, &subject, calls);
  measure("encode", call_encode, &subject, calls / 10);
  measure("failure", call_failure, &subject, calls / 100);
  measure_tokens(engine);
  graft_engine_options_free(subject.options);
  graft_tokenizer_free(subject.tokenizer);
  graft_engine_free(engine);
  return 0;
}

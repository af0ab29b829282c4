/* Many requests, one queue. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "driver.h"

enum { most_tags = 64 };

/* Pulls until `count` requests have ended. */
static graft_status pull_all(graft_queue* queue, int64_t count, Text* texts, int64_t* finished) {
  graft_event* event = NULL;
  graft_status status = graft_event_new(&event);
  while (status == GRAFT_STATUS_OK && *finished < count) {
    status = graft_queue_next(queue, 60000, event);
    if (status != GRAFT_STATUS_OK) break;
    int64_t size = 0;
    const char* text = graft_event_text(event, &size);
    add_bytes(&texts[graft_event_tag(event)], text, size);
    *finished += graft_event_kind(event) == GRAFT_EVENT_FINISHED || graft_event_kind(event) == GRAFT_EVENT_ERROR;
  }
  graft_event_free(event);
  return status;
}

static void queue(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  graft_queue* made = NULL;
  graft_request* requests[most_tags] = {NULL};
  Text texts[most_tags] = {{0}};
  const int64_t count = number_value(c, "count", 1);
  int64_t finished = 0, equal = 0;
  if (failed(case_engine(c, &engine), out) || failed(graft_queue_new(&made), out)) return;
  graft_status status = GRAFT_STATUS_OK;
  for (int64_t i = 0; i < count && status == GRAFT_STATUS_OK; ++i) status = submit(c, engine, made, i, &requests[i]);
  if (status == GRAFT_STATUS_OK) status = pull_all(made, count, texts, &finished);
  if (!failed(status, out)) {
    for (int64_t i = 0; i < count; ++i) {
      equal += texts[i].size > 0 && texts[i].size == texts[0].size &&
               memcmp(texts[i].bytes, texts[0].bytes, (size_t)texts[0].size) == 0;
    }
    add_format(out, "%lld finished, %lld equal", (long long)finished, (long long)equal);
  }
  for (int i = 0; i < most_tags; ++i) {
    graft_request_free(requests[i]);
    clear(&texts[i]);
  }
  graft_queue_free(made);
  release_engine(c, engine);
}

static void wait_in(graft_queue* queue, int64_t timeout_ms, Text* out) {
  graft_event* event = NULL;
  graft_event_new(&event);
  add(out, graft_status_name(graft_queue_next(queue, timeout_ms, event)));
  graft_event_free(event);
}

static void queue_timeout(const Case* c, Text* out) {
  (void)c;
  graft_queue* made = NULL;
  if (failed(graft_queue_new(&made), out)) return;
  wait_in(made, 10, out);
  graft_queue_free(made);
}

static void pause_a_little(void) {
  const struct timespec pause = {0, 50000000};
  nanosleep(&pause, NULL);
}

static void* wake(void* queue) {
  pause_a_little();
  graft_queue_wake(queue);
  return NULL;
}

static void* close_queue(void* queue) {
  pause_a_little();
  graft_queue_free(queue);
  return NULL;
}

static void queue_wake(const Case* c, Text* out) {
  (void)c;
  graft_queue* made = NULL;
  pthread_t thread;
  if (failed(graft_queue_new(&made), out) || pthread_create(&thread, NULL, wake, made) != 0) return;
  wait_in(made, -1, out);
  pthread_join(thread, NULL);
  graft_queue_free(made);
}

static void queue_close(const Case* c, Text* out) {
  (void)c;
  graft_queue* made = NULL;
  pthread_t thread;
  if (failed(graft_queue_new(&made), out) || pthread_create(&thread, NULL, close_queue, made) != 0) return;
  wait_in(made, -1, out);
  pthread_join(thread, NULL);
}

static void next_with_queue(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  graft_queue* made = NULL;
  graft_request* request = NULL;
  graft_event* event = NULL;
  if (!failed(case_engine(c, &engine), out) && !failed(graft_queue_new(&made), out) &&
      !failed(graft_event_new(&event), out) && !failed(submit(c, engine, made, 0, &request), out)) {
    if (!failed(graft_request_next(request, -1, event), out)) add(out, "ok");
  }
  graft_request_free(request);
  graft_event_free(event);
  graft_queue_free(made);
  release_engine(c, engine);
}

const KindEntry queue_kinds[] = {{"queue", queue},
                                 {"queue_timeout", queue_timeout},
                                 {"queue_wake", queue_wake},
                                 {"queue_close", queue_close},
                                 {"next_with_queue", next_with_queue},
                                 {NULL, NULL}};

/*
 * The way of a stream's events, by hand: waiting, and taking over all that an event holds, in one call from Java. The
 * arrays are the caller's and used again, so that a token makes nothing.
 */
#include "graft_jni.h"

/* As in graft.EventBuffer. */
enum {
  KIND,
  TAG,
  SEQUENCE,
  TOKEN,
  LOGPROB,
  FINISH,
  PROMPT,
  COMPLETION,
  CACHED,
  PROGRESS,
  STATUS,
  TOP,
  TEXT,
  LAST,
  NUMBERS
};

static int64_t bits_of(double value) {
  int64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static void take_over(JNIEnv* env, const graft_event* event, jlongArray numbers, jbyteArray text) {
  int64_t all[NUMBERS] = {0}, size = 0;
  const char* bytes = graft_event_text(event, &size);
  all[KIND] = graft_event_kind(event);
  all[TAG] = graft_event_tag(event);
  all[SEQUENCE] = graft_event_sequence(event);
  all[TOKEN] = graft_event_token(event);
  all[PROMPT] = graft_event_usage(event, GRAFT_USAGE_PROMPT_TOKENS);
  all[COMPLETION] = graft_event_usage(event, GRAFT_USAGE_COMPLETION_TOKENS);
  all[CACHED] = graft_event_usage(event, GRAFT_USAGE_CACHED_TOKENS);
  all[LOGPROB] = bits_of(graft_event_logprob(event));
  if (all[KIND] == GRAFT_EVENT_TOKEN) graft_event_top_logprobs(event, NULL, NULL, 0, &all[TOP]);
  if (all[KIND] == GRAFT_EVENT_FINISHED) all[FINISH] = graft_event_finish_reason(event);
  if (all[KIND] == GRAFT_EVENT_ERROR) all[STATUS] = graft_event_status(event);
  if (all[KIND] == GRAFT_EVENT_PROGRESS) all[PROGRESS] = bits_of(graft_event_progress(event));
  all[TEXT] = size;
  if (all[KIND] >= GRAFT_EVENT_FINISHED) all[LAST] = graft_event_last(event);
  (*env)->SetLongArrayRegion(env, numbers, 0, NUMBERS, (const jlong*)all);
  /* What does not fit is fetched by itself. */
  if (size > 0 && size <= (*env)->GetArrayLength(env, text)) {
    (*env)->SetByteArrayRegion(env, text, 0, (jsize)size, (const jbyte*)bytes);
  }
}

static jint answer(JNIEnv* env, graft_status status, const graft_event* event, jlongArray numbers, jbyteArray text) {
  if (status == GRAFT_STATUS_OK) {
    take_over(env, event, numbers, text);
  } else if (status != GRAFT_STATUS_TIMEOUT && status != GRAFT_STATUS_END) {
    graft_jni_throw(env, status);
  }
  return status;
}

JNIEXPORT jint JNICALL Java_graft_EventBuffer_nextOfRequest(JNIEnv* env, jclass type, jlong request, jlong timeout_ms,
                                                            jlong event, jlongArray numbers, jbyteArray text) {
  (void)type;
  graft_event* filled = (graft_event*)(intptr_t)event;
  return answer(env, graft_request_next((graft_request*)(intptr_t)request, timeout_ms, filled), filled, numbers, text);
}

JNIEXPORT jint JNICALL Java_graft_EventBuffer_nextOfQueue(JNIEnv* env, jclass type, jlong queue, jlong timeout_ms,
                                                          jlong event, jlongArray numbers, jbyteArray text) {
  (void)type;
  graft_event* filled = (graft_event*)(intptr_t)event;
  return answer(env, graft_queue_next((graft_queue*)(intptr_t)queue, timeout_ms, filled), filled, numbers, text);
}

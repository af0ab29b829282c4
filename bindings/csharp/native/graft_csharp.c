/** The few native functions that SWIG does not write: releasing, reading an event at once, and callbacks. */
#include "graft_csharp.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void graft_csharp_free(void* memory) { free(memory); }

EXPORT void graft_csharp_string_free(graft_string* string) { graft_string_free(string); }

EXPORT void graft_csharp_event_read(const graft_event* event, graft_csharp_event* out) {
  out->text = graft_event_text(event, &out->text_size);
  out->message = graft_event_message(event);
  out->tag = graft_event_tag(event);
  out->sequence = graft_event_sequence(event);
  out->token = graft_event_token(event);
  out->prompt_tokens = graft_event_usage(event, GRAFT_USAGE_PROMPT_TOKENS);
  out->completion_tokens = graft_event_usage(event, GRAFT_USAGE_COMPLETION_TOKENS);
  out->cached_tokens = graft_event_usage(event, GRAFT_USAGE_CACHED_TOKENS);
  out->top_count = 0;
  graft_event_top_logprobs(event, NULL, NULL, 0, &out->top_count);
  out->logprob = graft_event_logprob(event);
  out->progress = graft_event_progress(event);
  out->kind = graft_event_kind(event);
  out->finish_reason = graft_event_finish_reason(event);
  out->status = graft_event_status(event);
  out->last = graft_event_last(event);
}

EXPORT graft_csharp_result graft_csharp_set_progress(graft_engine_options* options, graft_progress_callback callback) {
  return graft_csharp_check(graft_engine_options_set_progress(options, callback, NULL));
}

EXPORT graft_csharp_result graft_csharp_log_set_callback(graft_log_callback callback) {
  return graft_csharp_check(graft_log_set_callback(callback, NULL));
}

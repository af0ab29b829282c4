// Thunks of graft/event.h.
#include "graft/event.h"

#include <algorithm>

#include "capi/src/arguments.h"
#include "capi/src/private.h"

using namespace graft::capi;

graft_status graft_event_new(graft_event** out_event) {
  return call([&] {
    graft_event*& out = output_handle("out_event", out_event);
    out = new graft_event();
    return GRAFT_STATUS_OK;
  });
}

void graft_event_free(graft_event* event) { delete event; }

graft_event_type graft_event_kind(const graft_event* event) {
  return event != nullptr ? event->event.kind : static_cast<graft_event_type>(GRAFT_EVENT_NONE);
}

int64_t graft_event_tag(const graft_event* event) { return event != nullptr ? event->event.tag : 0; }

int64_t graft_event_sequence(const graft_event* event) { return event != nullptr ? event->event.sequence : 0; }

int64_t graft_event_token(const graft_event* event) { return event != nullptr ? event->event.token : -1; }

const char* graft_event_text(const graft_event* event, int64_t* out_size) {
  if (out_size != nullptr) *out_size = event != nullptr ? event->event.text.size : 0;
  return event != nullptr ? text_of(event->event.text) : "";
}

double graft_event_logprob(const graft_event* event) { return event != nullptr ? event->event.logprob : 0; }

graft_status graft_event_top_logprobs(const graft_event* event, int64_t* out_tokens, double* out_logprobs,
                                      int64_t capacity, int64_t* out_count) {
  return call([&] {
    const graft::facade::Event& self = required("event", event).event;
    integer("capacity", capacity, 0);
    output("out_count", out_count) = self.top_count;
    const int64_t count = std::min(capacity, self.top_count);
    if (out_tokens != nullptr) std::copy_n(self.top_tokens, count, out_tokens);
    if (out_logprobs != nullptr) std::copy_n(self.top_logprobs, count, out_logprobs);
    if (capacity < self.top_count) {
      fail(GRAFT_STATUS_BUFFER_TOO_SMALL, "capacity: found %lld, expected %lld or more",
           static_cast<long long>(capacity), static_cast<long long>(self.top_count));
    }
    return GRAFT_STATUS_OK;
  });
}

graft_finish_reason graft_event_finish_reason(const graft_event* event) {
  return event != nullptr ? event->event.finish_reason : static_cast<graft_finish_reason>(GRAFT_FINISH_NONE);
}

int64_t graft_event_usage(const graft_event* event, graft_usage usage) {
  if (event == nullptr) return 0;
  switch (usage) {
    case GRAFT_USAGE_PROMPT_TOKENS:
      return event->event.prompt_tokens;
    case GRAFT_USAGE_COMPLETION_TOKENS:
      return event->event.completion_tokens;
    case GRAFT_USAGE_CACHED_TOKENS:
      return event->event.cached_tokens;
  }
  return 0;
}

double graft_event_progress(const graft_event* event) { return event != nullptr ? event->event.progress : 0; }

int32_t graft_event_last(const graft_event* event) { return event != nullptr ? event->event.last : 0; }

graft_status graft_event_status(const graft_event* event) {
  return event != nullptr ? event->event.status : static_cast<graft_status>(GRAFT_STATUS_OK);
}

const char* graft_event_message(const graft_event* event) {
  return event != nullptr ? text_of(event->event.message) : "";
}

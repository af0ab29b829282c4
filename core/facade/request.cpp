#include <algorithm>

#include "core/base/quote.h"
#include "core/facade/objects.h"
#include "core/facade/request_spec.h"

namespace graft::facade {
namespace {

// Ids and log probabilities lie one after the other in the event's own buffer.
void fill_top(Event& out, const std::vector<TokenLogprob>& top) {
  out.top_count = static_cast<int64_t>(top.size());
  out.top_tokens = nullptr;
  out.top_logprobs = nullptr;
  if (top.empty()) return;
  static_assert(sizeof(int64_t) == sizeof(double));
  const int64_t bytes = out.top_count * static_cast<int64_t>(sizeof(int64_t) + sizeof(double));
  if (out.top.capacity < bytes && out.top.reserve(&out.top, bytes) == nullptr) {
    fail(StatusCode::out_of_memory, "{} bytes for log probabilities could not be had", bytes);
  }
  out.top.size = bytes;
  auto* tokens = reinterpret_cast<int64_t*>(out.top.data);
  auto* logprobs = reinterpret_cast<double*>(tokens + out.top_count);
  for (int64_t i = 0; i < out.top_count; ++i) {
    tokens[i] = top[static_cast<size_t>(i)].token;
    logprobs[i] = top[static_cast<size_t>(i)].logprob;
  }
  out.top_tokens = tokens;
  out.top_logprobs = logprobs;
}

void fill_event(Event& out, const EventRecord& record) {
  out.kind = static_cast<int32_t>(record.kind);
  out.tag = record.tag;
  out.sequence = record.sequence;
  out.token = record.token;
  out.logprob = record.logprob;
  out.finish_reason = static_cast<int32_t>(record.finish_reason);
  out.prompt_tokens = record.prompt_tokens;
  out.completion_tokens = record.completion_tokens;
  out.cached_tokens = record.cached_tokens;
  out.progress = record.progress;
  out.last = record.last ? 1 : 0;
  out.status = static_cast<int32_t>(record.status);
  fill_top(out, record.top);
  assign(out.text, record.text);
  assign(out.message, record.message);
}

// TIMEOUT, END and CLOSED are answers, not failures, but carry a text all the same.
StatusCode take_next(EventStream& stream, int64_t timeout_ms, EventRecord& record, Event& out, ErrorText* error) {
  switch (stream.next(timeout_ms, record)) {
    case EventStream::Next::event:
      fill_event(out, record);
      return StatusCode::ok;
    case EventStream::Next::timeout:
      write_error(error, "no event yet");
      return StatusCode::timeout;
    case EventStream::Next::end:
      write_error(error, "the request has no more events");
      return StatusCode::end;
    case EventStream::Next::closed:
      break;
  }
  write_error(error, "the queue was freed");
  return StatusCode::closed;
}

int32_t submit(Engine* engine, const Input* input, const RequestOptions* options, Queue* queue, int64_t tag,
               Request** out, ErrorText* error) {
  return guarded(error, [&] {
    RequestSpec spec = read_spec(*engine->engine, *input, options);
    spec.tag = tag;
    auto request = std::make_unique<Request>();
    request->engine = engine->engine;
    request->state = engine->engine->submit(std::move(spec), queue != nullptr ? queue->stream : nullptr);
    *out = request.release();
  });
}

int32_t next(Request* self, int64_t timeout_ms, Event* event, ErrorText* error) {
  return guarded(error, [&] {
    if (!self->state->has_own_stream()) {
      fail(StatusCode::invalid_state, "the request was submitted with a queue: its events are there");
    }
    return take_next(self->state->events(), timeout_ms, self->record, *event, error);
  });
}

int32_t cancel(Request* self, ErrorText* error) {
  return guarded(error, [&] {
    self->state->cancel();
    self->engine->wake();
  });
}

int32_t wait(Request* self, int64_t timeout_ms, ErrorText* error) {
  return guarded(error, [&] {
    const StatusCode code = self->state->wait(timeout_ms);
    if (code == StatusCode::timeout) fail(code, "the request is still working");
    if (code == StatusCode::cancelled) fail(code, "the request was cancelled");
    if (code != StatusCode::ok) throw Error(code, self->state->error_message());
  });
}

int32_t tensor(Request* self, Text name, Tensor* out, ErrorText* error) {
  return guarded(error, [&] {
    if (!self->state->ended()) fail(StatusCode::invalid_state, "the request has not finished");
    const std::shared_ptr<const ResultTensor> result = self->state->result(view(name));
    if (result == nullptr) fail(StatusCode::not_found, "the request has no result {}", quote(view(name)));
    out->dtype = static_cast<int32_t>(kernels::DType::float32);
    out->rank = static_cast<int32_t>(result->shape.size());
    std::copy(result->shape.begin(), result->shape.end(), out->shape);
    out->data = result->values.data();
    out->byte_size = static_cast<int64_t>(result->values.size() * sizeof(float));
    out->owner = new std::shared_ptr<const ResultTensor>(result);
    out->release = [](void* owner) { delete static_cast<std::shared_ptr<const ResultTensor>*>(owner); };
  });
}

const char* error_message(Request* self) { return self->state->error_message().c_str(); }

void free_request(Request* self) {
  if (self == nullptr) return;
  if (!self->state->ended()) {
    self->state->cancel();
    self->engine->wake();
  }
  delete self;
}

int32_t queue_new(Queue** out, ErrorText* error) {
  return guarded(error, [&] { *out = new Queue{std::make_shared<EventStream>()}; });
}

int32_t queue_next(Queue* self, int64_t timeout_ms, Event* event, ErrorText* error) {
  return guarded(error, [&] {
    const std::shared_ptr<EventStream> stream = self->stream;  // outlives a concurrent queue_free
    thread_local EventRecord record;
    return take_next(*stream, timeout_ms, record, *event, error);
  });
}

int32_t queue_wake(Queue* self, ErrorText* error) {
  return guarded(error, [&] { self->stream->wake(); });
}

void queue_free(Queue* self) {
  if (self == nullptr) return;
  self->stream->close();
  delete self;
}

}  // namespace

void fill_request(Table& table) {
  table.request_submit = submit;
  table.request_next = next;
  table.request_cancel = cancel;
  table.request_wait = wait;
  table.request_tensor = tensor;
  table.request_error_message = error_message;
  table.request_free = free_request;
  table.queue_new = queue_new;
  table.queue_next = queue_next;
  table.queue_wake = queue_wake;
  table.queue_free = queue_free;
}

}  // namespace graft::facade

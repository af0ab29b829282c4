// A libgraft_core.so without LibTorch: it exports graft_core_table with scripted behaviour, so that the tests can see
// what passes through libgraft.so and what is refused. It echoes the prompt's ids as tokens.
//
// GRAFT_FAKE_HASH sets the build hash it claims, GRAFT_FAKE_VERSION the table version.
// soname: libtorch_cpu.so
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/facade/table.h"

namespace graft::facade {

struct Tokenizer {};
struct Decoder {
  std::string held;
};
struct Queue {
  std::vector<std::pair<int64_t, int64_t>> events;  // tag, token; -1 ends a request
};
struct Profile {};
struct Shared {
  std::atomic<int> tensors{0};
};
struct Engine {
  std::shared_ptr<Shared> shared = std::make_shared<Shared>();
};
struct Request {
  std::shared_ptr<Shared> shared;
  std::vector<int64_t> tokens;
  int64_t limit = 0, at = 0, tag = 0, top = 0;
  bool cancelled = false, done = false, queued = false;
  std::string error;
};

}  // namespace graft::facade

using namespace graft::facade;

namespace {

enum Status {
  ok = 0,
  invalid_argument = 1,
  invalid_state = 2,
  not_found = 3,
  unsupported = 4,
  too_small = 12,
  cancelled = 13,
  timeout_now = 14,
  end = 18,
  device_error = 8
};

int32_t fail(ErrorText* error, int32_t status, const std::string& text) {
  std::snprintf(error->data, static_cast<std::size_t>(error->capacity), "%s", text.c_str());
  return status;
}

std::string string_of(Text text) { return std::string(text.data, static_cast<std::size_t>(text.size)); }

int32_t write(Buffer* out, const std::string& text) {
  const auto size = static_cast<int64_t>(text.size());
  if (out->capacity < size && out->reserve(out, size) == nullptr) return 7;
  if (size > 0) std::memcpy(out->data, text.data(), text.size());
  out->size = size;
  return ok;
}

void (*log_write)(void*, int32_t, const char*) = nullptr;
void* log_user = nullptr;
int32_t log_level = -1;

std::string describe(const EngineOptions& o) {
  std::string text = string_of(o.device) + " " + string_of(o.dtype) + " " + string_of(o.injection);
  for (int64_t number :
       {int64_t{o.quantization_bits}, o.quantization_group, o.tensor_parallel, o.tensor_parallel_grain,
        o.expert_parallel, o.rank, o.world, o.port, o.timeout_ms, int64_t{o.graph}, o.threads, o.context_limit,
        o.least_context, o.max_sequences, o.max_queue, o.run_ahead_ms, o.memory_limit, int64_t{o.read_weights}}) {
    text += " " + std::to_string(number);
  }
  text += " " + string_of(o.address);
  for (int64_t i = 0; i < o.policy_count; ++i) text += " " + string_of(o.policies[i]);
  for (int64_t i = 0; i < o.row_parallel_count; ++i) {
    text += " " + string_of(o.row_parallel[i].layer_class) + ":";
    for (int64_t j = 0; j < o.row_parallel[i].name_count; ++j) text += string_of(o.row_parallel[i].names[j]) + ",";
  }
  return text;
}

std::string describe(const RequestOptions& o, const Input& input) {
  std::string text;
  for (int64_t number : {int64_t{o.kind}, o.max_tokens, o.min_tokens, int64_t{o.greedy}, o.top_k, o.penalty_window,
                         o.no_repeat_ngram, o.seed, int64_t{o.ignore_eos}, o.num_beams, o.num_sequences,
                         int64_t{o.pooling}, o.top_logprobs, o.priority, o.deadline_ms}) {
    text += std::to_string(number) + " ";
  }
  char numbers[200];
  std::snprintf(numbers, sizeof numbers, "%g %g %g %g %g %g %g %g", o.temperature, o.top_p, o.min_p, o.typical_p,
                o.repetition_penalty, o.frequency_penalty, o.presence_penalty, o.length_penalty);
  text += numbers + (" " + string_of(o.cache_salt));
  for (int64_t i = 0; i < o.stop_string_count; ++i) text += " stop:" + string_of(o.stop_strings[i]);
  for (int64_t i = 0; i < o.stop_token_count; ++i) text += " end:" + std::to_string(o.stop_tokens[i]);
  for (int64_t i = 0; i < o.bias_count; ++i) {
    std::snprintf(numbers, sizeof numbers, " bias:%lld=%g", static_cast<long long>(o.bias_tokens[i]), o.bias_values[i]);
    text += numbers;
  }
  for (int64_t i = 0; i < o.allowed_token_count; ++i) text += " allowed:" + std::to_string(o.allowed_tokens[i]);
  for (int64_t i = 0; i < o.banned_token_count; ++i) text += " banned:" + std::to_string(o.banned_tokens[i]);
  for (int64_t i = 0; i < input.decoder_token_count; ++i) text += " decoder:" + std::to_string(input.decoder_tokens[i]);
  for (int64_t i = 0; i < input.token_type_count; ++i) text += " type:" + std::to_string(input.token_types[i]);
  for (int64_t i = 0; i < input.tensor_count; ++i) {
    const Tensor& tensor = input.tensors[i].tensor;
    text += " tensor:" + string_of(input.tensors[i].name) + "/" + std::to_string(tensor.dtype) + "/" +
            std::to_string(tensor.rank) + "/" + std::to_string(tensor.shape[0]) + "/" +
            std::to_string(tensor.byte_size);
  }
  return text;
}

int32_t engine_open(Text path, const EngineOptions* options, Engine** out, ErrorText* error) {
  const std::string place = string_of(path);
  if (place == "options") return fail(error, unsupported, describe(*options));
  if (place == "silent") return device_error;
  if (place == "nonsense") return 77;
  if (place == "long") {
    std::string text(static_cast<std::size_t>(error->capacity) - 2, 'x');
    return fail(error, device_error, text + "\xC3\xA9");  // cut within the character
  }
  if (place != "model") return fail(error, not_found, "fake: no model at " + place);
  if (options->progress != nullptr && options->progress(options->progress_user, 0.5, "halfway") != 0) {
    return fail(error, cancelled, "load cancelled");
  }
  if (log_write != nullptr) {
    log_write(log_user, 2, "a warning");
    log_write(log_user, 3, "an information");
  }
  *out = new Engine();
  return ok;
}

int32_t submit(Engine* engine, const Input* input, const RequestOptions* options, Queue* queue, int64_t tag,
               Request** out, ErrorText* error) {
  if (input->has_text && string_of(input->text) == "describe") {
    return fail(error, unsupported, describe(*options, *input));
  }
  auto request = std::make_unique<Request>();
  request->shared = engine->shared;
  request->tokens.assign(input->tokens, input->tokens + input->token_count);
  request->limit = options->max_tokens < 0 ? 1000000 : options->max_tokens;
  request->tag = tag;
  request->top = options->top_logprobs;
  request->queued = queue != nullptr;
  if (queue != nullptr) {
    for (int64_t i = 0; i < request->limit; ++i) queue->events.emplace_back(tag, i);
    queue->events.emplace_back(tag, -1);
  }
  *out = request.release();
  return ok;
}

void clear(Event* event, int32_t kind, int64_t tag) {
  event->kind = kind;
  event->tag = tag;
  event->token = -1;
  event->finish_reason = 0;
  event->last = 0;
  event->status = 0;
  event->top_count = 0;
  event->text.size = event->message.size = 0;
}

int32_t request_next(Request* self, int64_t timeout_ms, Event* event, ErrorText* error) {
  if (self->queued) return fail(error, invalid_state, "fake: pull from the queue");
  if (self->done) return end;
  if (self->tokens.empty()) return timeout_ms == 0 ? timeout_now : end;
  if (self->tokens[0] == 13) {
    clear(event, 4, self->tag);
    self->error = "fake: unlucky token";
    event->status = device_error;
    self->done = true;
    return write(&event->message, self->error);
  }
  if (self->cancelled || self->at == self->limit) {
    clear(event, 3, self->tag);
    event->finish_reason = self->cancelled ? 3 : 2;
    event->prompt_tokens = static_cast<int64_t>(self->tokens.size());
    event->completion_tokens = self->at;
    event->cached_tokens = 1;
    event->last = 1;
    self->done = true;
    return ok;
  }
  clear(event, 0, self->tag);
  event->token = self->tokens[static_cast<std::size_t>(self->at++) % self->tokens.size()];
  event->logprob = -0.25;
  event->progress = 1;
  const int64_t top_bytes = self->top * 16;
  if (top_bytes > event->top.capacity && event->top.reserve(&event->top, top_bytes) == nullptr) return 7;
  auto* tokens = reinterpret_cast<int64_t*>(event->top.data);
  auto* logprobs = reinterpret_cast<double*>(event->top.data + self->top * 8);
  for (int64_t i = 0; i < self->top; ++i) {
    tokens[i] = event->token + i;
    logprobs[i] = -static_cast<double>(i);
  }
  event->top_count = self->top;
  event->top_tokens = tokens;
  event->top_logprobs = logprobs;
  return write(&event->text, "<" + std::to_string(event->token) + ">");
}

int32_t queue_next(Queue* self, int64_t, Event* event, ErrorText*) {
  if (self->events.empty()) return timeout_now;
  const auto [tag, token] = self->events.front();
  self->events.erase(self->events.begin());
  clear(event, token < 0 ? 3 : 0, tag);
  event->token = token;
  event->finish_reason = token < 0 ? 2 : 0;
  return ok;
}

int32_t request_tensor(Request* self, Text name, Tensor* out, ErrorText* error) {
  if (string_of(name) == "borrowed") {
    static float values[2] = {3, 4};
    *out = {1, 1, {2}, values, sizeof values, nullptr, nullptr};
    return ok;
  }
  if (string_of(name) != "logits") return fail(error, not_found, "fake: no result " + string_of(name));
  struct Owner {
    std::shared_ptr<Shared> shared;
    float values[2] = {1, 2};
  };
  auto* owner = new Owner{self->shared};
  ++self->shared->tensors;
  *out = {1, 2, {1, 2}, owner->values, sizeof owner->values, owner, [](void* pointer) {
            auto* held = static_cast<Owner*>(pointer);
            --held->shared->tensors;
            delete held;
          }};
  return ok;
}

Table make_table() {
  Table t = {};
  const char* version = std::getenv("GRAFT_FAKE_VERSION");
  t.version = version != nullptr ? std::atoi(version) : table_version;
  t.build_hash = std::getenv("GRAFT_FAKE_HASH");
  t.log_set = [](int32_t level, void (*writer)(void*, int32_t, const char*), void* user) {
    log_level = level;
    log_write = writer;
    log_user = user;
  };
  t.doctor = [](Buffer* out, ErrorText*) {
    return write(out, "{\"fake\":true,\"log_level\":" + std::to_string(log_level) + "}");
  };
  t.engine_inspect = [](Text path, const EngineOptions*, Buffer* out, ErrorText*) {
    return write(out, "{\"path\":\"" + string_of(path) + "\"}");
  };
  t.engine_open = engine_open;
  t.engine_tokenizer = [](Engine*, Tokenizer** out, ErrorText*) -> int32_t {
    *out = new Tokenizer();
    return ok;
  };
  t.engine_info = [](Engine*, Buffer* out, ErrorText*) { return write(out, "{}"); };
  t.engine_stats = [](Engine* engine, Buffer* out, ErrorText*) {
    return write(out, "{\"tensors\":" + std::to_string(engine->shared->tensors.load()) + "}");
  };
  t.engine_wait = [](Engine*, int64_t, ErrorText*) -> int32_t { return timeout_now; };
  t.engine_close = [](Engine*, int64_t, ErrorText*) -> int32_t { return ok; };
  t.engine_save = [](Engine*, Text, ErrorText* error) { return fail(error, unsupported, "fake: save"); };
  t.engine_profile = [](Engine*, int32_t, ErrorText*) -> int32_t { return ok; };
  t.engine_free = [](Engine* engine) { delete engine; };
  t.profile_take = [](Engine*, Profile** out, ErrorText*) -> int32_t {
    *out = new Profile();
    return ok;
  };
  t.profile_count = [](const Profile*) -> int64_t { return 2; };
  t.profile_milliseconds = [](const Profile*, double* out, int64_t capacity, int64_t* count,
                              ErrorText* error) -> int32_t {
    *count = 2;
    for (int64_t i = 0; i < std::min<int64_t>(capacity, 2); ++i) out[i] = 1.5;
    return capacity < 2 ? fail(error, too_small, "fake: two passes") : ok;
  };
  t.profile_table = [](const Profile*, Buffer* out, ErrorText*) { return write(out, "{\"ops\":[]}"); };
  t.profile_free = [](Profile* profile) { delete profile; };
  t.tokenizer_open = [](Text path, Tokenizer** out, ErrorText* error) -> int32_t {
    if (string_of(path) != "model") return fail(error, not_found, "fake: no tokenizer at " + string_of(path));
    *out = new Tokenizer();
    return ok;
  };
  t.tokenizer_encode = [](Tokenizer*, Text text, int32_t, int64_t* out, int64_t capacity, int64_t* count,
                          ErrorText* error) -> int32_t {
    *count = text.size;
    for (int64_t i = 0; i < std::min(capacity, text.size); ++i) out[i] = static_cast<unsigned char>(text.data[i]);
    return capacity < text.size ? fail(error, too_small, "fake: more ids") : ok;
  };
  t.tokenizer_decode = [](Tokenizer*, const int64_t* tokens, int64_t count, int32_t, Buffer* out, ErrorText*) {
    std::string text;
    for (int64_t i = 0; i < count; ++i) text += static_cast<char>(tokens[i]);
    return write(out, text);
  };
  t.tokenizer_piece = [](Tokenizer*, int64_t token, Buffer* out, ErrorText*) {
    return write(out, std::string(1, static_cast<char>(token)));
  };
  t.tokenizer_id_of = [](Tokenizer*, Text piece, int64_t* out, ErrorText* error) -> int32_t {
    if (piece.size != 1) return fail(error, not_found, "fake: no piece");
    *out = piece.data[0];
    return ok;
  };
  t.tokenizer_vocab_size = [](Tokenizer*) -> int64_t { return 256; };
  t.tokenizer_apply_chat_template = [](Tokenizer*, Text, Text, Buffer*, ErrorText* error) {
    return fail(error, unsupported, "fake: templates");
  };
  t.tokenizer_free = [](Tokenizer* tokenizer) { delete tokenizer; };
  t.decoder_new = [](Tokenizer*, int32_t, Decoder** out, ErrorText*) -> int32_t {
    *out = new Decoder();
    return ok;
  };
  t.decoder_push = [](Decoder* decoder, int64_t token, Buffer* out, ErrorText*) -> int32_t {
    decoder->held += token < 0 ? "" : std::string(1, static_cast<char>(token));
    if (token >= 0 && decoder->held.size() < 2) return ok;
    return write(out, std::exchange(decoder->held, ""));
  };
  t.decoder_free = [](Decoder* decoder) { delete decoder; };
  t.request_submit = submit;
  t.request_next = request_next;
  t.request_cancel = [](Request* request, ErrorText*) -> int32_t {
    request->cancelled = true;
    return ok;
  };
  t.request_wait = [](Request* request, int64_t, ErrorText*) -> int32_t { return request->done ? ok : timeout_now; };
  t.request_tensor = request_tensor;
  t.request_error_message = [](Request* request) { return request->error.c_str(); };
  t.request_free = [](Request* request) { delete request; };
  t.queue_new = [](Queue** out, ErrorText*) -> int32_t {
    *out = new Queue();
    return ok;
  };
  t.queue_next = queue_next;
  t.queue_wake = [](Queue*, ErrorText*) -> int32_t { return ok; };
  t.queue_free = [](Queue* queue) { delete queue; };
  return t;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const Table* graft_core_table() {
  static const Table table = make_table();
  return &table;
}

// Bytes as a sequence of calls of the public interface, in any order and with any arguments, on a tiny model: handles
// may be NULL, children outlive their parents, everything is freed at any moment (but no handle is used after its
// free). Every call must answer with a status that the header has, INTERNAL never, and with a message unless it is OK.
#include <fuzzer/FuzzedDataProvider.h>
#include <graft/graft.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "tests/broken/tiny_model.h"

// The engine's threads may free after an input has ended, so leaks are looked for in the tests instead.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:detect_container_overflow=0:detect_odr_violation=0";
}

namespace {

using graft::broken::Folder;
using graft::broken::Model;

void check(graft_status status) {
  const std::string message = graft_last_error_message();
  if (status < GRAFT_STATUS_OK || status >= GRAFT_STATUS_INTERNAL || (status == GRAFT_STATUS_OK) != message.empty()) {
    std::fprintf(stderr, "status %d (%s), message '%s'\n", status, graft_status_name(status), message.c_str());
    std::abort();
  }
}

/// A few handles of a kind, each NULL until it is made.
template <class T, void (*release)(T*)>
struct Pool {
  T* slots[3] = {};
  ~Pool() {
    for (T* slot : slots) release(slot);
  }
  T*& pick(FuzzedDataProvider& in) { return slots[in.ConsumeIntegralInRange<size_t>(0, 2)]; }
  /// A slot for a new handle, the old one freed; the call must leave NULL there when it fails.
  template <class Make>
  void make(FuzzedDataProvider& in, Make&& call) {
    T*& slot = pick(in);
    release(slot);
    slot = nullptr;
    const graft_status status = call(&slot);
    check(status);
    if ((status == GRAFT_STATUS_OK) != (slot != nullptr)) std::abort();
  }
  void free(FuzzedDataProvider& in) {
    T*& slot = pick(in);
    release(slot);
    slot = nullptr;
  }
};

class Session {
 public:
  Session(FuzzedDataProvider& in, graft_engine* engine, const std::string& path)
      : in_(in), shared_(engine), path_(path) {}

  void step() {
    switch (in_.ConsumeIntegralInRange(0, 9)) {
      case 0:
        return input();
      case 1:
        return request_options();
      case 2:
        return engine_options();
      case 3:
        return engine();
      case 4:
        return tokenizer();
      case 5:
        return events();
      case 6:
        return tensor();
      default:
        return request();  // most of the work
    }
  }

 private:
  int choose(int count) { return in_.ConsumeIntegralInRange(0, count - 1); }

  int64_t number() {
    constexpr int64_t edges[] = {-1,        -2,       0, 1, 63, 64, 65, 511, 512, 4096, INT32_MAX, int64_t{1} << 32,
                                 INT64_MAX, INT64_MIN};
    if (in_.ConsumeBool()) return in_.ConsumeIntegralInRange<int64_t>(0, 70);
    return in_.ConsumeBool() ? in_.PickValueInArray(edges) : in_.ConsumeIntegral<int64_t>();
  }

  double real() {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double edges[] = {0, 1, -1, 0.5, 1e-300, 1e300, std::nan(""), infinity, -infinity};
    return in_.ConsumeBool() ? in_.ConsumeProbability<double>() * 2 : in_.PickValueInArray(edges);
  }

  std::string text() {
    static const std::string words[] = {"1+1=",
                                        "logits",
                                        "embedding",
                                        "hidden",
                                        "cpu",
                                        "cuda",
                                        "auto",
                                        "float32",
                                        "bfloat16",
                                        "int8",
                                        "kernel",
                                        "none",
                                        "{}",
                                        R"({"max_tokens":3,"greedy":true})",
                                        R"({"stop_tokens":[1,2],"temperature":0.5})",
                                        R"({"threads":1,"context_limit":32})",
                                        R"({"logit_bias":{"5":1}})",
                                        R"([{"role":"user","content":"1"}])"};
    return in_.ConsumeBool() ? in_.PickValueInArray(words) : in_.ConsumeRandomLengthString(60);
  }

  /// The size that goes with a text: its own, or that of a C text, or nonsense.
  int64_t size_of(const std::string& text) {
    const int kind = choose(8);
    return kind == 0 ? -1 : kind == 1 ? -in_.ConsumeIntegralInRange<int64_t>(2, 9) : static_cast<int64_t>(text.size());
  }

  std::vector<int64_t> ids() {
    std::vector<int64_t> ids(in_.ConsumeIntegralInRange<size_t>(0, 70));
    const bool sound = choose(4) != 0;
    for (int64_t& id : ids) id = sound ? in_.ConsumeIntegralInRange<int64_t>(0, 511) : number();
    return ids;
  }

  graft_engine* any_engine() { return choose(4) != 0 ? shared_ : engines_.pick(in_); }

  void input() {
    graft_input*& input = inputs_.pick(in_);
    const std::string words = text();
    const std::vector<int64_t> list = ids();
    const auto count = static_cast<int64_t>(list.size());
    switch (choose(9)) {
      case 0:
        return check(graft_input_set_text(input, words.c_str(), size_of(words)));
      case 1:
        return check(graft_input_set_chat(input, words.c_str(), size_of(words)));
      case 2:
        return check(graft_input_set_decoder_tokens(input, list.data(), count));
      case 3:
        return check(graft_input_set_token_types(input, list.data(), count));
      case 4:
        return check(graft_input_set_tensor(input, words.c_str(), size_of(words), tensors_.pick(in_)));
      case 5:
        return inputs_.free(in_);
      case 6:
        return inputs_.make(in_, graft_input_new);
      default:
        return check(graft_input_set_tokens(input, list.data(), count));
    }
  }

  void request_options() {
    graft_request_options*& options = request_options_.pick(in_);
    using SetInteger = graft_status (*)(graft_request_options*, int64_t);
    using SetFlag = graft_status (*)(graft_request_options*, int32_t);
    using SetReal = graft_status (*)(graft_request_options*, double);
    using SetIds = graft_status (*)(graft_request_options*, const int64_t*, int64_t);
    static const SetInteger integers[] = {
        graft_request_options_set_max_tokens,     graft_request_options_set_min_tokens,
        graft_request_options_set_top_k,          graft_request_options_set_seed,
        graft_request_options_set_penalty_window, graft_request_options_set_no_repeat_ngram,
        graft_request_options_set_deadline_ms,    graft_request_options_set_num_beams,
        graft_request_options_set_num_sequences,  graft_request_options_set_top_logprobs,
        graft_request_options_set_priority};
    static const SetFlag flags[] = {graft_request_options_set_kind, graft_request_options_set_pooling,
                                    graft_request_options_set_greedy, graft_request_options_set_ignore_eos};
    static const SetReal reals[] = {graft_request_options_set_temperature,
                                    graft_request_options_set_top_p,
                                    graft_request_options_set_min_p,
                                    graft_request_options_set_typical_p,
                                    graft_request_options_set_repetition_penalty,
                                    graft_request_options_set_frequency_penalty,
                                    graft_request_options_set_presence_penalty,
                                    graft_request_options_set_length_penalty};
    static const SetIds lists[] = {graft_request_options_set_allowed_tokens, graft_request_options_set_banned_tokens,
                                   graft_request_options_set_stop_tokens};
    const std::string words = text();
    switch (choose(9)) {
      case 0:
        return check(in_.PickValueInArray(integers)(options, number()));
      case 1:
        return check(in_.PickValueInArray(flags)(options, static_cast<int32_t>(in_.ConsumeIntegralInRange(-1, 5))));
      case 2:
        return check(in_.PickValueInArray(reals)(options, real()));
      case 3: {
        const std::vector<int64_t> list = ids();
        return check(in_.PickValueInArray(lists)(options, list.data(), static_cast<int64_t>(list.size())));
      }
      case 4: {
        const std::vector<int64_t> list = ids();
        std::vector<double> values(list.size());
        for (double& value : values) value = real();
        return check(graft_request_options_set_logit_bias(options, list.data(), values.data(),
                                                          static_cast<int64_t>(list.size())));
      }
      case 5:
        return check(graft_request_options_set_json(options, words.c_str(), size_of(words)));
      case 6:
        check(graft_request_options_set_cache_salt(options, words.c_str(), size_of(words)));
        return check(graft_request_options_add_stop(options, words.c_str(), size_of(words)));
      case 7:
        return request_options_.make(in_, graft_request_options_new);
      default:
        return request_options_.free(in_);
    }
  }

  void engine_options() {
    graft_engine_options*& options = engine_options_.pick(in_);
    using SetInteger = graft_status (*)(graft_engine_options*, int64_t);
    using SetText = graft_status (*)(graft_engine_options*, const char*, int64_t);
    static const SetInteger integers[] = {
        graft_engine_options_set_tensor_parallel, graft_engine_options_set_expert_parallel,
        graft_engine_options_set_threads,         graft_engine_options_set_context_limit,
        graft_engine_options_set_max_sequences,   graft_engine_options_set_max_queue,
        graft_engine_options_set_run_ahead_ms,    graft_engine_options_set_memory_limit};
    static const SetText texts[] = {graft_engine_options_set_device, graft_engine_options_set_dtype,
                                    graft_engine_options_set_injection, graft_engine_options_set_json};
    const std::string words = text();
    switch (choose(8)) {
      case 0:
        return check(in_.PickValueInArray(integers)(options, number()));
      case 1:
        return check(in_.PickValueInArray(texts)(options, words.c_str(), size_of(words)));
      case 2:
        return check(graft_engine_options_set_rank(options, number(), number(), words.c_str(), size_of(words), number(),
                                                   number()));
      case 3:
        return check(graft_engine_options_set_weights(options, in_.ConsumeIntegralInRange(-1, 2)));
      case 4:
        return check(graft_engine_options_set_quantization(options, choose(9), number()));
      case 5:
        return check(graft_engine_options_set_progress(
            options, [](void*, double fraction, const char*) { return static_cast<int32_t>(fraction > 0.5); },
            nullptr));
      case 6:
        return engine_options_.make(in_, graft_engine_options_new);
      default:
        return engine_options_.free(in_);
    }
  }

  void engine() {
    graft_engine*& own = engines_.pick(in_);
    switch (choose(7)) {
      case 0:
        if (choose(4) != 0 || opened_++ > 0) return;  // takes as long as everything else together
        return engines_.make(in_, [&](graft_engine** out) {
          return graft_engine_open(path_.c_str(), -1, engine_options_.pick(in_), out);
        });
      case 1:
        return engines_.free(in_);
      case 2:
        return check(graft_engine_close(own, choose(3) - 1));
      case 3:
        return check(graft_engine_wait(any_engine(), choose(2)));
      case 4:
        return strings_.make(in_, [&](graft_string** out) { return graft_engine_info(any_engine(), out); });
      case 5:
        return strings_.make(in_, [&](graft_string** out) { return graft_engine_stats(any_engine(), out); });
      default:
        return strings_.make(in_, [&](graft_string** out) {
          return graft_engine_inspect(path_.c_str(), -1, engine_options_.pick(in_), out);
        });
    }
  }

  void tokenizer() {
    graft_tokenizer*& tokenizer = tokenizers_.pick(in_);
    const std::string words = text();
    const std::vector<int64_t> list = ids();
    int64_t out[16] = {};
    int64_t count = 0;
    switch (choose(10)) {
      case 0:
        return tokenizers_.make(in_, [&](graft_tokenizer** to) { return graft_engine_tokenizer(any_engine(), to); });
      case 1:
        return tokenizers_.free(in_);
      case 2:
        return check(graft_tokenizer_encode(tokenizer, words.c_str(), size_of(words), choose(2), out,
                                            in_.ConsumeIntegralInRange(-1, 16), &count));
      case 3:
        return strings_.make(in_, [&](graft_string** to) {
          return graft_tokenizer_decode(tokenizer, list.data(), static_cast<int64_t>(list.size()), choose(2), to);
        });
      case 4:
        return strings_.make(in_, [&](graft_string** to) { return graft_tokenizer_piece(tokenizer, number(), to); });
      case 5:
        return check(graft_tokenizer_id_of(tokenizer, words.c_str(), size_of(words), &count));
      case 6:
        return decoders_.make(in_, [&](graft_decoder** to) { return graft_decoder_new(tokenizer, choose(2), to); });
      case 7:
        return decoders_.free(in_);
      case 8:
        return strings_.make(in_, [&](graft_string** to) {
          const std::string more = text();
          return graft_tokenizer_apply_chat_template(tokenizer, words.c_str(), size_of(words), more.c_str(),
                                                     size_of(more), to);
        });
      default:
        return strings_.make(in_,
                             [&](graft_string** to) { return graft_decoder_push(decoders_.pick(in_), number(), to); });
    }
  }

  void events() {
    graft_event*& event = events_.pick(in_);
    graft_queue*& queue = queues_.pick(in_);
    int64_t tokens[4] = {}, count = 0;
    switch (choose(7)) {
      case 0:
        return events_.make(in_, graft_event_new);
      case 1:
        return events_.free(in_);
      case 2:
        return queues_.make(in_, graft_queue_new);
      case 3:
        return queues_.free(in_);
      case 4:
        return check(graft_queue_wake(queue));
      case 5:
        return check(graft_queue_next(queue, choose(4) - (queue == nullptr), event));
      default:
        if (graft_event_text(event, &count)[count] != '\0' || graft_event_message(event) == nullptr) std::abort();
        static_cast<void>(graft_event_usage(event, choose(5)));
        return check(graft_event_top_logprobs(event, tokens, nullptr, choose(5), &count));
    }
  }

  void tensor() {
    graft_tensor*& tensor = tensors_.pick(in_);
    const std::string bytes = in_.ConsumeRandomLengthString(64);
    const int64_t shape[] = {number(), number(), 1, 1, 1, 1, 1, 1};
    switch (choose(4)) {
      case 0:
        return tensors_.make(in_, [&](graft_tensor** out) {
          return graft_tensor_new(choose(12), shape, in_.ConsumeIntegralInRange(-1, 8), bytes.data(),
                                  static_cast<int64_t>(bytes.size()), out);
        });
      case 1:
        return tensors_.free(in_);
      case 2: {
        void* managed = nullptr;
        const graft_status status = graft_tensor_to_dlpack(tensor, &managed);
        check(status);
        if (status != GRAFT_STATUS_OK) return;
        return tensors_.make(in_, [&](graft_tensor** out) { return graft_tensor_from_dlpack(managed, out); });
      }
      default: {
        const auto* data = static_cast<const unsigned char*>(graft_tensor_data(tensor));
        volatile unsigned sum = 0;
        for (int64_t i = 0; i < graft_tensor_byte_size(tensor); ++i) sum = sum + data[i];
        return;
      }
    }
  }

  void request() {
    graft_request*& request = requests_.pick(in_);
    switch (choose(8)) {
      case 0:
        return requests_.free(in_);
      case 1:
        return check(graft_request_cancel(request));
      case 2:
        return check(graft_request_wait(request, choose(3) - 1));
      case 3: {
        const std::string words = text();
        return tensors_.make(
            in_, [&](graft_tensor** out) { return graft_request_tensor(request, words.c_str(), size_of(words), out); });
      }
      case 4:
      case 5:
        if (graft_request_error_message(request) == nullptr) std::abort();
        return check(graft_request_next(request, choose(3) - 1, events_.pick(in_)));
      default: {
        graft_engine* engine = any_engine();
        return requests_.make(in_, [&](graft_request** out) {
          return graft_request_submit(engine, inputs_.pick(in_), request_options_.pick(in_), queues_.pick(in_),
                                      number(), out);
        });
      }
    }
  }

  FuzzedDataProvider& in_;
  graft_engine* shared_;
  const std::string& path_;
  int opened_ = 0;
  Pool<graft_engine, graft_engine_free> engines_;
  Pool<graft_engine_options, graft_engine_options_free> engine_options_;
  Pool<graft_request_options, graft_request_options_free> request_options_;
  Pool<graft_input, graft_input_free> inputs_;
  Pool<graft_request, graft_request_free> requests_;
  Pool<graft_queue, graft_queue_free> queues_;
  Pool<graft_event, graft_event_free> events_;
  Pool<graft_tensor, graft_tensor_free> tensors_;
  Pool<graft_tokenizer, graft_tokenizer_free> tokenizers_;
  Pool<graft_decoder, graft_decoder_free> decoders_;
  Pool<graft_string, graft_string_free> strings_;
};

graft_engine* open_shared(const std::string& path) {
  graft_log_set_level(GRAFT_LOG_OFF);
  graft_engine_options* options = nullptr;
  graft_engine* engine = nullptr;
  check(graft_engine_options_new(&options));
  check(graft_engine_options_set_threads(options, 1));
  check(graft_engine_open(path.c_str(), -1, options, &engine));
  graft_engine_options_free(options);
  return engine;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Folder folder;
  static const bool written = (Model().write(folder.path()), true);
  static_cast<void>(written);
  static const std::string path = folder.path();
  static graft_engine* const engine = open_shared(path);
  FuzzedDataProvider in(data, size);
  Session session(in, engine, path);
  for (int steps = 0; steps < 200 && in.remaining_bytes() > 0; ++steps) session.step();
  return 0;
}

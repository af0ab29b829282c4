// What passes between libgraft.so and a core: options, errors, events, tensors, texts. The core is the fake one.
#include "tests/capi/scenario.h"

#include <vector>

namespace graft::test {
namespace {

class Passing : public Scenario {
 protected:
  // Runs a body with the library, its LibTorch set up and an engine open.
  template <class Body>
  void with_engine(Body&& body) {
    setenv("GRAFT_LIBTORCH", make_torch("torch", "2.11.0").c_str(), 1);
    in_process([&] {
      void* library = open_library();
      GRAFT_OF(library, graft_log_set_level)(GRAFT_LOG_OFF);
      graft_engine* engine = nullptr;
      ASSERT_EQ(GRAFT_OF(library, graft_engine_open)("model", -1, nullptr, &engine), GRAFT_STATUS_OK);
      body(library, engine);
      GRAFT_OF(library, graft_engine_free)(engine);
    });
  }
};

TEST_F(Passing, EngineOptions) {
  with_engine([](void* library, graft_engine*) {
    graft_engine* engine = nullptr;
    const auto open = GRAFT_OF(library, graft_engine_open);
    const auto text = GRAFT_OF(library, graft_last_error_message);
    EXPECT_EQ(open("options", -1, nullptr, &engine), GRAFT_STATUS_UNSUPPORTED);
    EXPECT_STREQ(text(), "auto auto  0 0 1 64 1 -1 0 0 0 1 0 0 0 0 0 10 0 0 ");
    graft_engine_options* options = nullptr;
    GRAFT_OF(library, graft_engine_options_new)(&options);
    const char* json =
        R"({"device":"cuda:1","dtype":"int4","injection":"auto","quantization":{"bits":4,"group_size":64},
            "tensor_parallel":2,"expert_parallel":3,"rank":{"rank":1,"world":5,"address":"host","port":6,"timeout_ms":7},
            "graph":false,"threads":8,"context_limit":9,"max_sequences":10,"max_queue":11,"run_ahead_ms":13,
            "memory_limit":12,"weights":"read"})";
    ASSERT_EQ(GRAFT_OF(library, graft_engine_options_set_json)(options, json, -1), GRAFT_STATUS_OK) << text();
    // Nothing of an object that is refused is kept.
    EXPECT_EQ(GRAFT_OF(library, graft_engine_options_set_json)(options, R"({"threads":99,"zzz":0})", -1),
              GRAFT_STATUS_INVALID_ARGUMENT);
    graft_policy* policy = nullptr;
    const char* names[] = {"o_proj", "down_proj"};
    GRAFT_OF(library, graft_policy_row_parallel)("Layer", -1, names, 2, &policy);
    GRAFT_OF(library, graft_engine_options_add_policy)(options, policy);
    GRAFT_OF(library, graft_policy_free)(policy);
    GRAFT_OF(library, graft_policy_from_json)("{}", -1, &policy);
    GRAFT_OF(library, graft_engine_options_add_policy)(options, policy);
    GRAFT_OF(library, graft_policy_free)(policy);
    EXPECT_EQ(open("options", -1, options, &engine), GRAFT_STATUS_UNSUPPORTED);
    EXPECT_STREQ(text(), "cuda:1 int4 auto 4 64 2 64 3 1 5 6 7 0 8 9 0 10 11 13 12 1 host {} Layer:o_proj,down_proj,");
    GRAFT_OF(library, graft_engine_options_free)(options);
  });
}

TEST_F(Passing, Failures) {
  with_engine([](void* library, graft_engine* running) {
    graft_engine* engine = nullptr;
    const auto open = GRAFT_OF(library, graft_engine_open);
    const auto text = GRAFT_OF(library, graft_last_error_message);
    EXPECT_EQ(open("absent", -1, nullptr, &engine), GRAFT_STATUS_NOT_FOUND);
    EXPECT_STREQ(text(), "fake: no model at absent");
    EXPECT_EQ(open("silent", -1, nullptr, &engine), GRAFT_STATUS_DEVICE_ERROR);
    EXPECT_STREQ(text(), "DEVICE_ERROR");
    EXPECT_EQ(open("nonsense", -1, nullptr, &engine), GRAFT_STATUS_INTERNAL);
    EXPECT_NE(std::string(text()).find("77"), std::string::npos);
    EXPECT_EQ(open("long", -1, nullptr, &engine), GRAFT_STATUS_DEVICE_ERROR);
    EXPECT_EQ(std::string(text()), std::string(4094, 'x'));  // the half character is gone
    EXPECT_EQ(GRAFT_OF(library, graft_engine_wait)(running, 0), GRAFT_STATUS_TIMEOUT);
    EXPECT_EQ(GRAFT_OF(library, graft_engine_wait)(running, -2), GRAFT_STATUS_INVALID_ARGUMENT);
    EXPECT_EQ(GRAFT_OF(library, graft_engine_save)(running, "there", -1), GRAFT_STATUS_UNSUPPORTED);
    EXPECT_EQ(GRAFT_OF(library, graft_engine_close)(running, -1), GRAFT_STATUS_OK);
    EXPECT_STREQ(text(), "");
  });
}

TEST_F(Passing, ProgressAndLog) {
  with_engine([](void* library, graft_engine*) {
    struct Seen {
      void* library;
      double fraction = 0;
      int32_t answer = 0;
      std::vector<std::string> lines = {};
    } seen = {library};
    graft_engine_options* options = nullptr;
    GRAFT_OF(library, graft_engine_options_new)(&options);
    const auto progress = [](void* user, double fraction, const char* what) -> int32_t {
      auto* self = static_cast<Seen*>(user);
      EXPECT_STREQ(what, "halfway");
      self->fraction = fraction;
      graft_input* input = nullptr;  // a callback may use the library
      GRAFT_OF(self->library, graft_input_new)(&input);
      GRAFT_OF(self->library, graft_input_free)(input);
      return self->answer;
    };
    GRAFT_OF(library, graft_engine_options_set_progress)(options, progress, &seen);
    GRAFT_OF(library, graft_log_set_level)(GRAFT_LOG_WARNING);
    GRAFT_OF(library, graft_log_set_callback)
    ([](void* user, graft_log_level, const char* line) { static_cast<Seen*>(user)->lines.emplace_back(line); }, &seen);
    graft_engine* engine = nullptr;
    EXPECT_EQ(GRAFT_OF(library, graft_engine_open)("model", -1, options, &engine), GRAFT_STATUS_OK);
    EXPECT_EQ(seen.fraction, 0.5);
    EXPECT_EQ(seen.lines, std::vector<std::string>{"a warning"});
    GRAFT_OF(library, graft_engine_free)(engine);
    seen.answer = 1;
    EXPECT_EQ(GRAFT_OF(library, graft_engine_open)("model", -1, options, &engine), GRAFT_STATUS_CANCELLED);
    EXPECT_EQ(engine, nullptr);
    EXPECT_STREQ(GRAFT_OF(library, graft_last_error_message)(), "load cancelled");
    GRAFT_OF(library, graft_engine_options_free)(options);
  });
}

TEST_F(Passing, RequestOptionsAndInput) {
  with_engine([](void* library, graft_engine* engine) {
    graft_input* input = nullptr;
    graft_request* request = nullptr;
    graft_request_options* options = nullptr;
    const auto submit = GRAFT_OF(library, graft_request_submit);
    const auto text = GRAFT_OF(library, graft_last_error_message);
    GRAFT_OF(library, graft_input_new)(&input);
    GRAFT_OF(library, graft_input_set_text)(input, "describe", -1);
    EXPECT_EQ(submit(engine, input, nullptr, nullptr, 0, &request), GRAFT_STATUS_UNSUPPORTED);
    EXPECT_STREQ(text(), "0 -1 0 0 0 0 0 -1 0 1 1 0 0 0 0 1 1 0 1 1 0 0 1 ");
    GRAFT_OF(library, graft_request_options_new)(&options);
    const char* json =
        R"({"kind":"hidden","max_tokens":1,"min_tokens":2,"greedy":true,"top_k":3,"penalty_window":4,"no_repeat_ngram":5,
            "seed":6,"ignore_eos":true,"num_beams":7,"num_sequences":8,"pooling":"last","top_logprobs":9,"priority":-10,
            "deadline_ms":11,"temperature":0.5,"top_p":0.25,"min_p":0.125,"typical_p":0.75,"repetition_penalty":1.5,
            "frequency_penalty":-1,"presence_penalty":2,"length_penalty":3,"cache_salt":"salt","stop":["a","b"],
            "stop_tokens":[12],"logit_bias":{"13":-0.5},"allowed_tokens":[14],"banned_tokens":[15,16]})";
    ASSERT_EQ(GRAFT_OF(library, graft_request_options_set_json)(options, json, -1), GRAFT_STATUS_OK) << text();
    const int64_t ids[] = {17, 18};
    const int64_t shape[] = {3};
    graft_tensor* tensor = nullptr;
    GRAFT_OF(library, graft_tensor_new)(GRAFT_DTYPE_UINT8, shape, 1, "abc", 3, &tensor);
    GRAFT_OF(library, graft_input_set_tensor)(input, "pixel_values", -1, tensor);
    GRAFT_OF(library, graft_tensor_free)(tensor);
    GRAFT_OF(library, graft_input_set_decoder_tokens)(input, ids, 2);
    GRAFT_OF(library, graft_input_set_token_types)(input, ids, 1);
    EXPECT_EQ(submit(engine, input, options, nullptr, 0, &request), GRAFT_STATUS_UNSUPPORTED);
    EXPECT_STREQ(
        text(),
        "3 1 2 1 3 4 5 6 1 7 8 3 9 -10 11 0.5 0.25 0.125 0.75 1.5 -1 2 3 salt stop:a stop:b end:12 bias:13=-0.5 "
        "allowed:14 banned:15 banned:16 decoder:17 decoder:18 type:17 tensor:pixel_values/8/1/3/3");
    GRAFT_OF(library, graft_request_options_free)(options);
    GRAFT_OF(library, graft_input_free)(input);
  });
}

TEST_F(Passing, EventsAndTensors) {
  with_engine([](void* library, graft_engine* engine) {
    graft_input* input = nullptr;
    graft_request* request = nullptr;
    graft_request_options* options = nullptr;
    graft_event* event = nullptr;
    const int64_t prompt[] = {13, 5};
    const auto next = GRAFT_OF(library, graft_request_next);
    GRAFT_OF(library, graft_input_new)(&input);
    GRAFT_OF(library, graft_event_new)(&event);
    GRAFT_OF(library, graft_request_options_new)(&options);
    GRAFT_OF(library, graft_request_options_set_max_tokens)(options, 1);
    GRAFT_OF(library, graft_request_options_set_top_logprobs)(options, 3);
    GRAFT_OF(library, graft_input_set_tokens)(input, prompt + 1, 1);
    ASSERT_EQ(GRAFT_OF(library, graft_request_submit)(engine, input, options, nullptr, 42, &request), GRAFT_STATUS_OK);
    EXPECT_EQ(GRAFT_OF(library, graft_request_wait)(request, 0), GRAFT_STATUS_TIMEOUT);
    EXPECT_EQ(next(request, -1, nullptr), GRAFT_STATUS_INVALID_ARGUMENT);
    ASSERT_EQ(next(request, -1, event), GRAFT_STATUS_OK);
    EXPECT_EQ(GRAFT_OF(library, graft_event_kind)(event), GRAFT_EVENT_TOKEN);
    EXPECT_EQ(GRAFT_OF(library, graft_event_tag)(event), 42);
    EXPECT_EQ(GRAFT_OF(library, graft_event_token)(event), 5);
    EXPECT_EQ(GRAFT_OF(library, graft_event_logprob)(event), -0.25);
    int64_t size = 0;
    EXPECT_STREQ(GRAFT_OF(library, graft_event_text)(event, &size), "<5>");
    EXPECT_EQ(size, 3);
    int64_t tokens[3] = {}, count = 0;
    double logprobs[3] = {};
    const auto top = GRAFT_OF(library, graft_event_top_logprobs);
    EXPECT_EQ(top(event, tokens, logprobs, 2, &count), GRAFT_STATUS_BUFFER_TOO_SMALL);
    EXPECT_EQ(count, 3);
    EXPECT_EQ(top(event, tokens, logprobs, 3, &count), GRAFT_STATUS_OK);
    EXPECT_EQ(tokens[2], 7);
    EXPECT_EQ(logprobs[2], -2);
    ASSERT_EQ(next(request, -1, event), GRAFT_STATUS_OK);
    EXPECT_EQ(GRAFT_OF(library, graft_event_kind)(event), GRAFT_EVENT_FINISHED);
    EXPECT_EQ(GRAFT_OF(library, graft_event_finish_reason)(event), GRAFT_FINISH_LENGTH);
    EXPECT_EQ(GRAFT_OF(library, graft_event_last)(event), 1);
    EXPECT_STREQ(GRAFT_OF(library, graft_event_text)(event, &size), "");
    EXPECT_EQ(GRAFT_OF(library, graft_event_usage)(event, GRAFT_USAGE_PROMPT_TOKENS), 1);
    EXPECT_EQ(GRAFT_OF(library, graft_event_usage)(event, GRAFT_USAGE_COMPLETION_TOKENS), 1);
    EXPECT_EQ(GRAFT_OF(library, graft_event_usage)(event, GRAFT_USAGE_CACHED_TOKENS), 1);
    EXPECT_EQ(next(request, -1, event), GRAFT_STATUS_END);
    EXPECT_EQ(GRAFT_OF(library, graft_event_kind)(event), GRAFT_EVENT_FINISHED);  // not touched

    // A tensor outlives request and engine, and is released once.
    graft_tensor *owned = nullptr, *borrowed = nullptr, *none = nullptr;
    const auto tensor_of = GRAFT_OF(library, graft_request_tensor);
    const auto stats = [&] {
      graft_string* json = nullptr;
      GRAFT_OF(library, graft_engine_stats)(engine, &json);
      const std::string text = GRAFT_OF(library, graft_string_data)(json);
      GRAFT_OF(library, graft_string_free)(json);
      return text;
    };
    EXPECT_EQ(tensor_of(request, "nothing", -1, &none), GRAFT_STATUS_NOT_FOUND);
    EXPECT_EQ(tensor_of(request, "logits", -1, &owned), GRAFT_STATUS_OK);
    EXPECT_EQ(tensor_of(request, "borrowed", -1, &borrowed), GRAFT_STATUS_OK);
    EXPECT_EQ(stats(), "{\"tensors\":1}");
    GRAFT_OF(library, graft_request_free)(request);
    EXPECT_EQ(static_cast<const float*>(GRAFT_OF(library, graft_tensor_data)(owned))[1], 2);
    EXPECT_EQ(static_cast<const float*>(GRAFT_OF(library, graft_tensor_data)(borrowed))[1], 4);
    void* managed = nullptr;
    EXPECT_EQ(GRAFT_OF(library, graft_tensor_to_dlpack)(owned, &managed), GRAFT_STATUS_OK);
    GRAFT_OF(library, graft_tensor_free)(owned);
    EXPECT_EQ(stats(), "{\"tensors\":1}");
    EXPECT_EQ(GRAFT_OF(library, graft_tensor_from_dlpack)(managed, &owned), GRAFT_STATUS_OK);
    GRAFT_OF(library, graft_tensor_free)(owned);
    EXPECT_EQ(stats(), "{\"tensors\":0}");
    GRAFT_OF(library, graft_tensor_free)(borrowed);

    GRAFT_OF(library, graft_input_set_tokens)(input, prompt, 1);
    ASSERT_EQ(GRAFT_OF(library, graft_request_submit)(engine, input, options, nullptr, 1, &request), GRAFT_STATUS_OK);
    ASSERT_EQ(next(request, -1, event), GRAFT_STATUS_OK);
    EXPECT_EQ(GRAFT_OF(library, graft_event_kind)(event), GRAFT_EVENT_ERROR);
    EXPECT_EQ(GRAFT_OF(library, graft_event_status)(event), GRAFT_STATUS_DEVICE_ERROR);
    EXPECT_STREQ(GRAFT_OF(library, graft_event_message)(event), "fake: unlucky token");
    EXPECT_STREQ(GRAFT_OF(library, graft_request_error_message)(request), "fake: unlucky token");
    GRAFT_OF(library, graft_request_free)(request);
    GRAFT_OF(library, graft_event_free)(event);
    GRAFT_OF(library, graft_input_free)(input);
    GRAFT_OF(library, graft_request_options_free)(options);
  });
}

TEST_F(Passing, Tokenizer) {
  with_engine([](void* library, graft_engine* engine) {
    graft_tokenizer *tokenizer = nullptr, *other = nullptr;
    graft_decoder* decoder = nullptr;
    graft_string* string = nullptr;
    int64_t ids[3] = {}, count = 0;
    const auto data = GRAFT_OF(library, graft_string_data);
    const auto release = GRAFT_OF(library, graft_string_free);
    EXPECT_EQ(GRAFT_OF(library, graft_tokenizer_open)("absent", -1, &tokenizer), GRAFT_STATUS_NOT_FOUND);
    EXPECT_EQ(GRAFT_OF(library, graft_tokenizer_open)("model", -1, &tokenizer), GRAFT_STATUS_OK);
    EXPECT_EQ(GRAFT_OF(library, graft_engine_tokenizer)(engine, &other), GRAFT_STATUS_OK);
    GRAFT_OF(library, graft_tokenizer_free)(other);
    const auto encode = GRAFT_OF(library, graft_tokenizer_encode);
    EXPECT_EQ(encode(tokenizer, "abc", -1, 1, nullptr, 0, &count), GRAFT_STATUS_BUFFER_TOO_SMALL);
    EXPECT_EQ(count, 3);
    EXPECT_EQ(encode(tokenizer, "abc", -1, 1, ids, 3, &count), GRAFT_STATUS_OK);
    EXPECT_EQ(encode(tokenizer, "abc", -1, 2, ids, 3, &count), GRAFT_STATUS_INVALID_ARGUMENT);
    EXPECT_EQ(encode(tokenizer, "abc", -1, 1, ids, 3, nullptr), GRAFT_STATUS_INVALID_ARGUMENT);
    EXPECT_EQ(encode(tokenizer, "abc", -1, 1, nullptr, 3, &count), GRAFT_STATUS_INVALID_ARGUMENT);
    EXPECT_EQ(GRAFT_OF(library, graft_tokenizer_decode)(tokenizer, ids, 3, 0, &string), GRAFT_STATUS_OK);
    EXPECT_STREQ(data(string), "abc");
    release(string);
    EXPECT_EQ(GRAFT_OF(library, graft_tokenizer_piece)(tokenizer, 'q', &string), GRAFT_STATUS_OK);
    EXPECT_STREQ(data(string), "q");
    release(string);
    EXPECT_EQ(GRAFT_OF(library, graft_tokenizer_id_of)(tokenizer, "q", -1, &count), GRAFT_STATUS_OK);
    EXPECT_EQ(count, 'q');
    EXPECT_EQ(GRAFT_OF(library, graft_tokenizer_id_of)(tokenizer, "qq", -1, &count), GRAFT_STATUS_NOT_FOUND);
    EXPECT_EQ(GRAFT_OF(library, graft_tokenizer_vocab_size)(tokenizer), 256);
    EXPECT_EQ(GRAFT_OF(library, graft_tokenizer_apply_chat_template)(tokenizer, "[]", -1, nullptr, 0, &string),
              GRAFT_STATUS_UNSUPPORTED);
    EXPECT_EQ(GRAFT_OF(library, graft_decoder_new)(tokenizer, 1, &decoder), GRAFT_STATUS_OK);
    GRAFT_OF(library, graft_tokenizer_free)(tokenizer);
    const auto push = GRAFT_OF(library, graft_decoder_push);
    EXPECT_EQ(push(decoder, 'a', &string), GRAFT_STATUS_OK);
    EXPECT_STREQ(data(string), "");
    EXPECT_EQ(GRAFT_OF(library, graft_string_size)(string), 0);
    release(string);
    EXPECT_EQ(push(decoder, 'b', &string), GRAFT_STATUS_OK);
    EXPECT_STREQ(data(string), "ab");
    release(string);
    EXPECT_EQ(push(decoder, -2, &string), GRAFT_STATUS_INVALID_ARGUMENT);
    GRAFT_OF(library, graft_decoder_free)(decoder);
  });
}

TEST_F(Passing, QueueProfileAndInspect) {
  with_engine([](void* library, graft_engine* engine) {
    graft_queue* queue = nullptr;
    graft_input* input = nullptr;
    graft_request* request = nullptr;
    graft_event* event = nullptr;
    graft_profile* profile = nullptr;
    graft_string* json = nullptr;
    const int64_t prompt[] = {1};
    GRAFT_OF(library, graft_queue_new)(&queue);
    GRAFT_OF(library, graft_event_new)(&event);
    GRAFT_OF(library, graft_input_new)(&input);
    GRAFT_OF(library, graft_input_set_tokens)(input, prompt, 1);
    graft_request_options* options = nullptr;
    GRAFT_OF(library, graft_request_options_new)(&options);
    GRAFT_OF(library, graft_request_options_set_max_tokens)(options, 0);
    ASSERT_EQ(GRAFT_OF(library, graft_request_submit)(engine, input, options, queue, -9, &request), GRAFT_STATUS_OK);
    EXPECT_EQ(GRAFT_OF(library, graft_request_next)(request, 0, event), GRAFT_STATUS_INVALID_STATE);
    EXPECT_EQ(GRAFT_OF(library, graft_queue_next)(queue, -1, event), GRAFT_STATUS_OK);
    EXPECT_EQ(GRAFT_OF(library, graft_event_tag)(event), -9);
    EXPECT_EQ(GRAFT_OF(library, graft_queue_next)(queue, 0, event), GRAFT_STATUS_TIMEOUT);
    EXPECT_EQ(GRAFT_OF(library, graft_queue_wake)(queue), GRAFT_STATUS_OK);
    GRAFT_OF(library, graft_queue_free)(queue);
    GRAFT_OF(library, graft_request_free)(request);
    EXPECT_EQ(GRAFT_OF(library, graft_engine_profile)(engine, 1), GRAFT_STATUS_OK);
    EXPECT_EQ(GRAFT_OF(library, graft_engine_profile)(engine, 3), GRAFT_STATUS_INVALID_ARGUMENT);
    EXPECT_EQ(GRAFT_OF(library, graft_profile_take)(engine, &profile), GRAFT_STATUS_OK);
    EXPECT_EQ(GRAFT_OF(library, graft_profile_count)(profile), 2);
    double times[2] = {};
    int64_t count = 0;
    EXPECT_EQ(GRAFT_OF(library, graft_profile_milliseconds)(profile, times, 1, &count), GRAFT_STATUS_BUFFER_TOO_SMALL);
    EXPECT_EQ(GRAFT_OF(library, graft_profile_milliseconds)(profile, times, 2, &count), GRAFT_STATUS_OK);
    EXPECT_EQ(times[1], 1.5);
    EXPECT_EQ(GRAFT_OF(library, graft_profile_table)(profile, &json), GRAFT_STATUS_OK);
    GRAFT_OF(library, graft_string_free)(json);
    GRAFT_OF(library, graft_profile_free)(profile);
    EXPECT_EQ(GRAFT_OF(library, graft_engine_inspect)("m", -1, nullptr, &json), GRAFT_STATUS_OK);
    EXPECT_STREQ(GRAFT_OF(library, graft_string_data)(json), "{\"path\":\"m\"}");
    GRAFT_OF(library, graft_string_free)(json);
    GRAFT_OF(library, graft_event_free)(event);
    GRAFT_OF(library, graft_input_free)(input);
    GRAFT_OF(library, graft_request_options_free)(options);
  });
}

}  // namespace
}  // namespace graft::test

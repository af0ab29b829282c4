// NULL handles and NULL outputs, for every function of the public interface that takes one: a status and a message that
// names the argument, or the answer that the header states. What is not in a table here fails the last test.
#include <cstring>
#include <fstream>
#include <set>

#include "tests/broken/support.h"
#include "tests/conformance/support/session.h"

namespace graft::broken {
namespace {

struct NullCall {
  std::string function;
  std::string argument;
  std::function<graft_status()> call;
};

#define ON_NULL(function, argument, ...)                      \
  {                                                           \
    #function, argument, [] { return function(__VA_ARGS__); } \
  }

/// Functions that need no object to be given NULL for one.
std::vector<NullCall> plain_calls() {
  static const int64_t token = 1;
  static const double value = 1;
  static const char* const names[] = {nullptr};
  static int64_t count = 0;
  static graft_string* text = nullptr;
  return {
      ON_NULL(graft_engine_open, "path", nullptr, -1, nullptr, reinterpret_cast<graft_engine**>(&text)),
      ON_NULL(graft_engine_open, "out_engine", "x", -1, nullptr, nullptr),
      ON_NULL(graft_engine_inspect, "path", nullptr, -1, nullptr, &text),
      ON_NULL(graft_engine_inspect, "out_json", "x", -1, nullptr, nullptr),
      ON_NULL(graft_engine_close, "engine", nullptr, 0),
      ON_NULL(graft_engine_wait, "engine", nullptr, 0),
      ON_NULL(graft_engine_tokenizer, "engine", nullptr, reinterpret_cast<graft_tokenizer**>(&text)),
      ON_NULL(graft_engine_info, "engine", nullptr, &text),
      ON_NULL(graft_engine_stats, "engine", nullptr, &text),
      ON_NULL(graft_engine_save, "engine", nullptr, "x", -1),
      ON_NULL(graft_engine_profile, "engine", nullptr, 1),
      ON_NULL(graft_profile_take, "engine", nullptr, reinterpret_cast<graft_profile**>(&text)),
      ON_NULL(graft_profile_milliseconds, "profile", nullptr, nullptr, 0, &count),
      ON_NULL(graft_profile_table, "profile", nullptr, &text),
      ON_NULL(graft_doctor, "out_json", nullptr),
      ON_NULL(graft_queue_new, "out_queue", nullptr),
      ON_NULL(graft_queue_next, "queue", nullptr, 0, nullptr),
      ON_NULL(graft_queue_wake, "queue", nullptr),
      ON_NULL(graft_event_new, "out_event", nullptr),
      ON_NULL(graft_event_top_logprobs, "event", nullptr, nullptr, nullptr, 0, &count),
      ON_NULL(graft_request_submit, "engine", nullptr, nullptr, nullptr, nullptr, 0,
              reinterpret_cast<graft_request**>(&text)),
      ON_NULL(graft_request_submit, "out_request", nullptr, nullptr, nullptr, nullptr, 0, nullptr),
      ON_NULL(graft_request_next, "request", nullptr, 0, nullptr),
      ON_NULL(graft_request_cancel, "request", nullptr),
      ON_NULL(graft_request_wait, "request", nullptr, 0),
      ON_NULL(graft_request_tensor, "request", nullptr, "logits", -1, reinterpret_cast<graft_tensor**>(&text)),
      ON_NULL(graft_request_tensor, "out_tensor", nullptr, "logits", -1, nullptr),
      ON_NULL(graft_tensor_new, "out_tensor", GRAFT_DTYPE_FLOAT32, nullptr, 0, &value, 4, nullptr),
      ON_NULL(graft_tensor_new, "shape", GRAFT_DTYPE_FLOAT32, nullptr, 1, &value, 4,
              reinterpret_cast<graft_tensor**>(&text)),
      ON_NULL(graft_tensor_new, "data", GRAFT_DTYPE_FLOAT32, nullptr, 0, nullptr, 4,
              reinterpret_cast<graft_tensor**>(&text)),
      ON_NULL(graft_tensor_from_dlpack, "managed", nullptr, reinterpret_cast<graft_tensor**>(&text)),
      ON_NULL(graft_tensor_from_dlpack, "out_tensor", &text, nullptr),
      ON_NULL(graft_tensor_to_dlpack, "tensor", nullptr, reinterpret_cast<void**>(&text)),
      ON_NULL(graft_tokenizer_open, "path", nullptr, -1, reinterpret_cast<graft_tokenizer**>(&text)),
      ON_NULL(graft_tokenizer_open, "out_tokenizer", "x", -1, nullptr),
      ON_NULL(graft_tokenizer_encode, "tokenizer", nullptr, "x", -1, 0, nullptr, 0, &count),
      ON_NULL(graft_tokenizer_decode, "tokenizer", nullptr, &token, 1, 0, &text),
      ON_NULL(graft_tokenizer_decode, "out_text", nullptr, &token, 1, 0, nullptr),
      ON_NULL(graft_tokenizer_piece, "tokenizer", nullptr, 0, &text),
      ON_NULL(graft_tokenizer_id_of, "tokenizer", nullptr, "x", -1, &count),
      ON_NULL(graft_tokenizer_apply_chat_template, "tokenizer", nullptr, "[]", -1, nullptr, 0, &text),
      ON_NULL(graft_decoder_new, "tokenizer", nullptr, 0, reinterpret_cast<graft_decoder**>(&text)),
      ON_NULL(graft_decoder_push, "decoder", nullptr, 0, &text),
      ON_NULL(graft_input_new, "out_input", nullptr),
      ON_NULL(graft_input_set_text, "input", nullptr, "x", -1),
      ON_NULL(graft_input_set_tokens, "input", nullptr, &token, 1),
      ON_NULL(graft_input_set_chat, "input", nullptr, "[]", -1),
      ON_NULL(graft_input_set_decoder_tokens, "input", nullptr, &token, 1),
      ON_NULL(graft_input_set_token_types, "input", nullptr, &token, 1),
      ON_NULL(graft_input_set_tensor, "input", nullptr, "x", -1, nullptr),
      ON_NULL(graft_policy_from_json, "out_policy", "{}", -1, nullptr),
      ON_NULL(graft_policy_from_json, "json", nullptr, -1, reinterpret_cast<graft_policy**>(&text)),
      ON_NULL(graft_policy_row_parallel, "out_policy", "x", -1, names, 1, nullptr),
      ON_NULL(graft_policy_row_parallel, "names", "x", -1, nullptr, 1, reinterpret_cast<graft_policy**>(&text)),
      ON_NULL(graft_policy_row_parallel, "names", "x", -1, names, 1, reinterpret_cast<graft_policy**>(&text)),
      ON_NULL(graft_engine_options_new, "out_options", nullptr),
      ON_NULL(graft_engine_options_set_device, "options", nullptr, "cpu", -1),
      ON_NULL(graft_engine_options_set_dtype, "options", nullptr, "auto", -1),
      ON_NULL(graft_engine_options_set_quantization, "options", nullptr, 0, 0),
      ON_NULL(graft_engine_options_set_tensor_parallel, "options", nullptr, 1),
      ON_NULL(graft_engine_options_set_expert_parallel, "options", nullptr, 1),
      ON_NULL(graft_engine_options_set_rank, "options", nullptr, -1, 0, "", 0, 0, 0),
      ON_NULL(graft_engine_options_set_injection, "options", nullptr, "none", -1),
      ON_NULL(graft_engine_options_set_graph, "options", nullptr, 1),
      ON_NULL(graft_engine_options_set_threads, "options", nullptr, 1),
      ON_NULL(graft_engine_options_set_context_limit, "options", nullptr, 1),
      ON_NULL(graft_engine_options_set_max_sequences, "options", nullptr, 1),
      ON_NULL(graft_engine_options_set_max_queue, "options", nullptr, 1),
      ON_NULL(graft_engine_options_set_run_ahead_ms, "options", nullptr, 1),
      ON_NULL(graft_engine_options_set_memory_limit, "options", nullptr, 1),
      ON_NULL(graft_engine_options_set_weights, "options", nullptr, 0),
      ON_NULL(graft_engine_options_set_library_directory, "options", nullptr, "", 0),
      ON_NULL(graft_engine_options_set_progress, "options", nullptr, nullptr, nullptr),
      ON_NULL(graft_engine_options_add_policy, "options", nullptr, nullptr),
      ON_NULL(graft_engine_options_set_json, "options", nullptr, "{}", -1),
      ON_NULL(graft_request_options_new, "out_options", nullptr),
      ON_NULL(graft_request_options_set_kind, "options", nullptr, 0),
      ON_NULL(graft_request_options_set_max_tokens, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_min_tokens, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_pooling, "options", nullptr, 0),
      ON_NULL(graft_request_options_set_greedy, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_temperature, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_top_k, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_top_p, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_min_p, "options", nullptr, 0),
      ON_NULL(graft_request_options_set_typical_p, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_seed, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_repetition_penalty, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_frequency_penalty, "options", nullptr, 0),
      ON_NULL(graft_request_options_set_presence_penalty, "options", nullptr, 0),
      ON_NULL(graft_request_options_set_penalty_window, "options", nullptr, 0),
      ON_NULL(graft_request_options_set_no_repeat_ngram, "options", nullptr, 0),
      ON_NULL(graft_request_options_set_logit_bias, "options", nullptr, &token, &value, 1),
      ON_NULL(graft_request_options_set_allowed_tokens, "options", nullptr, &token, 1),
      ON_NULL(graft_request_options_set_banned_tokens, "options", nullptr, &token, 1),
      ON_NULL(graft_request_options_add_stop, "options", nullptr, "x", -1),
      ON_NULL(graft_request_options_set_stop_tokens, "options", nullptr, &token, 1),
      ON_NULL(graft_request_options_set_ignore_eos, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_deadline_ms, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_num_beams, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_num_sequences, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_length_penalty, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_top_logprobs, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_priority, "options", nullptr, 1),
      ON_NULL(graft_request_options_set_cache_salt, "options", nullptr, "", 0),
      ON_NULL(graft_request_options_set_json, "options", nullptr, "{}", -1),
  };
}

/// Functions that cannot fail: what the header says they answer for NULL.
std::set<std::string> answers_for_null() {
  std::set<std::string> done;
#define EXPECT_ANSWER(function, expected) \
  done.insert(#function);                 \
  EXPECT_EQ(function(nullptr), expected) << #function
#define EXPECT_EMPTY(function, ...) \
  done.insert(#function);           \
  EXPECT_STREQ(function(nullptr __VA_OPT__(, ) __VA_ARGS__), "") << #function
#define FREE_NULL(function) \
  done.insert(#function);   \
  function(nullptr)
  EXPECT_ANSWER(graft_event_kind, GRAFT_EVENT_NONE);
  EXPECT_ANSWER(graft_event_tag, 0);
  EXPECT_ANSWER(graft_event_sequence, 0);
  EXPECT_ANSWER(graft_event_token, -1);
  EXPECT_ANSWER(graft_event_logprob, 0);
  EXPECT_ANSWER(graft_event_finish_reason, GRAFT_FINISH_NONE);
  EXPECT_ANSWER(graft_event_progress, 0);
  EXPECT_ANSWER(graft_event_last, 0);
  EXPECT_ANSWER(graft_event_status, GRAFT_STATUS_OK);
  EXPECT_ANSWER(graft_profile_count, 0);
  EXPECT_ANSWER(graft_tokenizer_vocab_size, 0);
  EXPECT_ANSWER(graft_string_size, 0);
  EXPECT_ANSWER(graft_tensor_dtype, 0);
  EXPECT_ANSWER(graft_tensor_rank, 0);
  EXPECT_ANSWER(graft_tensor_shape, nullptr);
  EXPECT_ANSWER(graft_tensor_data, nullptr);
  EXPECT_ANSWER(graft_tensor_byte_size, 0);
  EXPECT_EMPTY(graft_event_text, nullptr);
  EXPECT_EMPTY(graft_event_message);
  EXPECT_EMPTY(graft_string_data);
  EXPECT_EMPTY(graft_request_error_message);
  done.insert({"graft_event_usage", "graft_tensor_device"});
  EXPECT_EQ(graft_event_usage(nullptr, GRAFT_USAGE_PROMPT_TOKENS), 0);
  EXPECT_NE(graft_tensor_device(nullptr), nullptr);
  FREE_NULL(graft_engine_free);
  FREE_NULL(graft_engine_options_free);
  FREE_NULL(graft_request_free);
  FREE_NULL(graft_request_options_free);
  FREE_NULL(graft_input_free);
  FREE_NULL(graft_event_free);
  FREE_NULL(graft_queue_free);
  FREE_NULL(graft_tensor_free);
  FREE_NULL(graft_string_free);
  FREE_NULL(graft_policy_free);
  FREE_NULL(graft_profile_free);
  FREE_NULL(graft_tokenizer_free);
  FREE_NULL(graft_decoder_free);
  return done;
}

void expect_named(const NullCall& value) {
  SCOPED_TRACE(value.function + " with NULL for " + value.argument);
  expect_failure(value.call(), GRAFT_STATUS_INVALID_ARGUMENT, {value.argument});
}

TEST(Null, IsNamed) {
  for (const NullCall& value : plain_calls()) expect_named(value);
}

// Where the handle is sound and the output, or what comes behind the handle, is NULL.
TEST(Null, IsNamedBesideSoundHandles) {
  static graft_engine* engine = open_sound();
  const conformance::Engine owned(engine);
  static graft_tokenizer* tokenizer = nullptr;
  ASSERT_EQ(graft_engine_tokenizer(engine, &tokenizer), GRAFT_STATUS_OK);
  static graft_decoder* decoder = nullptr;
  ASSERT_EQ(graft_decoder_new(tokenizer, 0, &decoder), GRAFT_STATUS_OK);
  static conformance::Request request;
  request = conformance::submit(engine, {1}, nullptr);
  static graft_queue* queue = nullptr;
  ASSERT_EQ(graft_queue_new(&queue), GRAFT_STATUS_OK);
  static graft_engine_options* options = nullptr;
  ASSERT_EQ(graft_engine_options_new(&options), GRAFT_STATUS_OK);
  static const conformance::Event event = conformance::make_event();
  static int64_t count = 0;
  static graft_string* text = nullptr;
  static graft_request* submitted = nullptr;
  const NullCall calls[] = {
      ON_NULL(graft_engine_tokenizer, "out_tokenizer", engine, nullptr),
      ON_NULL(graft_engine_info, "out_json", engine, nullptr),
      ON_NULL(graft_engine_stats, "out_json", engine, nullptr),
      ON_NULL(graft_engine_save, "directory", engine, nullptr, -1),
      ON_NULL(graft_profile_take, "out_profile", engine, nullptr),
      ON_NULL(graft_request_submit, "input", engine, nullptr, nullptr, nullptr, 0, &submitted),
      ON_NULL(graft_request_next, "event", request.get(), 0, nullptr),
      ON_NULL(graft_request_tensor, "name", request.get(), nullptr, -1, reinterpret_cast<graft_tensor**>(&text)),
      ON_NULL(graft_queue_next, "event", queue, 0, nullptr),
      ON_NULL(graft_event_top_logprobs, "out_count", event.get(), nullptr, nullptr, 0, nullptr),
      ON_NULL(graft_tokenizer_encode, "text", tokenizer, nullptr, -1, 0, nullptr, 0, &count),
      ON_NULL(graft_tokenizer_encode, "out_tokens", tokenizer, "x", -1, 0, nullptr, 5, &count),
      ON_NULL(graft_tokenizer_encode, "out_count", tokenizer, "x", -1, 0, nullptr, 0, nullptr),
      ON_NULL(graft_tokenizer_decode, "tokens", tokenizer, nullptr, 3, 0, &text),
      ON_NULL(graft_tokenizer_piece, "out_piece", tokenizer, 0, nullptr),
      ON_NULL(graft_tokenizer_id_of, "piece", tokenizer, nullptr, -1, &count),
      ON_NULL(graft_tokenizer_id_of, "out_token", tokenizer, "x", -1, nullptr),
      ON_NULL(graft_tokenizer_apply_chat_template, "messages", tokenizer, nullptr, -1, nullptr, 0, &text),
      ON_NULL(graft_tokenizer_apply_chat_template, "out_text", tokenizer, "[]", -1, nullptr, 0, nullptr),
      ON_NULL(graft_decoder_new, "out_decoder", tokenizer, 0, nullptr),
      ON_NULL(graft_decoder_push, "out_text", decoder, 0, nullptr),
      ON_NULL(graft_engine_options_add_policy, "policy", options, nullptr),
      ON_NULL(graft_engine_options_set_device, "device", options, nullptr, -1),
      ON_NULL(graft_engine_options_set_json, "json", options, nullptr, -1),
  };
  for (const NullCall& value : calls) expect_named(value);
  graft_engine_options_free(options);
  graft_queue_free(queue);
  request.reset();
  graft_decoder_free(decoder);
  graft_tokenizer_free(tokenizer);
}

TEST(Null, EveryFunctionIsInATable) {
  std::set<std::string> done = answers_for_null();
  for (const NullCall& value : plain_calls()) done.insert(value.function);
  // These take no pointer, or a NULL of theirs has a meaning.
  done.insert({"graft_abi_version", "graft_version", "graft_last_error_message", "graft_status_name",
               "graft_log_set_level", "graft_log_set_callback"});
  const char* source = std::getenv("GRAFT_TEST_SOURCE");
  ASSERT_NE(source, nullptr);
  std::ifstream map(std::string(source) + "/capi/abi/graft.map");
  int seen = 0;
  for (std::string line; std::getline(map, line);) {
    if (line.rfind("    graft_", 0) != 0) continue;
    const std::string name = line.substr(4, line.find(';') - 4);
    EXPECT_EQ(done.count(name), 1U) << name << " is called with NULL by no test";
    ++seen;
  }
  EXPECT_GT(seen, 100);
}

}  // namespace
}  // namespace graft::broken

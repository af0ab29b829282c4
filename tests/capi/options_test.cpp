// Setters of both option nouns: what they take, what they refuse, and what the refusal says.
#include <graft/graft.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>

namespace {

using Engine = std::unique_ptr<graft_engine_options, decltype(&graft_engine_options_free)>;
using Request = std::unique_ptr<graft_request_options, decltype(&graft_request_options_free)>;

Engine engine_options() {
  graft_engine_options* made = nullptr;
  EXPECT_EQ(graft_engine_options_new(&made), GRAFT_STATUS_OK);
  return {made, &graft_engine_options_free};
}

Request request_options() {
  graft_request_options* made = nullptr;
  EXPECT_EQ(graft_request_options_new(&made), GRAFT_STATUS_OK);
  return {made, &graft_request_options_free};
}

// INVALID_ARGUMENT with a text that holds each of the words.
void expect_refused(graft_status status, std::initializer_list<const char*> words) {
  EXPECT_EQ(status, GRAFT_STATUS_INVALID_ARGUMENT);
  const std::string text = graft_last_error_message();
  for (const char* word : words) EXPECT_NE(text.find(word), std::string::npos) << text << " lacks " << word;
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(EngineOptions, TextSetters) {
  const Engine options = engine_options();
  for (const char* device : {"auto", "cpu", "cuda", "cuda:0", "cuda:12"}) {
    EXPECT_EQ(graft_engine_options_set_device(options.get(), device, -1), GRAFT_STATUS_OK) << device;
  }
  for (const char* device : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:99999", "CPU"}) {
    expect_refused(graft_engine_options_set_device(options.get(), device, -1), {"device", device, "cuda:N"});
  }
  EXPECT_EQ(graft_engine_options_set_device(options.get(), "cpuXXX", 3), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_engine_options_set_dtype(options.get(), "bfloat16", -1), GRAFT_STATUS_OK);
  expect_refused(graft_engine_options_set_dtype(options.get(), "fp8", -1), {"dtype", "'fp8'", "'int4'"});
  EXPECT_EQ(graft_engine_options_set_injection(options.get(), "none", 4), GRAFT_STATUS_OK);
  expect_refused(graft_engine_options_set_injection(options.get(), "all", -1), {"injection", "'all'", "'kernel'"});
  EXPECT_EQ(graft_engine_options_set_library_directory(options.get(), "/some/where", -1), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_engine_options_set_library_directory(options.get(), nullptr, 0), GRAFT_STATUS_OK);
  expect_refused(graft_engine_options_set_library_directory(options.get(), "a\0b", 3), {"library_directory", "NUL"});
}

TEST(EngineOptions, TextArguments) {
  const Engine options = engine_options();
  expect_refused(graft_engine_options_set_device(options.get(), "cpu", -2), {"device", "-2", "-1 for NUL-terminated"});
  expect_refused(graft_engine_options_set_device(options.get(), nullptr, 3), {"device", "NULL"});
  expect_refused(graft_engine_options_set_device(options.get(), nullptr, -1), {"device", "NULL"});
  expect_refused(graft_engine_options_set_device(options.get(), "cp\xFFu", -1),
                 {"device", "0xff", "offset 2", "UTF-8"});
  expect_refused(graft_engine_options_set_device(nullptr, "cpu", -1), {"options", "NULL"});
}

TEST(EngineOptions, Numbers) {
  const Engine options = engine_options();
  EXPECT_EQ(graft_engine_options_set_quantization(options.get(), 4, 64), GRAFT_STATUS_OK);
  expect_refused(graft_engine_options_set_quantization(options.get(), 5, 64), {"bits", "5", "0, 4 or 8"});
  expect_refused(graft_engine_options_set_quantization(options.get(), 4, -1), {"group_size", "-1"});
  EXPECT_EQ(graft_engine_options_set_tensor_parallel(options.get(), 3), GRAFT_STATUS_OK);
  expect_refused(graft_engine_options_set_tensor_parallel(options.get(), 0), {"tensor_parallel", "0", "1 or more"});
  expect_refused(graft_engine_options_set_expert_parallel(options.get(), -4), {"expert_parallel", "-4"});
  expect_refused(graft_engine_options_set_graph(options.get(), 2), {"graph", "2", "0 or 1"});
  expect_refused(graft_engine_options_set_threads(options.get(), -1), {"threads", "-1"});
  expect_refused(graft_engine_options_set_context_limit(options.get(), -1), {"context_limit"});
  expect_refused(graft_engine_options_set_max_sequences(options.get(), -1), {"max_sequences"});
  expect_refused(graft_engine_options_set_max_queue(options.get(), -1), {"max_queue"});
  expect_refused(graft_engine_options_set_run_ahead_ms(options.get(), -1), {"run_ahead_ms", "-1", "0 to 60000"});
  expect_refused(graft_engine_options_set_run_ahead_ms(options.get(), 60'001), {"run_ahead_ms", "60001"});
  expect_refused(graft_engine_options_set_memory_limit(options.get(), INT64_MIN),
                 {"memory_limit", "-9223372036854775808"});
  expect_refused(graft_engine_options_set_weights(options.get(), 2), {"weights", "2", "0 to 1"});
}

TEST(EngineOptions, Rank) {
  const Engine options = engine_options();
  EXPECT_EQ(graft_engine_options_set_rank(options.get(), 1, 2, "10.0.0.1", -1, 29500, 1000), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_engine_options_set_rank(options.get(), -1, 0, nullptr, 0, 0, 0), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_engine_options_set_rank(options.get(), 0, 1, nullptr, 0, 0, 0), GRAFT_STATUS_OK);
  expect_refused(graft_engine_options_set_rank(options.get(), 2, 2, "h", -1, 1, 0), {"rank", "2", "-1 to 1"});
  expect_refused(graft_engine_options_set_rank(options.get(), -2, 2, "h", -1, 1, 0), {"rank", "-2"});
  expect_refused(graft_engine_options_set_rank(options.get(), -1, 2, "h", -1, 1, 0), {"world", "2"});
  expect_refused(graft_engine_options_set_rank(options.get(), 0, 2, "", -1, 1, 0), {"address", "empty"});
  expect_refused(graft_engine_options_set_rank(options.get(), 0, 2, "h", -1, 65536, 0), {"port", "65536", "65535"});
  expect_refused(graft_engine_options_set_rank(options.get(), 0, 2, "h", -1, 0, 0), {"port"});
  expect_refused(graft_engine_options_set_rank(options.get(), 0, 2, "h", -1, 1, -5), {"timeout_ms", "-5"});
}

TEST(EngineOptions, Json) {
  const Engine options = engine_options();
  const auto set = [&](const std::string& json) {
    return graft_engine_options_set_json(options.get(), json.data(), static_cast<int64_t>(json.size()));
  };
  EXPECT_EQ(set("{}"), GRAFT_STATUS_OK);
  EXPECT_EQ(set(R"({"device":"cpu","dtype":"bfloat16","tensor_parallel":2,"expert_parallel":1,"graph":false,"threads":4,
                    "quantization":{"bits":4,"group_size":64},"injection":"auto","context_limit":128,"max_sequences":3,
                    "max_queue":9,"run_ahead_ms":0,"memory_limit":1000000,"weights":"read","library_directory":"",
                    "rank":{"rank":0,"world":2,"address":"h","port":1,"timeout_ms":5}})"),
            GRAFT_STATUS_OK)
      << graft_last_error_message();
  expect_refused(set("[]"), {"array", "an object"});
  expect_refused(set("{"), {"not JSON"});
  expect_refused(set(""), {"not JSON"});
  expect_refused(set(R"({"dtypes":"int8"})"), {"unknown key", "'dtypes'", "tensor_parallel"});
  expect_refused(set(R"({"progress":1})"), {"unknown key", "'progress'"});
  expect_refused(set(R"({"tensor_parallel":"2"})"), {"tensor_parallel", "'2'", "an integer"});
  expect_refused(set(R"({"tensor_parallel":2.5})"), {"tensor_parallel", "2.5", "an integer"});
  expect_refused(set(R"({"tensor_parallel":9223372036854775808})"),
                 {"tensor_parallel", "9223372036854775808", "64 bits"});
  expect_refused(set(R"({"tensor_parallel":0})"), {"tensor_parallel", "1 or more"});
  expect_refused(set(R"({"graph":1})"), {"graph", "true or false"});
  expect_refused(set(R"({"weights":"copy"})"), {"weights", "'copy'", "'read'"});
  expect_refused(set(R"({"quantization":{"bit":4}})"), {"quantization.bit", "bits, group_size"});
  expect_refused(set(R"({"quantization":{"bits":4294967300}})"), {"quantization.bits", "4294967300"});
  expect_refused(set(R"({"rank":{"port":"x"}})"), {"rank.port", "'x'"});
  expect_refused(set(R"({"threads":1,"threads":2})"), {"'threads'", "twice"});
  expect_refused(set("{\"device\":\"\xC0\x80\"}"), {"json", "UTF-8"});
  expect_refused(set(R"({"threads":1e400})"), {"json"});
}

TEST(EngineOptions, JsonIsBounded) {
  const Engine options = engine_options();
  const std::string deep = R"({"threads":)" + std::string(1000000, '[');
  expect_refused(graft_engine_options_set_json(options.get(), deep.c_str(), -1), {"64 levels"});
  const std::string large = "\"" + std::string(std::size_t{17} << 20, 'x') + "\"";
  expect_refused(graft_engine_options_set_json(options.get(), large.c_str(), -1), {"17825794 bytes", "16777216"});
}

TEST(Policy, BothForms) {
  const Engine options = engine_options();
  graft_policy* policy = nullptr;
  const char* names[] = {"self_attn.o_proj", "mlp.down_proj"};
  ASSERT_EQ(graft_policy_row_parallel("LlamaDecoderLayer", -1, names, 2, &policy), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_engine_options_add_policy(options.get(), policy), GRAFT_STATUS_OK);
  graft_policy_free(policy);
  ASSERT_EQ(graft_policy_from_json(R"({"model_type":"mine"})", -1, &policy), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_engine_options_add_policy(options.get(), policy), GRAFT_STATUS_OK);
  graft_policy_free(policy);
  expect_refused(graft_engine_options_add_policy(options.get(), nullptr), {"policy", "NULL"});
  policy = reinterpret_cast<graft_policy*>(1);
  expect_refused(graft_policy_row_parallel("L", -1, names, 0, &policy), {"name_count", "0"});
  EXPECT_EQ(policy, nullptr);
  const char* bad[] = {"ok", nullptr};
  expect_refused(graft_policy_row_parallel("L", -1, bad, 2, &policy), {"names", "NULL"});
  expect_refused(graft_policy_row_parallel("", -1, names, 2, &policy), {"layer_class", "empty"});
  expect_refused(graft_policy_row_parallel("L", -1, nullptr, 2, &policy), {"names", "NULL"});
  expect_refused(graft_policy_from_json("[1]", -1, &policy), {"array", "an object"});
  expect_refused(graft_policy_from_json("{}", -1, nullptr), {"out_policy"});
  graft_policy_free(nullptr);
}

TEST(RequestOptions, Numbers) {
  const Request made = request_options();
  graft_request_options* options = made.get();
  EXPECT_EQ(graft_request_options_set_max_tokens(options, -1), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_request_options_set_temperature(options, 0), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_request_options_set_top_p(options, 1), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_request_options_set_priority(options, INT64_MIN), GRAFT_STATUS_OK);
  expect_refused(graft_request_options_set_kind(options, 4), {"kind", "4", "0 to 3"});
  expect_refused(graft_request_options_set_kind(options, -1), {"kind", "-1"});
  expect_refused(graft_request_options_set_max_tokens(options, -2), {"max_tokens", "-2"});
  expect_refused(graft_request_options_set_min_tokens(options, -1), {"min_tokens"});
  expect_refused(graft_request_options_set_pooling(options, 5), {"pooling", "5"});
  expect_refused(graft_request_options_set_greedy(options, -1), {"greedy", "-1", "0 or 1"});
  for (const double bad : {-0.5, nan, infinity, -infinity}) {
    expect_refused(graft_request_options_set_temperature(options, bad), {"temperature", "found"});
    expect_refused(graft_request_options_set_top_p(options, bad), {"top_p"});
    expect_refused(graft_request_options_set_min_p(options, bad), {"min_p"});
    expect_refused(graft_request_options_set_typical_p(options, bad), {"typical_p"});
    expect_refused(graft_request_options_set_repetition_penalty(options, bad), {"repetition_penalty"});
  }
  for (const double bad : {nan, infinity, -infinity}) {
    expect_refused(graft_request_options_set_frequency_penalty(options, bad), {"frequency_penalty", "finite"});
    expect_refused(graft_request_options_set_presence_penalty(options, bad), {"presence_penalty", "finite"});
    expect_refused(graft_request_options_set_length_penalty(options, bad), {"length_penalty", "finite"});
  }
  expect_refused(graft_request_options_set_top_p(options, 0), {"top_p", "above 0"});
  expect_refused(graft_request_options_set_top_p(options, 1.01), {"top_p", "1.01"});
  expect_refused(graft_request_options_set_top_k(options, -1), {"top_k"});
  expect_refused(graft_request_options_set_seed(options, -2), {"seed"});
  expect_refused(graft_request_options_set_penalty_window(options, -1), {"penalty_window"});
  expect_refused(graft_request_options_set_no_repeat_ngram(options, -1), {"no_repeat_ngram"});
  expect_refused(graft_request_options_set_ignore_eos(options, 7), {"ignore_eos"});
  expect_refused(graft_request_options_set_deadline_ms(options, -1), {"deadline_ms"});
  expect_refused(graft_request_options_set_num_beams(options, 0), {"num_beams"});
  expect_refused(graft_request_options_set_num_sequences(options, 0), {"num_sequences"});
  expect_refused(graft_request_options_set_top_logprobs(options, -1), {"top_logprobs"});
}

TEST(RequestOptions, Lists) {
  const Request made = request_options();
  graft_request_options* options = made.get();
  const int64_t tokens[] = {1, 2, -3};
  const double values[] = {0.5, nan, 1};
  EXPECT_EQ(graft_request_options_set_stop_tokens(options, tokens, 2), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_request_options_set_stop_tokens(options, nullptr, 0), GRAFT_STATUS_OK);
  expect_refused(graft_request_options_set_stop_tokens(options, tokens, 3), {"stop_tokens", "-3", "position 2"});
  expect_refused(graft_request_options_set_stop_tokens(options, tokens, -1), {"stop_tokens", "count -1"});
  expect_refused(graft_request_options_set_allowed_tokens(options, nullptr, 1), {"allowed_tokens", "NULL"});
  expect_refused(graft_request_options_set_banned_tokens(options, tokens, 3), {"banned_tokens"});
  EXPECT_EQ(graft_request_options_set_logit_bias(options, tokens, values, 1), GRAFT_STATUS_OK);
  expect_refused(graft_request_options_set_logit_bias(options, tokens, values, 2), {"logit_bias", "NaN", "position 1"});
  expect_refused(graft_request_options_set_logit_bias(options, tokens, nullptr, 1), {"logit_bias", "NULL"});
  EXPECT_EQ(graft_request_options_add_stop(options, "a\0b", 3), GRAFT_STATUS_OK);
  expect_refused(graft_request_options_add_stop(options, "", -1), {"stop", "empty"});
  EXPECT_EQ(graft_request_options_set_cache_salt(options, "tenant", -1), GRAFT_STATUS_OK);
}

TEST(RequestOptions, Json) {
  const Request options = request_options();
  const auto set = [&](const char* json) { return graft_request_options_set_json(options.get(), json, -1); };
  EXPECT_EQ(
      set(R"({"kind":"embed","max_tokens":5,"temperature":1,"top_p":0.9,"greedy":true,"stop":"x","stop_tokens":[2],
                    "logit_bias":{"5":-1.5},"pooling":"mean","cache_salt":"s","seed":3})"),
      GRAFT_STATUS_OK)
      << graft_last_error_message();
  EXPECT_EQ(set(R"({"stop":["a","b"]})"), GRAFT_STATUS_OK);
  expect_refused(set(R"({"stop":[1]})"), {"stop", "1", "a text"});
  expect_refused(set(R"({"stop":{}})"), {"stop", "object"});
  expect_refused(set(R"({"temperature":true})"), {"temperature", "true", "a number"});
  expect_refused(set(R"({"temperature":-1})"), {"temperature", "-1"});
  expect_refused(set(R"({"stop_tokens":[1,"2"]})"), {"stop_tokens", "'2'", "an integer"});
  expect_refused(set(R"({"stop_tokens":3})"), {"stop_tokens", "3", "an array"});
  expect_refused(set(R"({"logit_bias":{"-5":1}})"), {"logit_bias", "'-5'", "a token id"});
  expect_refused(set(R"({"logit_bias":{"99999999999999999999":1}})"), {"logit_bias", "a token id"});
  expect_refused(set(R"({"pooling":"max"})"), {"pooling", "'max'", "'cls'"});
  expect_refused(set(R"({"max_token":1})"), {"'max_token'", "max_tokens"});
}

}  // namespace

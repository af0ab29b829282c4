// Arguments that no call should take: a status and a message that names the argument, the key or the id.
#include <cmath>
#include <limits>

#include "tests/broken/support.h"
#include "tests/conformance/support/session.h"

namespace graft::broken {
namespace {

constexpr graft_status invalid = GRAFT_STATUS_INVALID_ARGUMENT;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr int64_t lowest = INT64_MIN;

using Options = graft_request_options;

struct Setting {
  const char* argument;
  std::function<graft_status(Options*)> set;
};

TEST(BrokenCall, RequestOptionsOutOfRange) {
  const int64_t negative[] = {3, -1};
  const double not_a_number[] = {nan, 1};
  const Setting settings[] = {
      {"kind", [](Options* o) { return graft_request_options_set_kind(o, 4); }},
      {"kind", [](Options* o) { return graft_request_options_set_kind(o, -1); }},
      {"max_tokens", [](Options* o) { return graft_request_options_set_max_tokens(o, -2); }},
      {"max_tokens", [](Options* o) { return graft_request_options_set_max_tokens(o, lowest); }},
      {"min_tokens", [](Options* o) { return graft_request_options_set_min_tokens(o, -1); }},
      {"pooling", [](Options* o) { return graft_request_options_set_pooling(o, 5); }},
      {"greedy", [](Options* o) { return graft_request_options_set_greedy(o, 2); }},
      {"temperature", [](Options* o) { return graft_request_options_set_temperature(o, nan); }},
      {"temperature", [](Options* o) { return graft_request_options_set_temperature(o, infinity); }},
      {"temperature", [](Options* o) { return graft_request_options_set_temperature(o, -0.5); }},
      {"top_k", [](Options* o) { return graft_request_options_set_top_k(o, -1); }},
      {"top_p", [](Options* o) { return graft_request_options_set_top_p(o, 0); }},
      {"top_p", [](Options* o) { return graft_request_options_set_top_p(o, 1.01); }},
      {"top_p", [](Options* o) { return graft_request_options_set_top_p(o, nan); }},
      {"min_p", [](Options* o) { return graft_request_options_set_min_p(o, -0.1); }},
      {"min_p", [](Options* o) { return graft_request_options_set_min_p(o, 1.1); }},
      {"typical_p", [](Options* o) { return graft_request_options_set_typical_p(o, -infinity); }},
      {"seed", [](Options* o) { return graft_request_options_set_seed(o, -2); }},
      {"repetition_penalty", [](Options* o) { return graft_request_options_set_repetition_penalty(o, 0); }},
      {"frequency_penalty", [](Options* o) { return graft_request_options_set_frequency_penalty(o, infinity); }},
      {"presence_penalty", [](Options* o) { return graft_request_options_set_presence_penalty(o, nan); }},
      {"penalty_window", [](Options* o) { return graft_request_options_set_penalty_window(o, lowest); }},
      {"no_repeat_ngram", [](Options* o) { return graft_request_options_set_no_repeat_ngram(o, -1); }},
      {"logit_bias", [&](Options* o) { return graft_request_options_set_logit_bias(o, negative, not_a_number, 2); }},
      {"logit_bias", [&](Options* o) { return graft_request_options_set_logit_bias(o, negative, not_a_number, 1); }},
      {"logit_bias", [&](Options* o) { return graft_request_options_set_logit_bias(o, negative, nullptr, 1); }},
      {"allowed_tokens", [&](Options* o) { return graft_request_options_set_allowed_tokens(o, negative, 2); }},
      {"banned_tokens", [&](Options* o) { return graft_request_options_set_banned_tokens(o, negative, -1); }},
      {"stop_tokens", [&](Options* o) { return graft_request_options_set_stop_tokens(o, nullptr, 2); }},
      {"stop", [](Options* o) { return graft_request_options_add_stop(o, "", 0); }},
      {"stop", [](Options* o) { return graft_request_options_add_stop(o, "x", -2); }},
      {"stop", [](Options* o) { return graft_request_options_add_stop(o, "a\xC0", -1); }},
      {"ignore_eos", [](Options* o) { return graft_request_options_set_ignore_eos(o, -1); }},
      {"deadline_ms", [](Options* o) { return graft_request_options_set_deadline_ms(o, -1); }},
      {"num_beams", [](Options* o) { return graft_request_options_set_num_beams(o, 0); }},
      {"num_sequences", [](Options* o) { return graft_request_options_set_num_sequences(o, 0); }},
      {"length_penalty", [](Options* o) { return graft_request_options_set_length_penalty(o, nan); }},
      {"top_logprobs", [](Options* o) { return graft_request_options_set_top_logprobs(o, -1); }},
      {"cache_salt", [](Options* o) { return graft_request_options_set_cache_salt(o, "\xFF", 1); }},
  };
  const conformance::RequestOptions options = conformance::make_options(GRAFT_REQUEST_GENERATE);
  for (const Setting& setting : settings) expect_failure(setting.set(options.get()), invalid, {setting.argument});
}

struct Document {
  const char* json;
  const char* named;
};

TEST(BrokenCall, OptionsAsJson) {
  const Document request[] = {
      {"", "json"},
      {"[]", "object"},
      {"{\"max_tokens\":1", "json"},
      {R"({"max_token":1})", "max_token"},
      {R"({"max_tokens":"1"})", "max_tokens"},
      {R"({"max_tokens":1.5})", "max_tokens"},
      {R"({"max_tokens":9223372036854775808})", "max_tokens"},
      {R"({"max_tokens":1,"max_tokens":2})", "max_tokens"},
      {R"({"temperature":-1})", "temperature"},
      {R"({"temperature":1e999})", "1e999"},
      {R"({"temperature":NaN})", "json"},
      {R"({"greedy":1})", "greedy"},
      {R"({"kind":"poem"})", "poem"},
      {R"({"stop":[1]})", "stop"},
      {R"({"stop_tokens":[1,-1]})", "stop_tokens"},
      {R"({"logit_bias":{"x":1}})", "logit_bias"},
      {R"({"logit_bias":{"-1":1}})", "logit_bias"},
      {"{\"cache_salt\":\"\xFF\"}", "UTF-8"},
  };
  const conformance::RequestOptions options = conformance::make_options(GRAFT_REQUEST_GENERATE);
  for (const auto& [json, named] : request) {
    SCOPED_TRACE(json);
    expect_failure(graft_request_options_set_json(options.get(), json, -1), invalid, {named});
  }
  const std::string deep(100'000, '[');
  expect_failure(graft_request_options_set_json(options.get(), deep.data(), static_cast<int64_t>(deep.size())), invalid,
                 {"levels"});

  const Document engine[] = {
      {R"({"devise":"cpu"})", "devise"},
      {R"({"device":"tpu"})", "device"},
      {R"({"device":"cuda:x"})", "device"},
      {R"({"dtype":"float8"})", "dtype"},
      {R"({"injection":"some"})", "injection"},
      {R"({"quantization":{"bits":5}})", "bits"},
      {R"({"quantization":{"bit":4}})", "bit"},
      {R"({"tensor_parallel":0})", "tensor_parallel"},
      {R"({"rank":{"rank":3,"world":2,"address":"a","port":1}})", "rank"},
      {R"({"rank":{"rank":0,"world":2,"address":"","port":1}})", "address"},
      {R"({"threads":-1})", "threads"},
      {R"({"weights":"borrow"})", "weights"},
      {R"({"memory_limit":true})", "memory_limit"},
  };
  graft_engine_options* made = nullptr;
  ASSERT_EQ(graft_engine_options_new(&made), GRAFT_STATUS_OK);
  const conformance::EngineOptions owned(made);
  for (const auto& [json, named] : engine) {
    SCOPED_TRACE(json);
    expect_failure(graft_engine_options_set_json(made, json, -1), invalid, {named});
  }
}

TEST(BrokenCall, EngineOptionsThatCannotBe) {
  const Folder folder;
  Model().write(folder.path());
  const Document cases[] = {
      {R"({"context_limit":16777217})", "context_limit is 16777217"},
      {R"({"context_limit":9223372036854775807})", "context_limit"},
      {R"({"max_sequences":9223372036854775807})", "max_sequences"},
  };
  for (const auto& [json, named] : cases) {
    SCOPED_TRACE(json);
    graft_engine_options* options = nullptr;
    ASSERT_EQ(graft_engine_options_new(&options), GRAFT_STATUS_OK);
    const conformance::EngineOptions owned(options);
    ASSERT_EQ(graft_engine_options_set_json(options, json, -1), GRAFT_STATUS_OK) << graft_last_error_message();
    graft_engine* engine = nullptr;
    expect_failure(graft_engine_open(folder.path().c_str(), -1, options, &engine), invalid, {named});
    EXPECT_EQ(engine, nullptr);
  }
  graft_engine_options* options = nullptr;
  ASSERT_EQ(graft_engine_options_new(&options), GRAFT_STATUS_OK);
  const conformance::EngineOptions owned(options);
  ASSERT_EQ(graft_engine_options_set_memory_limit(options, 1), GRAFT_STATUS_OK);
  graft_engine* engine = nullptr;
  const graft_status status = graft_engine_open(folder.path().c_str(), -1, options, &engine);
  EXPECT_TRUE(status == GRAFT_STATUS_LIMIT_EXCEEDED || status == GRAFT_STATUS_OUT_OF_MEMORY);
  expect_failure(status, status, {"memory_limit is 1 bytes"});
}

class BrokenInput : public testing::Test {
 protected:
  graft_status submit(const std::vector<int64_t>& tokens, const Options* options = nullptr) {
    EXPECT_EQ(graft_input_set_tokens(input_.get(), tokens.data(), static_cast<int64_t>(tokens.size())),
              GRAFT_STATUS_OK);
    graft_request* request = nullptr;
    const graft_status status = graft_request_submit(engine_.get(), input_.get(), options, nullptr, 0, &request);
    EXPECT_EQ(request != nullptr, status == GRAFT_STATUS_OK);
    graft_request_free(request);
    return status;
  }
  void TearDown() override { expect_answers(engine_.get()); }

  static graft_input* make_input() {
    graft_input* input = nullptr;
    conformance::check(graft_input_new(&input), "input");
    return input;
  }

  const conformance::Engine engine_{open_sound()};
  const conformance::Input input_{make_input()};
};

TEST_F(BrokenInput, Tokens) {
  expect_failure(submit({}), invalid, {"no tokens"});
  expect_failure(submit({1, vocabulary}), invalid, {"prompt token 1 is 512", "0 to 511"});
  expect_failure(submit({INT64_MAX}), invalid, {"prompt token 0 is 9223372036854775807"});
  const int64_t negative[] = {1, 2, -1};
  expect_failure(graft_input_set_tokens(input_.get(), negative, 3), invalid, {"tokens: found -1 at position 2"});
  expect_failure(graft_input_set_tokens(input_.get(), negative, -1), invalid, {"tokens: found count -1"});
  expect_failure(graft_input_set_tokens(input_.get(), negative, lowest), invalid, {"tokens: found count"});
  expect_failure(submit(std::vector<int64_t>(context, 1)), GRAFT_STATUS_LIMIT_EXCEEDED, {"prompt of 64 tokens"});
  expect_failure(submit(std::vector<int64_t>(1'000'000, 1)), GRAFT_STATUS_LIMIT_EXCEEDED, {"prompt of 1000000 tokens"});
  const conformance::RequestOptions options = conformance::make_options(GRAFT_REQUEST_GENERATE);
  ASSERT_EQ(graft_request_options_set_max_tokens(options.get(), 62), GRAFT_STATUS_OK);
  expect_failure(submit({1, 2, 3}, options.get()), GRAFT_STATUS_LIMIT_EXCEEDED, {"max_tokens 62", "64"});
  ASSERT_EQ(graft_request_options_set_max_tokens(options.get(), INT64_MAX), GRAFT_STATUS_OK);
  expect_failure(submit({1, 2, 3}, options.get()), GRAFT_STATUS_LIMIT_EXCEEDED, {"9223372036854775807"});
}

TEST_F(BrokenInput, Text) {
  expect_failure(graft_input_set_text(input_.get(), "1+1", -2), invalid, {"text: found size -2"});
  expect_failure(graft_input_set_text(input_.get(), "1+1", lowest), invalid, {"text: found size"});
  expect_failure(graft_input_set_text(input_.get(), "ab\x80", -1), invalid, {"text: found byte 0x80 at offset 2"});
  expect_failure(graft_input_set_text(input_.get(), "\xED\xA0\x80", -1), invalid, {"text: found byte 0xed"});
  expect_failure(graft_input_set_chat(input_.get(), "[{\"role\":\"\xFE\"}]", -1), invalid, {"found byte 0xfe"});
  expect_failure(graft_input_set_tensor(input_.get(), "", 0, nullptr), invalid, {"name: found an empty text"});
  graft_request* request = nullptr;
  expect_failure(graft_request_submit(engine_.get(), input_.get(), nullptr, nullptr, 0, &request), invalid,
                 {"the input has 0 of text, tokens and chat"});
  ASSERT_EQ(graft_input_set_text(input_.get(), "", 0), GRAFT_STATUS_OK);
  expect_failure(graft_request_submit(engine_.get(), input_.get(), nullptr, nullptr, 0, &request), invalid,
                 {"no tokens"});
  const std::string book(100'000, 'a');
  ASSERT_EQ(graft_input_set_text(input_.get(), book.data(), 100'000), GRAFT_STATUS_OK);
  expect_failure(graft_request_submit(engine_.get(), input_.get(), nullptr, nullptr, 0, &request),
                 GRAFT_STATUS_LIMIT_EXCEEDED, {"tokens", "context"});
  const int64_t token = 1;
  ASSERT_EQ(graft_input_set_tokens(input_.get(), &token, 1), GRAFT_STATUS_OK);
  expect_failure(graft_request_submit(engine_.get(), input_.get(), nullptr, nullptr, 0, &request), invalid,
                 {"the input has 2 of text, tokens and chat"});
}

TEST_F(BrokenInput, Tokenizer) {
  graft_tokenizer* tokenizer = nullptr;
  ASSERT_EQ(graft_engine_tokenizer(engine_.get(), &tokenizer), GRAFT_STATUS_OK);
  graft_decoder* decoder = nullptr;
  ASSERT_EQ(graft_decoder_new(tokenizer, 0, &decoder), GRAFT_STATUS_OK);
  graft_string* text = nullptr;
  int64_t number = 0;
  for (const int64_t id : {int64_t{-1}, graft_tokenizer_vocab_size(tokenizer), int64_t{1} << 32, INT64_MAX, lowest}) {
    const std::string shown = std::to_string(id);
    expect_failure(graft_tokenizer_decode(tokenizer, &id, 1, 0, &text), invalid, {shown});
    expect_failure(graft_tokenizer_piece(tokenizer, id, &text), invalid, {shown});
    if (id != -1) expect_failure(graft_decoder_push(decoder, id, &text), invalid, {shown});
  }
  expect_failure(graft_tokenizer_id_of(tokenizer, "no such piece", -1, &number), GRAFT_STATUS_NOT_FOUND,
                 {"no such piece"});
  expect_failure(graft_tokenizer_encode(tokenizer, "1+1", -1, 2, nullptr, 0, &number), invalid, {"add_special"});
  expect_failure(graft_tokenizer_encode(tokenizer, "1+1", -1, 0, nullptr, -1, &number), invalid, {"out_tokens"});
  expect_failure(graft_tokenizer_encode(tokenizer, "1+1", -1, 0, nullptr, 0, &number), GRAFT_STATUS_BUFFER_TOO_SMALL,
                 {"buffer of 0"});
  expect_failure(graft_tokenizer_decode(tokenizer, &number, lowest, 0, &text), invalid, {"tokens: found count"});
  EXPECT_EQ(text, nullptr);
  graft_decoder_free(decoder);
  graft_tokenizer_free(tokenizer);
}

TEST_F(BrokenInput, Tensors) {
  graft_tensor* tensor = nullptr;
  const float data[4] = {};
  const int64_t good[] = {4}, negative[] = {-4}, large[] = {INT64_MAX, INT64_MAX}, wide[] = {1, 1, 1, 1, 1, 1, 1, 1, 4};
  expect_failure(graft_tensor_new(GRAFT_DTYPE_FLOAT32, good, 1, data, 15, &tensor), invalid, {"data_size: found 15"});
  expect_failure(graft_tensor_new(GRAFT_DTYPE_FLOAT32, good, 1, data, -16, &tensor), invalid,
                 {"data: found count -16"});
  expect_failure(graft_tensor_new(GRAFT_DTYPE_FLOAT32, negative, 1, data, 16, &tensor), invalid, {"shape: found -4"});
  expect_failure(graft_tensor_new(GRAFT_DTYPE_FLOAT32, large, 2, data, 16, &tensor), invalid, {"shape"});
  expect_failure(graft_tensor_new(GRAFT_DTYPE_FLOAT32, wide, 9, data, 16, &tensor), invalid, {"rank"});
  expect_failure(graft_tensor_new(GRAFT_DTYPE_FLOAT32, good, -1, data, 16, &tensor), invalid, {"rank"});
  expect_failure(graft_tensor_new(11, good, 1, data, 16, &tensor), invalid, {"dtype: found 11"});
  EXPECT_EQ(tensor, nullptr);
}

}  // namespace
}  // namespace graft::broken

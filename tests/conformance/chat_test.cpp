// Chats through the public C interface, on the example model: the template as text, and as an engine's input.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/conformance/support/session.h"

namespace graft::conformance {
namespace {

constexpr const char* messages =
    R"([{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": "What is 2 + 3?"}])";
constexpr const char* rendered = "<|system|>Answer briefly.<|end|><|user|>What is 2 + 3?<|end|><|assistant|>";

class Chat : public testing::Test {
 protected:
  void SetUp() override {
    const char* model = std::getenv("GRAFT_TEST_MODEL");
    ASSERT_NE(model, nullptr) << "GRAFT_TEST_MODEL is not set";
    graft_engine* engine = nullptr;
    ASSERT_EQ(graft_engine_open(model, -1, nullptr, &engine), GRAFT_STATUS_OK) << graft_last_error_message();
    engine_.reset(engine);
    ASSERT_EQ(graft_engine_tokenizer(engine, &tokenizer_), GRAFT_STATUS_OK) << graft_last_error_message();
  }
  void TearDown() override { graft_tokenizer_free(tokenizer_); }

  std::string apply(const char* chat, const char* options) {
    graft_string* text = nullptr;
    check(graft_tokenizer_apply_chat_template(tokenizer_, chat, -1, options, -1, &text), "apply");
    std::string result(graft_string_data(text), static_cast<size_t>(graft_string_size(text)));
    graft_string_free(text);
    return result;
  }

  Engine engine_;
  graft_tokenizer* tokenizer_ = nullptr;
};

TEST_F(Chat, TheTemplateIsTheModels) {
  EXPECT_EQ(apply(messages, "{}"), rendered);
  EXPECT_EQ(apply(messages, R"({"add_generation_prompt": false})"),
            "<|system|>Answer briefly.<|end|><|user|>What is 2 + 3?<|end|>");
  EXPECT_EQ(apply(messages, R"({"chat_template": "{{ messages[1].content | upper }}"})"), "WHAT IS 2 + 3?");
}

TEST_F(Chat, AnInputIsTheTokensOfTheRenderedText) {
  Tokens tokens(256);
  int64_t count = 0;
  check(graft_tokenizer_encode(tokenizer_, rendered, -1, 0, tokens.data(), 256, &count), "encode");
  tokens.resize(static_cast<size_t>(count));
  const RequestOptions options = make_options(GRAFT_REQUEST_LOGITS);
  const Request by_tokens = submit(engine_.get(), tokens, options.get());
  const Matrix expected = take_rows(by_tokens.get(), "logits");
  graft_input* made = nullptr;
  check(graft_input_new(&made), "input");
  const Input input(made);
  check(graft_input_set_chat(made, messages, -1), "chat");
  graft_request* request = nullptr;
  check(graft_request_submit(engine_.get(), made, options.get(), nullptr, 0, &request), "submit");
  const Request by_chat(request);
  const Matrix found = take_rows(request, "logits");
  ASSERT_EQ(found.rows, count);
  EXPECT_EQ(found.values, expected.values);
}

TEST_F(Chat, WhatIsWrongIsNamed) {
  const auto refused = [&](const char* chat, const char* options, graft_status status, const char* culprit) {
    graft_string* text = nullptr;
    EXPECT_EQ(graft_tokenizer_apply_chat_template(tokenizer_, chat, -1, options, -1, &text), status) << chat;
    EXPECT_NE(std::string(graft_last_error_message()).find(culprit), std::string::npos) << graft_last_error_message();
    graft_string_free(text);
  };
  refused("[", "{}", GRAFT_STATUS_INVALID_ARGUMENT, "messages");
  refused("{}", "{}", GRAFT_STATUS_INVALID_ARGUMENT, "messages");
  refused(messages, "[]", GRAFT_STATUS_INVALID_ARGUMENT, "options");
  refused(messages,
          R"({"chat_template": "{% for x in range(9999) %}{% for y in range(9999) %}{% endfor %}{% endfor %}"})",
          GRAFT_STATUS_LIMIT_EXCEEDED, "template");
  refused(messages, R"({"chat_template": "{{ raise_exception('roles must alternate') }}"})",
          GRAFT_STATUS_INVALID_ARGUMENT, "roles must alternate");
}

}  // namespace
}  // namespace graft::conformance

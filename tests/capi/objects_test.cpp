// Status codes, error text, strings, inputs, events and log settings: everything that needs no core.
#include <graft/graft.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

namespace {

TEST(Status, Names) {
  std::set<std::string> names;
  for (graft_status status = GRAFT_STATUS_OK; status <= GRAFT_STATUS_INTERNAL; ++status) {
    names.insert(graft_status_name(status));
  }
  EXPECT_EQ(names.size(), 20u);
  EXPECT_EQ(names.count("UNKNOWN"), 0u);
  EXPECT_STREQ(graft_status_name(GRAFT_STATUS_DEADLINE_EXCEEDED), "DEADLINE_EXCEEDED");
  EXPECT_STREQ(graft_status_name(-1), "UNKNOWN");
  EXPECT_STREQ(graft_status_name(20), "UNKNOWN");
}

TEST(Status, TextBelongsToTheThreadAndIsCleared) {
  EXPECT_EQ(graft_input_new(nullptr), GRAFT_STATUS_INVALID_ARGUMENT);
  const std::string text = graft_last_error_message();
  EXPECT_NE(text.find("out_input"), std::string::npos);
  std::thread([] { EXPECT_STREQ(graft_last_error_message(), ""); }).join();
  EXPECT_EQ(graft_last_error_message(), text);
  graft_input* input = nullptr;
  EXPECT_EQ(graft_input_new(&input), GRAFT_STATUS_OK);
  EXPECT_STREQ(graft_last_error_message(), "");
  graft_input_free(input);
}

TEST(Library, Versions) {
  EXPECT_EQ(graft_abi_version(), GRAFT_ABI_VERSION);
  EXPECT_NE(std::string(graft_version()).find('.'), std::string::npos);
}

TEST(String, Null) {
  EXPECT_STREQ(graft_string_data(nullptr), "");
  EXPECT_EQ(graft_string_size(nullptr), 0);
  graft_string_free(nullptr);
}

TEST(Input, Setters) {
  graft_input* input = nullptr;
  ASSERT_EQ(graft_input_new(&input), GRAFT_STATUS_OK);
  const int64_t tokens[] = {5, 9, 2, -1};
  EXPECT_EQ(graft_input_set_text(input, "", -1), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_input_set_text(input, "gr\xC3\xBC\xC3\x9F \xF0\x9F\x8C\xB1", -1), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_input_set_text(input, "a\0b", 3), GRAFT_STATUS_OK);
  // Overlong, surrogate, beyond U+10FFFF, cut off, stray continuation.
  for (const char* bad : {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "a\xF0\x9F\x8C"}) {
    EXPECT_EQ(graft_input_set_text(input, bad, -1), GRAFT_STATUS_INVALID_ARGUMENT);
    EXPECT_NE(std::string(graft_last_error_message()).find("expected UTF-8"), std::string::npos);
  }
  EXPECT_EQ(graft_input_set_tokens(input, tokens, 3), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_input_set_tokens(input, tokens, 4), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(graft_last_error_message(), "tokens: found -1 at position 3, expected 0 or more");
  EXPECT_EQ(graft_input_set_decoder_tokens(input, tokens, 1), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_input_set_token_types(input, tokens, -7), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_input_set_chat(input, R"([{"role":"user","content":"hi"}])", -1), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_input_set_chat(input, "{}", -1), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_input_set_chat(input, "[", -1), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_input_set_tensor(input, "pixel_values", -1, nullptr), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_input_set_tensor(input, "", -1, nullptr), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_input_set_text(nullptr, "", -1), GRAFT_STATUS_INVALID_ARGUMENT);
  graft_input_free(input);
  graft_input_free(nullptr);
}

TEST(Event, NewAndNullAnswerTheSame) {
  graft_event* event = nullptr;
  ASSERT_EQ(graft_event_new(&event), GRAFT_STATUS_OK);
  for (const graft_event* each : {static_cast<const graft_event*>(event), static_cast<const graft_event*>(nullptr)}) {
    int64_t size = 99;
    EXPECT_EQ(graft_event_kind(each), GRAFT_EVENT_NONE);
    EXPECT_EQ(graft_event_tag(each), 0);
    EXPECT_EQ(graft_event_sequence(each), 0);
    EXPECT_EQ(graft_event_token(each), -1);
    EXPECT_STREQ(graft_event_text(each, &size), "");
    EXPECT_EQ(size, 0);
    EXPECT_STREQ(graft_event_text(each, nullptr), "");
    EXPECT_EQ(graft_event_logprob(each), 0);
    EXPECT_EQ(graft_event_finish_reason(each), GRAFT_FINISH_NONE);
    for (graft_usage usage = -1; usage < 5; ++usage) EXPECT_EQ(graft_event_usage(each, usage), 0);
    EXPECT_EQ(graft_event_progress(each), 0);
    EXPECT_EQ(graft_event_last(each), 0);
    EXPECT_EQ(graft_event_status(each), GRAFT_STATUS_OK);
    EXPECT_STREQ(graft_event_message(each), "");
  }
  int64_t count = 99;
  EXPECT_EQ(graft_event_top_logprobs(event, nullptr, nullptr, 0, &count), GRAFT_STATUS_OK);
  EXPECT_EQ(count, 0);
  EXPECT_EQ(graft_event_top_logprobs(event, nullptr, nullptr, -1, &count), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_event_top_logprobs(event, nullptr, nullptr, 0, nullptr), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_event_top_logprobs(nullptr, nullptr, nullptr, 0, &count), GRAFT_STATUS_INVALID_ARGUMENT);
  graft_event_free(event);
  graft_event_free(nullptr);
}

TEST(Log, Levels) {
  for (graft_log_level level = GRAFT_LOG_OFF; level <= GRAFT_LOG_DEBUG; ++level) {
    EXPECT_EQ(graft_log_set_level(level), GRAFT_STATUS_OK);
  }
  EXPECT_EQ(graft_log_set_level(5), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_log_set_level(-1), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_log_set_callback(nullptr, nullptr), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_log_set_level(GRAFT_LOG_WARNING), GRAFT_STATUS_OK);
}

// Handles of the core: NULL is refused before the core is needed, and the getters answer.
TEST(Heavy, NullHandles) {
  graft_tokenizer* tokenizer = reinterpret_cast<graft_tokenizer*>(1);
  graft_string* string = nullptr;
  graft_tensor* tensor = nullptr;
  int64_t number = 0;
  EXPECT_EQ(graft_engine_tokenizer(nullptr, &tokenizer), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(tokenizer, nullptr);
  EXPECT_EQ(graft_engine_open(nullptr, 0, nullptr, nullptr), GRAFT_STATUS_INVALID_ARGUMENT);
  graft_engine* engine = nullptr;
  EXPECT_EQ(graft_engine_open("", -1, nullptr, &engine), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_engine_info(nullptr, &string), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_engine_stats(nullptr, &string), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_engine_close(nullptr, 0), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_engine_wait(nullptr, 0), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_engine_save(nullptr, "d", -1), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_engine_profile(nullptr, 1), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_tokenizer_encode(nullptr, "a", -1, 0, nullptr, 0, &number), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_tokenizer_decode(nullptr, nullptr, 0, 0, &string), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_tokenizer_vocab_size(nullptr), 0);
  EXPECT_EQ(graft_decoder_push(nullptr, 0, &string), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_request_cancel(nullptr), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_request_next(nullptr, 0, nullptr), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_request_wait(nullptr, 0), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_request_tensor(nullptr, "logits", -1, &tensor), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(graft_request_error_message(nullptr), "");
  EXPECT_EQ(graft_queue_next(nullptr, 0, nullptr), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_queue_wake(nullptr), GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(graft_profile_count(nullptr), 0);
  EXPECT_EQ(graft_profile_table(nullptr, &string), GRAFT_STATUS_INVALID_ARGUMENT);
  graft_engine_free(nullptr);
  graft_tokenizer_free(nullptr);
  graft_decoder_free(nullptr);
  graft_request_free(nullptr);
  graft_queue_free(nullptr);
  graft_profile_free(nullptr);
}

}  // namespace

// Right calls at the wrong moment: after a free, after a close, twice, too early.
#include <thread>

#include "tests/broken/support.h"
#include "tests/conformance/support/session.h"

namespace graft::broken {
namespace {

using conformance::Engine;
using conformance::Event;
using conformance::make_event;
using conformance::make_options;
using conformance::Request;
using conformance::RequestOptions;
using conformance::timeout_ms;

/// As many tokens as the context holds.
RequestOptions long_answer() {
  RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  EXPECT_EQ(graft_request_options_set_ignore_eos(options.get(), 1), GRAFT_STATUS_OK);
  return options;
}

/// Reads to the end; the reason of the last event.
graft_finish_reason drain(graft_request* request) {
  const Event event = make_event();
  graft_finish_reason reason = GRAFT_FINISH_NONE;
  while (graft_request_next(request, timeout_ms, event.get()) == GRAFT_STATUS_OK) {
    reason = graft_event_finish_reason(event.get());
  }
  return reason;
}

TEST(BrokenOrder, ChildrenOutliveTheEngine) {
  graft_engine* engine = open_sound();
  const Request request = conformance::submit(engine, {1, 2}, long_answer().get());
  graft_tokenizer* tokenizer = nullptr;
  ASSERT_EQ(graft_engine_tokenizer(engine, &tokenizer), GRAFT_STATUS_OK);
  graft_decoder* decoder = nullptr;
  ASSERT_EQ(graft_decoder_new(tokenizer, 0, &decoder), GRAFT_STATUS_OK);
  graft_engine_free(engine);
  graft_tokenizer_free(tokenizer);
  graft_string* text = nullptr;
  EXPECT_EQ(graft_decoder_push(decoder, 5, &text), GRAFT_STATUS_OK);
  graft_string_free(text);
  graft_decoder_free(decoder);
  EXPECT_EQ(drain(request.get()), GRAFT_FINISH_LENGTH);
  EXPECT_EQ(graft_request_wait(request.get(), 0), GRAFT_STATUS_OK);
}

TEST(BrokenOrder, ATensorOutlivesItsRequestAndEngine) {
  graft_engine* engine = open_sound();
  const RequestOptions options = make_options(GRAFT_REQUEST_LOGITS);
  Request request = conformance::submit(engine, {1, 2, 3}, options.get());
  ASSERT_EQ(graft_request_wait(request.get(), timeout_ms), GRAFT_STATUS_OK);
  graft_tensor* made = nullptr;
  ASSERT_EQ(graft_request_tensor(request.get(), "logits", -1, &made), GRAFT_STATUS_OK);
  const conformance::Tensor tensor(made);
  request.reset();
  graft_engine_free(engine);
  ASSERT_EQ(graft_tensor_byte_size(made), 3 * vocabulary * 4);
  const auto* values = static_cast<const float*>(graft_tensor_data(made));
  for (int64_t i = 0; i < 3 * vocabulary; ++i) ASSERT_EQ(values[i], values[i]) << "NaN at " << i;
}

TEST(BrokenOrder, ResultsThatAreNotThere) {
  const Engine engine(open_sound());
  graft_tensor* tensor = nullptr;
  {
    const RequestOptions options = make_options(GRAFT_REQUEST_LOGITS);
    const Request request = conformance::submit(engine.get(), {1}, options.get());
    ASSERT_EQ(graft_request_wait(request.get(), timeout_ms), GRAFT_STATUS_OK);
    expect_failure(graft_request_tensor(request.get(), "lotgis", -1, &tensor), GRAFT_STATUS_NOT_FOUND, {"lotgis"});
    expect_failure(graft_request_tensor(request.get(), "", 0, &tensor), GRAFT_STATUS_INVALID_ARGUMENT, {"name"});
    expect_failure(graft_request_tensor(request.get(), "lo\0", 3, &tensor), GRAFT_STATUS_INVALID_ARGUMENT, {"NUL"});
    expect_failure(graft_request_tensor(request.get(), "x", -2, &tensor), GRAFT_STATUS_INVALID_ARGUMENT, {"size -2"});
  }
  {
    const Request request = conformance::submit(engine.get(), {1}, nullptr);
    drain(request.get());
    expect_failure(graft_request_tensor(request.get(), "logits", -1, &tensor), GRAFT_STATUS_NOT_FOUND, {"logits"});
  }
  EXPECT_EQ(tensor, nullptr);
}

// One sequence at a time, and many long answers before it: the last request has not begun yet.
TEST(BrokenOrder, ATensorOfAnUnfinishedRequest) {
  const Folder folder;
  Model().write(folder.path());
  graft_engine_options* engine_options = nullptr;
  ASSERT_EQ(graft_engine_options_new(&engine_options), GRAFT_STATUS_OK);
  const conformance::EngineOptions owned(engine_options);
  ASSERT_EQ(graft_engine_options_set_max_sequences(engine_options, 1), GRAFT_STATUS_OK);
  ASSERT_EQ(graft_engine_options_set_threads(engine_options, 1), GRAFT_STATUS_OK);
  ASSERT_EQ(graft_engine_options_set_max_queue(engine_options, 1000), GRAFT_STATUS_OK);
  graft_engine* made = nullptr;
  ASSERT_EQ(graft_engine_open(folder.path().c_str(), -1, engine_options, &made), GRAFT_STATUS_OK);
  const Engine engine(made);
  const RequestOptions options = make_options(GRAFT_REQUEST_LOGITS);
  std::vector<Request> before;
  for (int i = 0; i < 300; ++i) before.push_back(conformance::submit(made, {1, 2}, long_answer().get()));
  const Request last = conformance::submit(made, {1, 2}, options.get());
  graft_tensor* tensor = nullptr;
  expect_failure(graft_request_tensor(last.get(), "logits", -1, &tensor), GRAFT_STATUS_INVALID_STATE,
                 {"has not finished"});
  expect_failure(graft_request_wait(last.get(), 0), GRAFT_STATUS_TIMEOUT, {"still working"});
}

TEST(BrokenOrder, CancelTwiceAndAfterTheEnd) {
  const Engine engine(open_sound());
  const Request request = conformance::submit(engine.get(), {1, 2}, long_answer().get());
  EXPECT_EQ(graft_request_cancel(request.get()), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_request_cancel(request.get()), GRAFT_STATUS_OK);
  const graft_finish_reason reason = drain(request.get());
  EXPECT_TRUE(reason == GRAFT_FINISH_CANCELLED || reason == GRAFT_FINISH_LENGTH) << reason;
  EXPECT_EQ(graft_request_cancel(request.get()), GRAFT_STATUS_OK);
  const Event event = make_event();
  expect_failure(graft_request_next(request.get(), 0, event.get()), GRAFT_STATUS_END, {"no more events"});
  expect_failure(graft_request_next(request.get(), -2, event.get()), GRAFT_STATUS_INVALID_ARGUMENT, {"timeout_ms"});
  expect_answers(engine.get());
}

TEST(BrokenOrder, AfterClose) {
  const Engine engine(open_sound());
  const Request request = conformance::submit(engine.get(), {1, 2}, long_answer().get());
  ASSERT_EQ(graft_engine_close(engine.get(), timeout_ms), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_engine_close(engine.get(), timeout_ms), GRAFT_STATUS_OK);
  EXPECT_EQ(graft_engine_wait(engine.get(), timeout_ms), GRAFT_STATUS_OK);
  const graft_finish_reason reason = drain(request.get());
  EXPECT_TRUE(reason == GRAFT_FINISH_CANCELLED || reason == GRAFT_FINISH_LENGTH) << reason;
  graft_input* input = nullptr;
  ASSERT_EQ(graft_input_new(&input), GRAFT_STATUS_OK);
  const conformance::Input owned(input);
  const int64_t token = 1;
  ASSERT_EQ(graft_input_set_tokens(input, &token, 1), GRAFT_STATUS_OK);
  graft_request* late = nullptr;
  expect_failure(graft_request_submit(engine.get(), input, nullptr, nullptr, 0, &late), GRAFT_STATUS_CLOSED,
                 {"engine was closed"});
  EXPECT_EQ(late, nullptr);
  graft_string* json = nullptr;
  EXPECT_EQ(graft_engine_info(engine.get(), &json), GRAFT_STATUS_OK);
  graft_string_free(json);
}

TEST(BrokenOrder, EventsAreInTheQueue) {
  const Engine engine(open_sound());
  graft_queue* queue = nullptr;
  ASSERT_EQ(graft_queue_new(&queue), GRAFT_STATUS_OK);
  const Request request = conformance::submit(engine.get(), {1, 2}, long_answer().get(), queue, 7);
  const Event event = make_event();
  expect_failure(graft_request_next(request.get(), 0, event.get()), GRAFT_STATUS_INVALID_STATE, {"queue"});
  EXPECT_EQ(graft_event_kind(event.get()), GRAFT_EVENT_NONE);
  graft_queue_free(queue);  // before its request: what comes later is dropped
  EXPECT_EQ(graft_request_wait(request.get(), timeout_ms), GRAFT_STATUS_OK);
  expect_answers(engine.get());
}

TEST(BrokenOrder, ADeadlineThatPasses) {
  const Engine engine(open_sound());
  std::vector<Request> before;
  for (int i = 0; i < 20; ++i) before.push_back(conformance::submit(engine.get(), {1, 2}, long_answer().get()));
  const RequestOptions options = long_answer();
  ASSERT_EQ(graft_request_options_set_deadline_ms(options.get(), 1), GRAFT_STATUS_OK);
  const Request request = conformance::submit(engine.get(), {1, 2}, options.get());
  const graft_status ended = graft_request_wait(request.get(), timeout_ms);
  if (ended != GRAFT_STATUS_OK) expect_failure(ended, GRAFT_STATUS_DEADLINE_EXCEEDED, {"deadline of 1 ms"});
}

}  // namespace
}  // namespace graft::broken

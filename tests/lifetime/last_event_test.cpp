// In a queue the last event of each request says that it is the last, however the request ends.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "tests/conformance/support/session.h"

namespace graft::conformance {
namespace {

RequestOptions options_of(const char* json) {
  RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  check(graft_request_options_set_json(options.get(), json, -1), json);
  return options;
}

TEST(LastEvent, IsSaidOnceAndIsTheLast) {
  graft_engine* opened = nullptr;
  check(graft_engine_open(std::getenv("GRAFT_TEST_MODEL"), -1, nullptr, &opened), "open");
  const Engine engine(opened);
  graft_queue* made = nullptr;
  check(graft_queue_new(&made), "queue");
  const Queue queue(made);
  const char* const kinds[] = {R"({"greedy": true, "max_tokens": 5, "ignore_eos": true})",
                               R"({"seed": 1, "num_sequences": 3, "max_tokens": 6, "ignore_eos": true})",
                               R"({"num_beams": 3, "num_sequences": 2, "max_tokens": 4})",
                               R"({"max_tokens": 0})",
                               R"({"kind": "logits"})",
                               R"({"max_tokens": 200, "ignore_eos": true})",                     // cancelled below
                               R"({"max_tokens": 200, "ignore_eos": true, "deadline_ms": 1})"};  // fails
  std::vector<Request> requests;
  for (const char* json : kinds) {
    const auto tag = static_cast<int64_t>(requests.size());
    requests.push_back(submit(engine.get(), {5, 9, 2}, options_of(json).get(), made, tag));
  }
  check(graft_request_cancel(requests[5].get()), "cancel");

  graft_event* event = nullptr;
  check(graft_event_new(&event), "event");
  const Event owned(event);
  std::map<int64_t, int> lasts;
  for (size_t ended = 0; ended < requests.size();) {
    ASSERT_EQ(graft_queue_next(made, timeout_ms, event), GRAFT_STATUS_OK);
    const int64_t tag = graft_event_tag(event);
    EXPECT_EQ(lasts[tag], 0) << "an event after the last one of request " << tag;
    if (graft_event_last(event) == 0) continue;
    ++lasts[tag];
    ++ended;
    const graft_event_type kind = graft_event_kind(event);
    EXPECT_TRUE(kind == GRAFT_EVENT_FINISHED || kind == GRAFT_EVENT_ERROR) << kind;
    EXPECT_NE(graft_request_wait(requests[static_cast<size_t>(tag)].get(), 0), GRAFT_STATUS_TIMEOUT);
  }
  EXPECT_EQ(graft_queue_next(made, 0, event), GRAFT_STATUS_TIMEOUT);
}

}  // namespace
}  // namespace graft::conformance

// What fails on a device fails its request or its engine, is told with the reason, and gives all memory back; on the
// stand-in, which fails on demand. Ranks: rank_sums_test.cpp, peer_sums_test.cpp.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/device/on_device.h"

namespace graft::conformance {
namespace {

class Failures : public OnDevice {
 protected:
  void TearDown() override {
    if (IsSkipped()) return;
    faults().hangs = false;
    faults().captures = faults().replays = faults().launch_losses = 0;
    OnDevice::TearDown();
  }

  /// As open(), with no more memory than so much; 0: all there is.
  Engine open_within(int64_t limit, const char* device) {
    const EngineOptions options = make_engine_options(Cell{"kernel", 1, true, "", {}, /*cuda=*/true}, "float32");
    check(graft_engine_options_set_device(options.get(), device, -1), "device");
    check(graft_engine_options_set_context_limit(options.get(), context_limit), "context limit");
    check(graft_engine_options_set_memory_limit(options.get(), limit), "memory limit");
    graft_engine* engine = nullptr;
    status = graft_engine_open(model.c_str(), -1, options.get(), &engine);
    failure = status == GRAFT_STATUS_OK ? "" : graft_last_error_message();
    return Engine(engine);
  }

  /// An engine of device "auto" has come to the CPU, for this reason.
  void expect_cpu(const Engine& engine, const std::string& reason) {
    ASSERT_TRUE(engine) << failure;
    const auto told = nlohmann::json::parse(info(engine.get()));
    EXPECT_EQ(told["device"], "cpu");
    EXPECT_NE(std::string(told["device_reason"]).find(reason), std::string::npos) << told;
  }

  /// Of a request and its engine, which has then ended: the device's, with this text.
  void expect_failure(graft_engine* engine, const Request& request, const std::string& text) {
    EXPECT_EQ(graft_request_wait(request.get(), timeout_ms), GRAFT_STATUS_DEVICE_ERROR);
    const std::string told = graft_request_error_message(request.get());
    EXPECT_NE(told.find(text), std::string::npos) << told;
    EXPECT_EQ(graft_engine_wait(engine, timeout_ms), GRAFT_STATUS_DEVICE_ERROR);
    EXPECT_NE(std::string(graft_last_error_message()).find(text), std::string::npos) << graft_last_error_message();
  }

  const std::string lost = "the device is lost";
};

TEST_F(Failures, AFailedLaunchEndsTheEngine) {
  for (const bool graph : {true, false}) {
    Engine engine = open("cuda", graph);
    ASSERT_TRUE(engine) << failure;
    const Tokens expected = answer(engine.get(), prompt);
    (graph ? faults().replays : faults().launches) = graph ? 1 : 5;
    const Request request = submit(engine.get(), prompt, make_options(GRAFT_REQUEST_LOGITS).get());
    expect_failure(engine.get(), request, "a launch that was to fail");
    engine = open("cuda", graph);
    ASSERT_TRUE(engine) << failure;
    EXPECT_EQ(answer(engine.get(), prompt), expected);
    close(engine);
  }
}

TEST_F(Failures, EveryCaptureMayFail) {
  int64_t failed = 0;
  for (;; ++failed) {
    faults().captures = failed + 1;
    Engine engine = open("cuda");
    if (engine) {
      close(engine);
      break;
    }
    EXPECT_EQ(status, GRAFT_STATUS_DEVICE_ERROR) << failure;
    EXPECT_NE(failure.find("a capture that was to fail"), std::string::npos) << failure;
  }
  EXPECT_EQ(failed, 8) << "one of each capacity";
}

TEST_F(Failures, ALostDeviceEndsItsEnginesAndNothingElse) {
  Engine engine = open("cuda"), other = open("cpu");
  ASSERT_TRUE(engine && other) << failure;
  faults().losses = 1;
  const Request request = submit(engine.get(), prompt, make_options(GRAFT_REQUEST_LOGITS).get());
  expect_failure(engine.get(), request, lost);
  EXPECT_FALSE(answer(other.get(), prompt).empty());
}

TEST_F(Failures, ALossIsToldWhereTheDeviceHasGoneAhead) {
  const RequestOptions options = options_of(R"({"greedy":true,"max_tokens":60,"ignore_eos":true})");
  for (const auto& [milliseconds, wait] : {std::pair{int64_t{60'000}, 3}, std::pair{int64_t{0}, 20}}) {
    run_ahead_ms = milliseconds;
    Engine engine = open("cuda");
    ASSERT_TRUE(engine) << failure;
    faults().losses = wait;
    const Request request = submit(engine.get(), prompt, options.get());
    expect_failure(engine.get(), request, lost);
    faults().lost = false;
  }
}

// The 20th step is one of those that are launched while the host waits for none.
TEST_F(Failures, ALossIsToldWhereAStepAheadIsLaunched) {
  const RequestOptions options = options_of(R"({"greedy":true,"max_tokens":60,"ignore_eos":true})");
  Engine engine = open("cuda");
  ASSERT_TRUE(engine) << failure;
  const int64_t ahead = faults().launches_ahead;
  faults().launch_losses = 20;
  const Request request = submit(engine.get(), prompt, options.get());
  expect_failure(engine.get(), request, lost);
  EXPECT_GT(faults().launches_ahead, ahead);
}

TEST_F(Failures, ADeviceThatStaysLostOpensNothing) {
  Engine engine = open("cuda");
  ASSERT_TRUE(engine) << failure;
  faults().losses = 1;
  expect_failure(engine.get(), submit(engine.get(), prompt, make_options(GRAFT_REQUEST_LOGITS).get()), lost);
  for (const int64_t limit : {int64_t{0}, int64_t{1} << 30}) {
    EXPECT_FALSE(open_within(limit, "cuda"));
    EXPECT_EQ(status, GRAFT_STATUS_DEVICE_ERROR);
    EXPECT_NE(failure.find(lost), std::string::npos) << failure;
    expect_cpu(open_within(limit, "auto"), lost);
  }
}

TEST_F(Failures, TooLittleMemoryIsToldBeforeLoading) {
  for (const int64_t limit : {int64_t{0}, int64_t{1} << 30}) {
    for (const int64_t free : {int64_t{512} << 20, int64_t{100} << 20}) {
      faults().memory_bytes = free;
      const std::string reason = "the memory free on cuda:0 is " + std::to_string(free) +
                                 " bytes, of which 536870912 are kept back; weights need ";
      EXPECT_FALSE(open_within(limit, "cuda"));
      EXPECT_EQ(status, GRAFT_STATUS_OUT_OF_MEMORY);
      EXPECT_NE(failure.find(reason), std::string::npos) << failure;
      expect_cpu(open_within(limit, "auto"), reason);
    }
  }
}

// The model takes as long to go as the driver lets it.
TEST_F(Failures, AnEngineThatHangsInItsEndTakesNoMore) {
  Engine engine = open("cuda");
  ASSERT_TRUE(engine) << failure;
  faults().hangs = true;
  faults().copies = 1;
  const RequestOptions options = make_options(GRAFT_REQUEST_LOGITS);
  const Request request = submit(engine.get(), prompt, options.get());
  EXPECT_EQ(graft_request_wait(request.get(), timeout_ms), GRAFT_STATUS_DEVICE_ERROR);
  try {
    submit(engine.get(), prompt, options.get());
    ADD_FAILURE() << "a request that nobody will answer was taken";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("a copy that was to fail"), std::string::npos) << error.what();
  }
  EXPECT_EQ(graft_engine_wait(engine.get(), 0), GRAFT_STATUS_TIMEOUT) << "it did not hang";
  faults().hangs = false;
  expect_failure(engine.get(), request, "a copy that was to fail");
}

}  // namespace
}  // namespace graft::conformance

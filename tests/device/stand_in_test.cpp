// An engine on a device, on the stand-in for one: the answers of the CPU, captured or not, and what it takes of the
// device for them. What fails: failures_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/device/on_device.h"

namespace graft::conformance {
namespace {

TEST_F(OnDevice, AnswersAsTheCpuDoes) {
  for (const char* dtype : {"float32", "bfloat16", "int8", "int4"}) {
    Engine cpu = open("cpu", true, dtype), captured = open("cuda", true, dtype), called = open("cuda:1", false, dtype);
    ASSERT_TRUE(cpu && captured && called) << failure;
    const Matrix expected = logits(cpu.get(), prompt);
    EXPECT_EQ(logits(captured.get(), prompt).values, expected.values) << dtype;
    EXPECT_EQ(logits(called.get(), prompt).values, expected.values) << dtype;
    const Tokens tokens = answer(cpu.get(), prompt);
    EXPECT_EQ(answer(captured.get(), prompt), tokens) << dtype;
    EXPECT_EQ(answer(called.get(), prompt), tokens) << dtype;
    close(captured), close(called);
  }
}

TEST_F(OnDevice, OneGraphServesEveryPosition) {
  Engine engine = open("cuda");
  ASSERT_TRUE(engine) << failure;
  const int64_t before = faults().graph_launches, ahead = faults().launches_ahead;
  const Tokens tokens = answer(engine.get(), prompt);
  EXPECT_EQ(faults().graphs, 8) << "one of each capacity: 1, 8, 16, 32, 64, 128, 256 and 512 tokens";
  EXPECT_EQ(faults().graph_launches - before, static_cast<int64_t>(tokens.size()));
  EXPECT_GT(faults().launches_ahead, ahead) << "none before the one before it was waited for";
  close(engine);
}

// The first steps show how long one takes; after that the host waits for half of what can be on the way.
TEST_F(OnDevice, TheHostWaitsOnceForManyTokens) {
  const auto waits = [&] {
    Engine engine = open("cuda");
    EXPECT_TRUE(engine) << failure;
    const int64_t before = faults().waits;
    const Tokens tokens = answer(engine.get(), prompt);
    EXPECT_EQ(tokens.size(), 24u);
    const int64_t waited = faults().waits - before;
    close(engine);
    return waited;
  };
  EXPECT_EQ(waits(), 7) << "the prompt, a first step, and 11, 6, 3, 1 and 1 at once";
  run_ahead_ms = 0;
  EXPECT_EQ(waits(), 24) << "one for each token";
}

// Capturing allocates, and a step of several ranks must not: none is dropped, however many there are.
TEST_F(OnDevice, EveryCapacityIsKept) {
  max_sequences = 4096;  // and so as many tokens in a step
  Engine engine = open("cuda");
  ASSERT_TRUE(engine) << failure;
  EXPECT_EQ(faults().graphs, 11) << "1, 8, 16, 32, ... 4096 tokens";
  const Tokens tokens = answer(engine.get(), prompt);
  EXPECT_EQ(faults().graphs, 11);
  close(engine);
}

// Answers end where nobody could know it; what the device was given for all of them counts for the others.
TEST_F(OnDevice, NoStepIsInVainWhereOneAnswerGoesOn) {
  const auto answers = [](graft_engine* engine, const std::string& stop) {
    const std::string settings = R"({"seed":3,"max_tokens":24,"ignore_eos":true,"num_sequences":3,"temperature":9)";
    return answers_of(submit(engine, prompt, options_of(settings + stop + "}").get()).get());
  };
  Engine cpu = open("cpu");
  ASSERT_TRUE(cpu) << failure;
  std::string stop;  // by a token that ends the first answer on its way, and that the third has not
  const std::vector<Tokens> whole = answers(cpu.get(), "");
  for (size_t i = 5; i < 15; ++i) {
    const int64_t token = whole.at(0)[i];
    if (std::ranges::count(whole.at(2), token) == 0) stop = R"(,"stop_tokens":[)" + std::to_string(token) + "]";
  }
  ASSERT_NE(stop, "");
  const std::vector<Tokens> expected = answers(cpu.get(), stop);
  ASSERT_LT(expected[0].size(), 24u);
  ASSERT_EQ(expected[2].size(), 24u);
  Engine cuda = open("cuda");
  ASSERT_TRUE(cuda) << failure;
  const int64_t before = faults().graph_launches;
  EXPECT_EQ(answers(cuda.get(), stop), expected);
  EXPECT_EQ(faults().graph_launches - before, 24);
  close(cuda), close(cpu);
}

TEST_F(OnDevice, InfoNamesIt) {
  Engine engine = open("cuda:1");
  ASSERT_TRUE(engine) << failure;
  EXPECT_NE(info(engine.get()).find(R"("device":"cuda:1")"), std::string::npos) << info(engine.get());
  close(engine);
}

TEST_F(OnDevice, AutoTakesItWhereItCanRunWhatIsAsked) {
  Engine engine = open("auto");
  ASSERT_TRUE(engine) << failure;
  EXPECT_NE(info(engine.get()).find(R"("device":"cuda:0")"), std::string::npos) << info(engine.get());
  close(engine);
  engine = open("auto", true, "float32", "none");
  ASSERT_TRUE(engine) << failure;
  EXPECT_NE(info(engine.get()).find("only injection kernel runs on a CUDA device"), std::string::npos)
      << info(engine.get());
}

TEST_F(OnDevice, WhatItCannotRunIsRefusedByName) {
  EXPECT_FALSE(open("cuda", true, "float32", "none"));
  EXPECT_EQ(status, GRAFT_STATUS_UNSUPPORTED);
  EXPECT_NE(failure.find("only injection kernel"), std::string::npos) << failure;
  EXPECT_FALSE(open("cuda:2"));
  EXPECT_EQ(status, GRAFT_STATUS_INVALID_ARGUMENT);
  EXPECT_NE(failure.find("cuda:2"), std::string::npos) << failure;
  faults().devices = 0;
  EXPECT_FALSE(open("cuda"));
  EXPECT_EQ(status, GRAFT_STATUS_DEVICE_ERROR);
  EXPECT_NE(failure.find("no device"), std::string::npos) << failure;
  const Engine engine = open("auto");
  ASSERT_TRUE(engine) << failure;
  EXPECT_NE(info(engine.get()).find("no device"), std::string::npos) << info(engine.get());
}

TEST_F(OnDevice, ADeviceThatIsTooOldIsPassedOver) {
  faults().devices = 2;
  faults().too_old = 0;
  EXPECT_FALSE(open("cuda:0"));
  EXPECT_EQ(status, GRAFT_STATUS_UNSUPPORTED);
  EXPECT_NE(failure.find("compute capability 7.5, expected 8.0"), std::string::npos) << failure;
  for (const char* device : {"auto", "cuda:1"}) {
    Engine engine = open(device);
    ASSERT_TRUE(engine) << failure;
    EXPECT_NE(info(engine.get()).find(R"("device":"cuda:1")"), std::string::npos) << info(engine.get());
    close(engine);
  }
}

TEST_F(OnDevice, TheCacheTakesWhatIsLeftAndNoMore) {
  Engine engine = open("cuda");
  ASSERT_TRUE(engine) << failure;
  const auto plenty = nlohmann::json::parse(info(engine.get()));
  const Tokens expected = answer(engine.get(), prompt);
  close(engine);
  const int64_t wanted = plenty["cache_bytes"];
  faults().memory_bytes =
      (int64_t{512} << 20) + int64_t{plenty["weight_bytes"]} + int64_t{plenty["working_bytes"]} + wanted / 2;
  engine = open("cuda");
  ASSERT_TRUE(engine) << failure;
  const int64_t taken = nlohmann::json::parse(info(engine.get()))["cache_bytes"];
  EXPECT_LE(taken, wanted / 2);
  EXPECT_GT(taken, wanted / 4);
  EXPECT_EQ(answer(engine.get(), prompt), expected);
  close(engine);
}

TEST_F(OnDevice, EveryAllocationMayFailAndNoStepAllocates) {
  for (const bool graph : {true, false}) {
    Engine engine;
    int64_t without = 0;
    for (int64_t n = 1; !engine; ++n) {
      ASSERT_LT(n, 1000);
      faults().allocations = n;
      engine = open("cuda", graph);
      if (engine && faults().allocations > 0) break;  // there are no more
      if (engine) {                                   // loading goes on with less pinned memory
        ++without;
        close(engine);
        continue;
      }
      EXPECT_EQ(status, GRAFT_STATUS_OUT_OF_MEMORY) << n << ": " << failure;
      EXPECT_NE(failure.find("out of"), std::string::npos) << failure;
    }
    EXPECT_EQ(without, 1);
    faults().allocations = 1;
    EXPECT_EQ(answer(engine.get(), prompt).size(), 24u);
    EXPECT_EQ(logits(engine.get(), prompt).rows, static_cast<int64_t>(prompt.size()));
    EXPECT_EQ(faults().allocations, 1) << "a step allocated";
    close(engine);
  }
}

TEST_F(OnDevice, TheProfileNamesItsKernelsAndCopies) {
  Engine engine = open("cuda");
  ASSERT_TRUE(engine) << failure;
  check(graft_engine_profile(engine.get(), 1), "profile");
  answer(engine.get(), prompt);
  graft_profile* profile = nullptr;
  check(graft_profile_take(engine.get(), &profile), "take");
  graft_string* table = nullptr;
  check(graft_profile_table(profile, &table), "table");
  const std::string text(graft_string_data(table), static_cast<size_t>(graft_string_size(table)));
  for (const char* entry :
       {R"("op":"copy","variant":"step")", R"("op":"stand_in")", R"("op":"copy","variant":"outputs")"}) {
    EXPECT_NE(text.find(entry), std::string::npos) << text;
  }
  graft_string_free(table);
  graft_profile_free(profile);
  close(engine);
}

}  // namespace
}  // namespace graft::conformance

// Which steps are started, taken and waited for, on a device that chooses what the test says.
#include "core/engine/steps_ahead.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace graft {
namespace {

/// Its work is done when it is given; a wait takes a while all the same.
class FakeDevice : public HostSpace<Device> {
 public:
  const kernels::Variant* select(kernels::Op, const void*) const override { return nullptr; }
  int32_t workers() const override { return 1; }
  const kernels::Context& context() const override { return context_; }
  void wait_by(Wait) override {}
  std::unique_ptr<DeviceMark> make_mark() override { return std::make_unique<Mark>(waits); }
  std::unique_ptr<DeviceGraph> capture(const std::function<void()>&) override { return nullptr; }

  int64_t waits = 0;

 private:
  struct Mark : DeviceMark {
    explicit Mark(int64_t& count) : waits(count) {}
    void set() override {}
    void wait() override {
      ++waits;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    int64_t& waits;
  };
  kernels::Context context_{};
};

struct Ahead : testing::Test {
  static constexpr kernels::TokenChoice greedy{0, 0, 1, 0, 0, 1, 0};
  static constexpr StepLimits limits{.tokens = 8, .sequences = 4, .logit_rows = 8, .hidden_rows = 1, .context = 256};
  CachePool pool{{{1, 1, 8, 0, 256, DType::float32}}, {4}};
  StepBuffer step{limits, pool, {.has_choices = true}};
  FakeDevice device;
  StepsAhead steps{step, pool, device, RunAhead(std::chrono::seconds(60))};
  std::vector<std::unique_ptr<SequenceBlocks>> blocks;

  void SetUp() override {
    for (int i = 0; i < 3; ++i) {
      blocks.push_back(std::make_unique<SequenceBlocks>(pool));
      ASSERT_TRUE(blocks.back()->grow(256));
    }
  }

  /// What the device chooses in step n (from 0) for a row.
  static int32_t token(int64_t n, int64_t row) { return static_cast<int32_t>(100 * (row + 1) + n); }
  static std::vector<int32_t> tokens(int64_t n) { return {token(n, 0), token(n, 1), token(n, 2)}; }

  /// Puts step n of these sequences into the buffer.
  void fill(int64_t n, const std::vector<int64_t>& rows) {
    step.clear();
    for (const int64_t row : rows) {
      const int64_t last = n == 0 ? 1 : token(n - 1, row);
      const StepBuffer::Wanted wanted{StepBuffer::Rows::last, StepBuffer::Rows::none};
      step.choose(
          step.add_sequence(&last, nullptr, 1, 10 + n, 200, *blocks[static_cast<size_t>(row)], wanted).logit_row,
          greedy);
    }
  }
  void begin(int64_t n) {
    steps.begin(tokens(n).data(), true);
    given = n;
  }
  void add(int64_t count) {
    for (int64_t i = 0; i < count; ++i) steps.add(tokens(++given).data());
  }
  std::vector<int32_t> finish() {
    const int32_t* chosen = steps.finish();
    return {chosen, chosen + step.sequence_count()};
  }

  int64_t given = 0;  ///< to the device so far, the last one's number
};

TEST_F(Ahead, TheHostWaitsForHalfOfWhatIsOnTheWay) {
  fill(0, {0, 1, 2});
  EXPECT_FALSE(steps.is_started());
  EXPECT_EQ(steps.due_after_begin(), 1) << "nobody knows how long a step takes";
  begin(0);
  add(1);
  EXPECT_EQ(finish(), tokens(0));
  EXPECT_EQ(device.waits, 1);
  int64_t waits = 1;
  for (int64_t n = 1; n <= 120; ++n) {
    fill(n, {0, 1, 2});
    ASSERT_TRUE(steps.is_started()) << n;
    if (!steps.is_done()) ++waits;
    const int64_t due = steps.due();
    EXPECT_EQ(due, n == 1 ? 31 : n % 16 == 1 ? 16 : 0) << n;
    steps.take();
    add(due);
    EXPECT_EQ(finish(), tokens(n)) << n;
    EXPECT_EQ(device.waits, waits) << n;
  }
}

TEST_F(Ahead, ThoseThatGoOnAreTakenAndNothingIsAddedMeanwhile) {
  fill(0, {0, 1, 2});
  begin(0);
  add(5);
  EXPECT_EQ(finish(), tokens(0));
  for (int64_t n = 1; n <= 5; ++n) {
    fill(n, {2, 0});
    ASSERT_TRUE(steps.is_started()) << n;
    EXPECT_EQ(steps.due(), 0);
    steps.take();
    EXPECT_EQ(finish(), (std::vector<int32_t>{token(n, 2), token(n, 0)})) << n;
  }
  fill(6, {2, 0});
  EXPECT_FALSE(steps.is_started());
  EXPECT_GT(steps.due_after_begin(), 0);
}

TEST_F(Ahead, WhatWasStartedInVainIsNoAnswer) {
  fill(0, {0, 1, 2});
  begin(0);
  add(31);
  EXPECT_EQ(finish(), tokens(0));
  step.clear();
  fill(7, {1, 0, 2});
  EXPECT_FALSE(steps.is_started());
  steps.begin(tokens(50).data(), true);
  given = 50;
  add(31);
  EXPECT_EQ(finish(), tokens(50)) << "after all those";
  steps.forget();
  fill(8, {1, 0, 2});
  EXPECT_FALSE(steps.is_started());
}

// Whoever follows waits for the same steps as rank 0, and hears of those alone that rank 0 waits for.
TEST_F(Ahead, WhoFollowsWaitsForTheSameSteps) {
  FakeDevice other;
  StepsAhead follower(step, pool, other, RunAhead({}));
  fill(0, {0, 1, 2});
  begin(0);
  follower.begin(tokens(0).data(), true);
  add(9);
  for (int i = 0; i < 9; ++i) follower.add(tokens(i + 1).data());
  finish();
  follower.wait();
  for (int64_t n = 1; n <= 9; ++n) {
    fill(n, {0, 1, 2});
    ASSERT_TRUE(steps.is_started()) << n;
    const bool done = steps.is_done();
    steps.take();
    finish();
    if (!done) {
      follower.take_first();
      follower.wait();
    }
    EXPECT_EQ(other.waits, device.waits) << n;
  }
  fill(20, {0});
  EXPECT_FALSE(follower.is_started());
}

}  // namespace
}  // namespace graft

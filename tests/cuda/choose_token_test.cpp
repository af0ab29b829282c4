#include "kernels/spec/choose_token.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cuda/choose_token_plan.h"
#include "tests/cuda/support.h"
#include "tests/kernels/generator.h"

namespace graft::kernels::testing {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr TokenChoice everything = {
    .state = 0, .temperature = 1, .top_p = 1, .min_p = 0, .top_k = 0, .wanted = 1, .unused = 0};

TEST(CudaChooseToken, PlansOfRandomShapes) {
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const int64_t capacity = random.coin() ? random.in(1, 8) : random.in(1, 100000);
    const int64_t vocabulary = random.coin() ? random.in(1, 2000) : random.in(1, 1 << 22);
    const auto multiprocessors = static_cast<int32_t>(random.in(1, 200));
    const cuda::ChooseTokenPlan plan = cuda::choose_token_plan(capacity, vocabulary, multiprocessors);
    EXPECT_GE(int64_t{plan.groups} * cuda::choice_group, vocabulary);
    EXPECT_LT((int64_t{plan.groups} - 1) * cuda::choice_group, vocabulary);
    EXPECT_GE(plan.find_blocks, 1);
    EXPECT_LE((plan.find_blocks - 1) * (cuda::find_threads / 32), plan.groups) << "no block without work";
    EXPECT_GE(plan.grid_rows, 1);
    EXPECT_LE(plan.grid_rows, std::min<int64_t>(capacity, 65535));
    EXPECT_GE(plan.slices, 1);
    EXPECT_LE(plan.slices, cuda::most_slices);
    EXPECT_GE(int64_t{plan.slices} * plan.slice_groups, plan.groups) << "all of the row";
    EXPECT_LT((int64_t{plan.slices} - 1) * plan.slice_groups, plan.groups) << "no slice without work";
    EXPECT_EQ(cuda::choice_row_words(plan.groups) % 16, 0);
    EXPECT_GT(cuda::choice_row_words(plan.groups), plan.groups + cuda::choice_bins);
    EXPECT_EQ(cuda::choose_token_scratch_bytes(capacity, vocabulary),
              capacity * cuda::choice_row_words(plan.groups) * 8);
  }
}

/// Rows of one vocabulary, and what is wanted of each.
struct Case {
  int64_t vocabulary;
  std::vector<float> logits;
  std::vector<TokenChoice> choices;
  int32_t rows;
  size_t misalignment = 0;
};

std::vector<int32_t> expected_tokens(const Case& c) {
  std::vector<int32_t> tokens(c.choices.size(), -77), scratch(static_cast<size_t>(c.vocabulary));
  const auto capacity = static_cast<int64_t>(c.choices.size());
  const ChooseTokenArgs args = {&c.rows,          capacity,      c.logits.data(), c.vocabulary,
                                c.choices.data(), tokens.data(), scratch.data()};
  reference_of(Op::choose_token)->run(&args, {});
  return tokens;
}

void expect_as_reference(const Case& c) {
  const std::vector<int32_t> expected = expected_tokens(c);
  DeviceMemory rows(std::vector<int32_t>{c.rows}), logits(c.logits, c.misalignment), choices(c.choices);
  ChooseTokenArgs args = {};
  args.rows = rows.as<int32_t>();
  args.capacity = static_cast<int64_t>(c.choices.size());
  args.logits = logits.as<float>();
  args.vocabulary = c.vocabulary;
  args.choices = choices.as<TokenChoice>();
  const int found = for_each_cuda_variant(Op::choose_token, &args, [&](const Variant& variant) {
    for (const emulated::Order order : all_orders) {
      DeviceMemory tokens(std::vector<int32_t>(c.choices.size(), -77));
      ChooseTokenArgs mine = args;
      mine.tokens = tokens.as<int32_t>();
      run_emulated(variant, mine, order);
      EXPECT_EQ(tokens.read<int32_t>(), expected) << variant.name;
      EXPECT_EQ(std::memcmp(choices.data(), c.choices.data(), choices.bytes()), 0) << "choices are not changed";
    }
  });
  EXPECT_EQ(found, 1);
}

/// For a scope the emulated device has so many multiprocessors.
class Multiprocessors {
 public:
  explicit Multiprocessors(int count) { emulated::device().multiprocessors = count; }
  ~Multiprocessors() { emulated::device().multiprocessors = before_; }
  Multiprocessors(const Multiprocessors&) = delete;
  Multiprocessors& operator=(const Multiprocessors&) = delete;

 private:
  int before_ = emulated::device().multiprocessors;
};

TokenChoice random_choice(Random& random, int64_t vocabulary) {
  TokenChoice choice = {};
  choice.state = static_cast<uint64_t>(random.in(0, std::numeric_limits<int64_t>::max())) * 2 + 1;
  choice.temperature = random.pick<float>({0, 0.01f, 0.7f, 0.7f, 1, 1, 5, 100, inf, 1e-42f, -1, nan});
  choice.top_p = random.pick<float>({1, 1, 1, 0, 0.1f, 0.5f, 0.9f, 0.999f, 1.5f, -1, nan});
  choice.min_p = random.pick<float>({0, 0, 0.01f, 0.3f, 1, 2, nan});
  const int64_t k = random.pick<int64_t>({0, 0, 1, 2, 5, 40, 1000, vocabulary - 1, vocabulary, vocabulary + 5, -1});
  choice.top_k = static_cast<int32_t>(k);
  choice.wanted = random.in(0, 5) != 0;
  return choice;
}

void append_logits(Random& random, int64_t vocabulary, std::vector<float>& to) {
  const int64_t kind = random.in(0, 5);
  const auto deviation = random.pick<float>({0.05f, 1, 4, 30});
  const float shift = random.coin() ? 0 : random.normal(20);
  const float level = random.pick<float>({0, 1, -1, inf, -inf, nan});
  for (int64_t i = 0; i < vocabulary; ++i) {
    float logit = random.normal(deviation) + shift;
    if (kind == 1) logit = std::round(logit);  // many are equal
    if (kind == 2) logit = level;
    if (kind == 3 && random.in(0, 2) == 0) logit = random.pick<float>({0.0f, -0.0f, inf, -inf, nan, 3e38f, -3e38f});
    if (kind == 4) logit = random.in(0, 99) == 0 ? logit : -inf;  // few are left, perhaps none
    to.push_back(logit);
  }
}

TEST(CudaChooseToken, MatchesReference) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const Multiprocessors some(random.pick<int>({1, 3, 132}));
    Case c;
    c.vocabulary = random.pick<int64_t>({1, 2, 3, 8, 127, 128, 129, 516, 1000, 1023, 2048, 4099, 5000, 9000});
    const int64_t capacity = random.in(1, 6);
    for (int64_t r = 0; r < capacity; ++r) {
      c.choices.push_back(random_choice(random, c.vocabulary));
      append_logits(random, c.vocabulary, c.logits);
    }
    c.rows = static_cast<int32_t>(random.in(0, capacity));
    c.misalignment = random.in(0, 3) == 0 ? 4 : 0;
    expect_as_reference(c);
  }
}

// Several slices, and more candidates than shared memory holds.
TEST(CudaChooseToken, LargeVocabularies) {
  Random random(5);
  for (const int multiprocessors : {3, 132}) {
    const Multiprocessors some(multiprocessors);
    for (const int64_t vocabulary : {40000, 40003}) {
      Case c = {vocabulary, {}, {}, 8};
      for (int r = 0; r < 8; ++r) {
        TokenChoice choice = everything;
        choice.state = random.engine();
        if (r % 4 == 1) choice.temperature = 0;
        if (r % 4 == 2) choice.top_p = r < 4 ? 0.9f : 0.3f;  // of nearly equal ones: nearly all, or too many
        if (r % 4 == 3) choice.top_k = r < 4 ? 50 : 20000;
        if (r == 7) choice.top_p = 0.8f;
        c.choices.push_back(choice);
        for (int64_t i = 0; i < vocabulary; ++i) c.logits.push_back(random.normal(r < 4 ? 3 : 0.1f));
      }
      expect_as_reference(c);
    }
  }
}

// As many candidates as shared memory holds, and one more.
TEST(CudaChooseToken, AsManyCandidatesAsThereIsRoomFor) {
  Random random(7);
  Case c = {9000, {}, {}, 4};
  for (int r = 0; r < 4; ++r) {
    TokenChoice choice = everything;
    choice.state = random.engine();
    if (r % 2 == 0) choice.top_k = 8999;
    if (r % 2 == 1) choice.top_p = 0.99999f;
    c.choices.push_back(choice);
    std::vector<float> logits(9000, -100);
    std::fill_n(logits.begin(), cuda::choice_candidates + r / 2, 3.0f);
    std::shuffle(logits.begin(), logits.end(), random.engine);
    c.logits.insert(c.logits.end(), logits.begin(), logits.end());
  }
  expect_as_reference(c);
}

TEST(CudaChooseToken, ManyDraws) {
  Random random(6);
  Case c = {300, {}, {}, 64};
  std::vector<float> logits;
  for (int i = 0; i < 300; ++i) logits.push_back(std::round(random.normal(2)));
  for (int r = 0; r < 64; ++r) {
    TokenChoice choice = everything;
    choice.state = random.engine() * uint64_t{0x123456789abcdef1};
    if (r % 2 == 1) choice.top_p = r % 4 == 1 ? 0.95f : 0.999f;
    if (r % 4 == 3) choice.top_k = 2 + r / 4;
    c.choices.push_back(choice);
    c.logits.insert(c.logits.end(), logits.begin(), logits.end());
    if (r % 8 == 3) {  // the last one that top_k keeps has many equals behind it
      std::fill_n(c.logits.end() - 300, 300, 2.5f);
      for (int i = 0; i < r / 4 + 1; ++i) c.logits[static_cast<size_t>(300 * r + 7 * i)] = 3.0f + static_cast<float>(i);
    }
  }
  expect_as_reference(c);
}

// Draws that land on the first and on the last number of a weight, in a slice and at its end, of candidates that are
// all alike.
TEST(CudaChooseToken, DrawsAtTheEndsOfWeights) {
  const Multiprocessors many(132);
  constexpr int64_t vocabulary = 16384;
  Case c = {vocabulary, {}, {}, 0};
  for (const uint64_t candidates : {4096, 16384}) {
    const uint64_t weight = (uint64_t{1} << 53) / candidates;  // in numbers of the generator
    for (const uint64_t token : {uint64_t{0}, candidates / 2, candidates - 1}) {
      for (const uint64_t share : {token * weight, token * weight + weight - 1}) {
        for (const float top_p : {1.0f, 0.99999994f}) {
          TokenChoice choice = everything;
          choice.state = state_before(share);
          choice.top_p = top_p;
          c.choices.push_back(choice);
          for (uint64_t i = 0; i < vocabulary; ++i)
            c.logits.push_back(i % (vocabulary / candidates) == 0 ? 2.5f : -inf);
          ++c.rows;
        }
      }
    }
  }
  expect_as_reference(c);
}

}  // namespace
}  // namespace graft::kernels::testing

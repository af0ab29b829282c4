#include "kernels/spec/next_step.h"

#include <memory>

#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

TEST(CudaNextStep, MatchesReference) {
  for (uint32_t seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.pick<int64_t>({1, 2, 8, 100, 129, 600});
    const auto some = [&](int64_t low, int64_t high, int64_t count) {
      std::vector<int32_t> values;
      for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<int32_t>(random.in(low, high)));
      return values;
    };
    std::vector<TokenChoice> choices(static_cast<size_t>(capacity));
    for (TokenChoice& choice : choices) {
      choice.state = random.engine();
      choice.temperature = random.pick<float>({0, 0.5f, 1, -1});
      choice.wanted = random.coin();
    }
    const std::vector<int32_t> lengths = some(-1, 300, capacity);
    DeviceMemory rows(some(0, capacity, 1)), tokens(some(-1, 1000, capacity));
    NextStepArgs args = {};
    args.rows = rows.as<int32_t>();
    args.capacity = capacity;
    args.tokens = tokens.as<int32_t>();
    args.caches = static_cast<int32_t>(random.in(0, NextStepArgs::max_caches));
    std::vector<std::unique_ptr<DeviceMemory>> tables;
    for (int32_t k = 0; k < args.caches; ++k) {
      args.cache[k].block_size = random.pick<int32_t>({1, 7, 16, 64});
      args.cache[k].stride = random.in(1, 20);
      tables.push_back(std::make_unique<DeviceMemory>(some(-1, 50, capacity * args.cache[k].stride)));
      args.cache[k].block_table = tables.back()->as<int32_t>();
    }
    const std::vector<int32_t> before(static_cast<size_t>(capacity), -77);
    const auto run = [&](const Variant& variant, const emulated::Order* order) {
      DeviceMemory token_ids(before), positions(before), context_lengths(lengths), own_choices(choices);
      DeviceMemory slots[] = {DeviceMemory(before), DeviceMemory(before), DeviceMemory(before), DeviceMemory(before)};
      NextStepArgs mine = args;
      mine.token_ids = token_ids.as<int32_t>();
      mine.positions = positions.as<int32_t>();
      mine.context_lengths = context_lengths.as<int32_t>();
      mine.choices = own_choices.as<TokenChoice>();
      for (int32_t k = 0; k < args.caches; ++k) mine.cache[k].slots = slots[k].as<int32_t>();
      if (order != nullptr) {
        run_emulated(variant, mine, *order);
      } else {
        variant.run(&mine, {});
      }
      std::vector<int32_t> all;
      for (const DeviceMemory* memory :
           {&token_ids, &positions, &context_lengths, &own_choices, &slots[0], &slots[1], &slots[2], &slots[3]}) {
        const std::vector<int32_t> part = memory->read<int32_t>();
        all.insert(all.end(), part.begin(), part.end());
      }
      return all;
    };
    const std::vector<int32_t> expected = run(*reference_of(Op::next_step), nullptr);
    const int found = for_each_cuda_variant(Op::next_step, &args, [&](const Variant& variant) {
      for (const emulated::Order order : all_orders) EXPECT_EQ(run(variant, &order), expected) << variant.name;
    });
    EXPECT_EQ(found, 1);
  }
}

}  // namespace
}  // namespace graft::kernels::testing

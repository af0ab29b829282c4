#include "core/containers/op_list.h"

#include <gtest/gtest.h>

#include "core/base/status.h"

namespace graft {
namespace {

TEST(Arena, CountsThenServesTheSameOffsets) {
  Arena counting;
  counting.take(100);
  const int64_t mark = counting.mark();
  counting.take(1000);
  counting.rewind(mark);
  counting.take(10);
  EXPECT_EQ(counting.peak(), 128 + 1024);

  alignas(64) std::byte memory[256];
  Arena real(memory, sizeof memory);
  EXPECT_EQ(real.take(1), memory);
  EXPECT_EQ(real.take(65), memory + 64);
  EXPECT_EQ(real.used(), 192);
  EXPECT_THROW(real.take(100), Error);
}

struct FakeArgs {
  int* target;
  int value;
  void* scratch;
};

void run_fake(const void* args, const kernels::Context&) {
  const auto& a = *static_cast<const FakeArgs*>(args);
  *a.target = *a.target * 10 + a.value;
}
int64_t fake_scratch(const void* args, int32_t workers) { return static_cast<const FakeArgs*>(args)->value * workers; }
constexpr kernels::Variant fake{kernels::Op::linear, kernels::Isa::reference, "fake", nullptr, fake_scratch, run_fake};
const kernels::Variant* select_fake(kernels::Op, const void*) { return &fake; }
const kernels::Variant* select_none(kernels::Op, const void*) { return nullptr; }

TEST(OpList, RunsInOrderWithItsOwnCopyOfTheArguments) {
  Arena arena;
  OpList ops(select_fake, 3, arena);
  int target = 0;
  FakeArgs args{&target, 4, nullptr};
  ops.add(kernels::Op::linear, args);
  args.value = 7;
  ops.add(kernels::Op::linear, args);
  args.value = 1;
  EXPECT_EQ(ops.scratch_bytes(), 21) << "the larger of both, for three workers";
  ops.run({});
  ops.run({});
  EXPECT_EQ(target, 4747);
}

TEST(OpList, AnOpWithoutKernelIsAnError) {
  Arena arena;
  OpList ops(select_none, 1, arena);
  EXPECT_THROW(ops.add(kernels::Op::linear, FakeArgs{}), Error);
}

}  // namespace
}  // namespace graft

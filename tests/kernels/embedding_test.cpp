#include "kernels/spec/embedding.h"

#include <gtest/gtest.h>

#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

TEST(Embedding, ReferenceByHand) {
  const int32_t rows = 2, ids[] = {2, 0}, positions[] = {0, 1};
  TypedArray table(DType::float16, {1, 2, 3, 4, 5, 6}, 1);
  const float position_table[] = {9, 9, 10, 20, 30, 40};
  float out[4] = {};
  EmbeddingArgs args = {};
  args.rows = &rows;
  args.ids = ids;
  args.table = table.data();
  args.dtype = DType::float16;
  args.width = 2;
  args.scale = 2;
  args.positions = positions;
  args.position_table = position_table;
  args.position_dtype = DType::float32;
  args.position_offset = 1;
  args.out = out;
  reference_of(Op::embedding)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 4), (std::vector<float>{20, 32, 32, 44}));
  const int32_t types[] = {1, 0};
  const float type_table[] = {100, 200, 300, 400};
  args.types = types;
  args.type_table = type_table;
  args.type_dtype = DType::float32;
  reference_of(Op::embedding)->run(&args, {});
  EXPECT_EQ(std::vector<float>(out, out + 4), (std::vector<float>{320, 432, 132, 244}));
}

TEST(Embedding, VariantsMatchReference) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 90), width = random.pick<int64_t>({1, 7, 8, 9, 64, 1000}), vocabulary = 11;
    const int32_t rows = static_cast<int32_t>(random.in(0, capacity));
    std::vector<int32_t> ids, positions, types;
    for (int64_t t = 0; t < capacity; ++t) {
      ids.push_back(static_cast<int32_t>(random.in(0, vocabulary - 1)));
      positions.push_back(static_cast<int32_t>(random.in(-1, 4)));
      types.push_back(static_cast<int32_t>(random.in(0, 2)));
    }
    EmbeddingArgs args = {};
    args.dtype = random.float_type();
    args.position_dtype = random.float_type();
    args.type_dtype = random.float_type();
    TypedArray table(args.dtype, random.normals(vocabulary * width), random.in(0, 3));
    TypedArray position_table(args.position_dtype, random.normals(7 * width), random.in(0, 3));
    TypedArray type_table(args.type_dtype, random.normals(3 * width), random.in(0, 3));
    args.rows = &rows;
    args.ids = ids.data();
    args.types = types.data();
    args.type_table = random.coin() ? type_table.data() : nullptr;
    args.table = table.data();
    args.width = width;
    args.scale = random.coin() ? 1.0f : 5.5f;
    args.positions = positions.data();
    args.position_table = random.coin() ? position_table.data() : nullptr;
    args.position_offset = 2;
    const auto run = [&](const Variant& variant, int32_t workers) {
      std::vector<float> out(static_cast<size_t>(capacity * width), -77.0f);
      args.out = out.data();
      Pool pool(workers);
      variant.run(&args, pool.context());
      return out;
    };
    const std::vector<float> expected = run(*reference_of(Op::embedding), 1);
    for_each_variant(Op::embedding, &args, [&](const Variant& variant) {
      for (int32_t workers = 1; workers <= 4; ++workers) {
        EXPECT_EQ(difference(run(variant, workers), expected, 1e-6), "") << variant.name << ", " << workers;
      }
    });
  }
}

}  // namespace
}  // namespace graft::kernels::testing

#include "kernels/spec/embedding.h"

#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

TEST(CudaEmbedding, MatchesReference) {
  for (uint32_t seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const int64_t capacity = random.in(1, 30), width = random.pick<int64_t>({1, 7, 8, 9, 64, 1000}), vocabulary = 11;
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
    const auto odd = [&] { return random.in(0, 3) == 0 ? size_t{4} : size_t{0}; };
    DeviceMemory table(typed(args.dtype, random.normals(vocabulary * width)), odd());
    DeviceMemory position_table(typed(args.position_dtype, random.normals(7 * width)), odd());
    DeviceMemory type_table(typed(args.type_dtype, random.normals(3 * width)), odd());
    DeviceMemory rows(std::vector<int32_t>{static_cast<int32_t>(random.in(0, capacity))});
    DeviceMemory device_ids(ids), device_positions(positions), device_types(types);
    args.rows = rows.as<int32_t>();
    if (random.coin()) args.capacity = capacity;
    args.ids = device_ids.as<int32_t>();
    args.table = table.data();
    args.width = width;
    args.scale = random.coin() ? 1.0f : 5.5f;
    // A table that is not there has no indices either.
    if (random.coin()) args.type_table = type_table.data(), args.types = device_types.as<int32_t>();
    if (random.coin()) args.position_table = position_table.data(), args.positions = device_positions.as<int32_t>();
    args.position_offset = 2;
    const auto run = [&](const Variant& variant, bool emulate) {
      DeviceMemory out(std::vector<float>(static_cast<size_t>(capacity * width), -77.0f));
      EmbeddingArgs mine = args;
      mine.out = out.as<float>();
      if (emulate) {
        run_emulated(variant, mine);
      } else {
        variant.run(&mine, {});
      }
      return out.read<float>();
    };
    const std::vector<float> expected = run(*reference_of(Op::embedding), false);
    const int found = for_each_cuda_variant(Op::embedding, &args, [&](const Variant& variant) {
      EXPECT_EQ(difference(run(variant, true), expected, 1e-6), "") << variant.name;
    });
    EXPECT_EQ(found, 1);
  }
}

}  // namespace
}  // namespace graft::kernels::testing

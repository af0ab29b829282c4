// The emulation must find what it is there to find: each mistake is made once, beside the same done right.
#include "tests/cuda/emulated/emulation.h"

#include "kernels/cuda/launch.h"
#include "kernels/cuda/reduce.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

using namespace cuda;

template <bool Barrier>
void neighbour(float* out) {
  auto* shared = static_cast<float*>(dynamic_shared());
  shared[threadIdx.x] = static_cast<float>(threadIdx.x);
  if (Barrier) __syncthreads();
  out[threadIdx.x] = shared[(threadIdx.x + blockDim.x / 2) % blockDim.x];
}

template <class... Parameters, class... Arguments>
std::string start(void (*kernel)(Parameters...), unsigned threads, int64_t shared, Arguments... arguments) {
  launch(kernel, {1, 1, 1}, {threads, 1, 1}, shared, nullptr, arguments...);
  std::string failure = emulated::take_failure();
  EXPECT_EQ(failure.empty(), kept_launch_error() == cudaSuccess);
  kept_launch_error() = cudaSuccess;
  return failure;
}

TEST(Emulation, MissingBarrierShows) {
  std::vector<float> expected(128), out(128);
  for (int i = 0; i < 128; ++i) expected[static_cast<size_t>(i)] = static_cast<float>((i + 64) % 128);
  for (const emulated::Order order : all_orders) {
    emulated::device().order = order;
    EXPECT_EQ(start(neighbour<true>, 128, 512, out.data()), "");
    EXPECT_EQ(out, expected);
    EXPECT_EQ(start(neighbour<false>, 128, 512, out.data()), "");
    EXPECT_NE(difference(out, expected, 1e-6), "");
  }
}

void out_of_step(int* out) {
  if (threadIdx.x < 32) {
    __syncthreads();
    *out = 1;
  } else {
    __syncthreads();
  }
}
void lane_missing(float* out) {
  if (threadIdx.x == 5) return;
  out[threadIdx.x] = warp_sum(1.0f);
}
void lane_waits(float* out) {
  if (threadIdx.x == 5) __syncthreads();
  out[threadIdx.x] = __shfl_sync(all_lanes, 1.0f, 0);
}
void beyond_shared(int count) { static_cast<int*>(dynamic_shared())[count] = 1; }
void misaligned(const float* from, float* to) { store_float4(to, load_float4(from + 1)); }

TEST(Emulation, MistakesFail) {
  emulated::device().order = emulated::Order::forward;  // which mistake is seen first depends on it
  std::vector<float> values(64);
  int one = 0;
  EXPECT_NE(start(out_of_step, 64, 0, &one).find("barriers out of step"), std::string::npos);
  EXPECT_NE(start(lane_missing, 32, 0, values.data()).find("lane which has ended"), std::string::npos);
  EXPECT_NE(start(lane_waits, 32, 0, values.data()).find("waits for lanes"), std::string::npos);
  EXPECT_NE(start(beyond_shared, 32, 64, 16).find("beyond dynamic shared"), std::string::npos);
  EXPECT_EQ(start(beyond_shared, 32, 64, 15), "");
  alignas(16) float aligned[8] = {};
  EXPECT_NE(start(misaligned, 1, 0, aligned, aligned).find("not aligned"), std::string::npos);
  EXPECT_NE(start(beyond_shared, 2048, 64, 0).find("a launch of"), std::string::npos);
}

void nothing() {}

// What was set for a kernel stays, as it does for a thread that launches the same kernel meanwhile.
TEST(Emulation, ALaunchLeavesOthersTheSharedMemoryTheyAskFor) {
  const auto launch_alone = [](size_t bytes) {
    cudaLaunchConfig_t config = {};
    config.dynamicSmemBytes = bytes;
    return cudaLaunchKernelEx(&config, nothing);
  };
  const size_t most = emulated::device().shared_bytes_per_block;
  EXPECT_EQ(launch_alone(48 * 1024 + 1), cudaErrorInvalidValue);
  EXPECT_NE(emulated::take_failure().find("of which 49152 are allowed"), std::string::npos);
  EXPECT_EQ(start(nothing, 32, 64 * 1024), "");
  EXPECT_EQ(launch_alone(most), cudaSuccess);
  EXPECT_EQ(launch_alone(most + 1), cudaErrorInvalidValue);
  EXPECT_NE(emulated::take_failure(), "");
  EXPECT_NE(start(nothing, 32, 1 << 20).find("bytes of shared memory, of which"), std::string::npos);
  EXPECT_EQ(cudaFuncSetAttribute(nothing, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(most) + 1),
            cudaErrorInvalidValue);
}

template <bool Wait>
void copy_in(const float* from, float* to) {
  auto* shared = static_cast<float*>(dynamic_shared());
  copy_async_16(shared + 4 * threadIdx.x, from + 4 * threadIdx.x, threadIdx.x == 1 ? 8 : 16);
  copy_async_commit();
  if (Wait) copy_async_wait<0>();
  __syncthreads();
  for (int i = 0; i < 4; ++i) to[4 * threadIdx.x + i] = shared[4 * threadIdx.x + i];
}

TEST(Emulation, CopyWithoutWaitShows) {
  DeviceMemory from(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8});
  std::vector<float> to(8);
  EXPECT_EQ(start(copy_in<true>, 2, 32, from.as<float>(), to.data()), "");
  EXPECT_EQ(to, (std::vector<float>{1, 2, 3, 4, 5, 6, 0, 0}));
  EXPECT_EQ(start(copy_in<false>, 2, 32, from.as<float>(), to.data()), "");
  for (const float value : to) EXPECT_TRUE(std::isnan(value));
}

// The last lane reads what the first one fills anew.
template <bool Barrier>
void refill(const float* from, float* to) {
  auto* shared = static_cast<float*>(dynamic_shared());
  if (threadIdx.x == 0) shared[0] = 7;
  __syncwarp();
  if (threadIdx.x == 31) *to = shared[0];
  if (Barrier) __syncwarp();
  if (threadIdx.x == 0) copy_async_16(shared, from);
  copy_async_commit();
  copy_async_wait<0>();
}

TEST(Emulation, AStageThatIsFilledTooEarlyShows) {
  emulated::device().order = emulated::Order::reverse;  // the first lane comes last, and goes on first
  DeviceMemory from(std::vector<float>{1, 2, 3, 4});
  float to = 0;
  EXPECT_EQ(start(refill<true>, 32, 16, from.as<float>(), &to), "");
  EXPECT_EQ(to, 7);
  EXPECT_EQ(start(refill<false>, 32, 16, from.as<float>(), &to), "");
  EXPECT_NE(to, 7);
}

void shuffles(int* out) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  out[threadIdx.x] = __shfl_sync(all_lanes, lane, 3) + 100 * __shfl_xor_sync(all_lanes, lane, 1);
  out[64 + threadIdx.x] = __shfl_down_sync(all_lanes, lane, 2, 8) + 100 * __shfl_up_sync(all_lanes, lane, 1);
  out[128 + threadIdx.x] = static_cast<int>(__ballot_sync(all_lanes, lane % 3 == 0));
  if (lane < 8) out[192 + threadIdx.x] = __shfl_sync(0xffu, lane, 7 - lane);
  const auto number = static_cast<unsigned>(100 + lane);
  out[256 + threadIdx.x] = static_cast<int>(__reduce_max_sync(all_lanes, number));
  if (lane >= 8) out[320 + threadIdx.x] = static_cast<int>(__reduce_min_sync(0xffffff00u, number));
}

TEST(Emulation, ShufflesAsDefined) {
  std::vector<int> out(384);
  for (const emulated::Order order : all_orders) {
    emulated::device().order = order;
    ASSERT_EQ(start(shuffles, 64, 0, out.data()), "");
    for (int t = 0; t < 64; ++t) {
      const int lane = t % 32, down = lane % 8 + 2 < 8 ? lane + 2 : lane, up = lane == 0 ? 0 : lane - 1;
      EXPECT_EQ(out[t], 3 + 100 * (lane ^ 1));
      EXPECT_EQ(out[64 + t], down + 100 * up);
      EXPECT_EQ(static_cast<unsigned>(out[128 + t]), 0x49249249u);
      if (lane < 8) {
        EXPECT_EQ(out[192 + t], 7 - lane);
      } else {
        EXPECT_EQ(out[320 + t], 108);
      }
      EXPECT_EQ(out[256 + t], 131);
    }
  }
}

void votes(unsigned* out) {
  const unsigned lane = threadIdx.x % 32, value = lane * 7 % 5;
  out[threadIdx.x] = __match_any_sync(all_lanes, static_cast<int>(value));
  out[64 + threadIdx.x] = __reduce_max_sync(all_lanes, lane * 7 % 37) * 100 + __reduce_min_sync(all_lanes, lane + 3);
  if (lane < 8) out[128 + threadIdx.x] = __reduce_max_sync(0xffu, lane);
}

TEST(Emulation, VotesAsDefined) {
  std::vector<unsigned> out(192);
  for (const emulated::Order order : all_orders) {
    emulated::device().order = order;
    ASSERT_EQ(start(votes, 64, 0, out.data()), "");
    for (unsigned t = 0; t < 64; ++t) {
      const unsigned lane = t % 32;
      for (unsigned other = 0; other < 32; ++other) {
        EXPECT_EQ(out[t] >> other & 1u, other % 5 == lane % 5 ? 1u : 0u);  // 7 l mod 5 is as different as l mod 5
      }
      EXPECT_EQ(out[64 + t], 36u * 100 + 3);  // 7 * 21 = 3 * 37 + 36
      if (lane < 8) {
        EXPECT_EQ(out[128 + t], 7u);
      }
    }
  }
}

// a [16, 16] and b [16, 8] row by row; fragments read element by element as the manual states their places.
template <bool Bfloat16, bool Load>
void product(const uint16_t* a, const uint16_t* b, float* d) {
  const unsigned lane = threadIdx.x, g = lane / 4, t = lane % 4;
  auto* shared = static_cast<uint16_t*>(dynamic_shared());
  for (unsigned i = lane; i < 256; i += 32) shared[i] = a[i];
  for (unsigned i = lane; i < 128; i += 32) shared[256 + i] = b[i];
  __syncwarp();
  const auto pair = [](uint16_t low, uint16_t high) { return static_cast<uint32_t>(high) << 16 | low; };
  uint32_t fa[4], fb[2], both[4];
  if (Load) {
    load_matrices(fa, shared + lane % 16 * 16 + lane / 16 * 8);
    load_matrices_transposed(both, shared + 256 + lane % 16 * 8);  // lanes 16 to 31: the same rows again
    fb[0] = both[0];
    fb[1] = both[1];
  } else {
    for (unsigned i = 0; i < 4; ++i) {
      const uint16_t* at = a + (g + 8 * (i % 2)) * 16 + 2 * t + 8 * (i / 2);
      fa[i] = pair(at[0], at[1]);
    }
    for (unsigned i = 0; i < 2; ++i) fb[i] = pair(b[(2 * t + 8 * i) * 8 + g], b[(2 * t + 1 + 8 * i) * 8 + g]);
  }
  float fd[4] = {1, 1, 1, 1};
  Bfloat16 ? mma_bfloat16(fd, fa, fb) : mma_float16(fd, fa, fb);
  for (unsigned i = 0; i < 4; ++i) d[(g + 8 * (i / 2)) * 8 + 2 * t + i % 2] = fd[i];
}

TEST(Emulation, TensorCoreFragments) {
  Random random(3);
  for (const DType dtype : {DType::bfloat16, DType::float16}) {
    const std::vector<unsigned char> a = typed(dtype, random.normals(256)), b = typed(dtype, random.normals(128));
    std::vector<float> expected(128, 1.0f), d(128);
    for (int i = 0; i < 128; ++i) {
      for (int k = 0; k < 16; ++k) {
        expected[static_cast<size_t>(i)] +=
            load_float(a.data(), i / 8 * 16 + k, dtype) * load_float(b.data(), k * 8 + i % 8, dtype);
      }
    }
    const auto* pa = reinterpret_cast<const uint16_t*>(a.data());
    const auto* pb = reinterpret_cast<const uint16_t*>(b.data());
    const bool bf = dtype == DType::bfloat16;
    for (const auto kernel :
         {bf ? product<true, false> : product<false, false>, bf ? product<true, true> : product<false, true>}) {
      ASSERT_EQ(start(kernel, 32, 768, pa, pb, d.data()), "");
      EXPECT_EQ(difference(d, expected, 1e-5), "");
    }
  }
}

void sums(float* out) {
  auto* partial = static_cast<float*>(dynamic_shared());
  out[threadIdx.x] = block_sum(static_cast<float>(threadIdx.x), partial);
}

TEST(Emulation, BlockReductions) {
  std::vector<float> out(96);
  for (const emulated::Order order : all_orders) {
    emulated::device().order = order;
    ASSERT_EQ(start(sums, 96, 128, out.data()), "");
    EXPECT_EQ(out, std::vector<float>(96, 96 * 95 / 2));
  }
}

}  // namespace
}  // namespace graft::kernels::testing

// What the device can do at best, measured before anything is compared with it: reading alone, copying, host to device,
// a large matrix product of random bfloat16 numbers by cuBLAS, and what lies between two kernels in a stream, in a
// graph, and in a graph with programmatic dependent launches. Prints one JSON object.
#include <dlfcn.h>

#include <cstdint>

#include "tests/bench/cuda/measure.h"

namespace graft::bench {
namespace {

constexpr int threads = 512;

// Sums 16-byte words; four of a thread are on their way at once. The sum is stored only where it is one that random
// data hardly gives, so that the loads cannot be left out.
__global__ void __launch_bounds__(threads) read_kernel(const uint4* data, int64_t words, unsigned* out) {
  unsigned sum = 0;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * threads;
  int64_t i = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  for (; i + 3 * stride < words; i += 4 * stride) {
    const uint4 a = __ldcs(data + i), b = __ldcs(data + i + stride), c = __ldcs(data + i + 2 * stride),
                d = __ldcs(data + i + 3 * stride);
    sum += a.x ^ a.y ^ a.z ^ a.w ^ b.x ^ b.y ^ b.z ^ b.w ^ c.x ^ c.y ^ c.z ^ c.w ^ d.x ^ d.y ^ d.z ^ d.w;
  }
  for (; i < words; i += stride) sum += data[i].x;
  if (sum == 0x9e3779b9u) *out = sum;
}

// Bits that look random, with the exponents of bfloat16 numbers between 1/2 and 2, either sign.
__global__ void random_kernel(uint32_t* words, int64_t count) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    uint32_t x = static_cast<uint32_t>(i) * 2654435761u + 0x9e3779b9u;
    x ^= x >> 16;
    x *= 0x85ebca6bu;
    x ^= x >> 13;
    x *= 0xc2b2ae35u;
    x ^= x >> 16;
    words[i] = (x & 0x80ff80ffu) | 0x3f003f00u;
  }
}

__global__ void empty_kernel() {}

__global__ void dependent_kernel() {
#if __CUDA_ARCH__ >= 900
  cudaGridDependencySynchronize();
  cudaTriggerProgrammaticLaunchCompletion();
#endif
}

struct Device {
  cudaDeviceProp properties;
  int multiprocessors;
};

double gigabytes_per_second(double bytes, double milliseconds) { return bytes / milliseconds * 1e-6; }

double read_bandwidth(Clock& clock, const Device& device, void* memory, size_t bytes) {
  auto* out = static_cast<unsigned*>(device_memory(sizeof(unsigned)));
  double best = 0;
  for (const int blocks_each : {2, 4, 8}) {  // of the block counts, the best is the ceiling
    const Times times = clock.measure(9, [&] {
      read_kernel<<<static_cast<unsigned>(device.multiprocessors * blocks_each), threads, 0, clock.stream()>>>(
          static_cast<const uint4*>(memory), static_cast<int64_t>(bytes / 16), out);
    });
    best = std::max(best, gigabytes_per_second(static_cast<double>(bytes), times.median));
  }
  cudaFree(out);
  return best;
}

double copy_bandwidth(Clock& clock, void* memory, size_t bytes) {
  const size_t half = bytes / 2;
  const Times times = clock.measure(9, [&] {
    check(cudaMemcpyAsync(static_cast<char*>(memory) + half, memory, half, cudaMemcpyDeviceToDevice, clock.stream()),
          "copy");
  });
  return gigabytes_per_second(static_cast<double>(2 * half), times.median);  // read and written
}

double host_bandwidth(Clock& clock, void* memory) {
  constexpr size_t bytes = size_t{1} << 30;
  void* host = nullptr;
  check(cudaHostAlloc(&host, bytes, cudaHostAllocDefault), "cudaHostAlloc");
  const Times times = clock.measure(
      5, [&] { check(cudaMemcpyAsync(memory, host, bytes, cudaMemcpyHostToDevice, clock.stream()), "copy"); });
  cudaFreeHost(host);
  return gigabytes_per_second(static_cast<double>(bytes), times.median);
}

// Teraflops of an n x n x n product; below 0 where there is no cuBLAS. Its few functions by hand: no link to it.
double gemm_rate(Clock& clock, void* memory, int n) {
  void* library = dlopen("libcublas.so.13", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return -1;
  using Handle = void*;
  const auto create = reinterpret_cast<int (*)(Handle*)>(dlsym(library, "cublasCreate_v2"));
  const auto set_stream = reinterpret_cast<int (*)(Handle, cudaStream_t)>(dlsym(library, "cublasSetStream_v2"));
  const auto gemm =
      reinterpret_cast<int (*)(Handle, int, int, int, int, int, const void*, const void*, int, int, const void*, int,
                               int, const void*, void*, int, int, int, int)>(dlsym(library, "cublasGemmEx"));
  if (create == nullptr || set_stream == nullptr || gemm == nullptr) return -1;
  Handle handle = nullptr;
  if (create(&handle) != 0 || set_stream(handle, clock.stream()) != 0) return -1;
  constexpr int bfloat16 = 14, compute_float32 = 68, default_algorithm = -1, transpose = 1, plain = 0;
  const size_t matrix = static_cast<size_t>(n) * static_cast<size_t>(n);
  auto* a = static_cast<uint16_t*>(memory);
  random_kernel<<<1024, 256, 0, clock.stream()>>>(reinterpret_cast<uint32_t*>(a), static_cast<int64_t>(matrix));
  const float one = 1, zero = 0;
  int failed = 0;
  const Times times = clock.measure(7, [&] {
    failed |= gemm(handle, transpose, plain, n, n, n, &one, a, bfloat16, n, a + matrix, bfloat16, n, &zero,
                   a + 2 * matrix, bfloat16, n, compute_float32, default_algorithm);
  });
  if (failed != 0) return -1;
  return 2.0 * n * n * n / times.median * 1e-9;
}

void launch_chain(cudaStream_t stream, int count, bool dependent) {
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(1);
  config.blockDim = dim3(32);
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = dependent ? 1 : 0;
  for (int i = 0; i < count; ++i) {
    check(cudaLaunchKernelEx(&config, dependent ? dependent_kernel : empty_kernel), "launch");
  }
}

// Microseconds from one kernel to the next.
double stream_gap(Clock& clock) {
  constexpr int count = 1000;
  return clock.measure(9, [&] { launch_chain(clock.stream(), count, false); }).median * 1e3 / count;
}

double graph_gap(Clock& clock, bool dependent) {
  constexpr int count = 1000;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t launchable = nullptr;
  check(cudaStreamBeginCapture(clock.stream(), cudaStreamCaptureModeRelaxed), "capture");
  launch_chain(clock.stream(), count, dependent);
  check(cudaStreamEndCapture(clock.stream(), &graph), "capture");
  check(cudaGraphInstantiate(&launchable, graph, 0), "graph");
  const double gap = clock.measure(9, [&] { check(cudaGraphLaunch(launchable, clock.stream()), "graph"); }).median;
  cudaGraphExecDestroy(launchable);
  cudaGraphDestroy(graph);
  return gap * 1e3 / count;
}

int run() {
  Device device = {};
  check(cudaGetDeviceProperties(&device.properties, 0), "device");
  device.multiprocessors = device.properties.multiProcessorCount;
  size_t available = 0, total = 0;
  check(cudaMemGetInfo(&available, &total), "memory");
  // Far above the L2 cache, and no more than half of what is there.
  const size_t bytes = std::min<size_t>(size_t{8} << 30, available / 2) / 4096 * 4096;
  void* memory = device_memory(bytes);
  Clock clock;
  random_kernel<<<1024, 256, 0, clock.stream()>>>(static_cast<uint32_t*>(memory), static_cast<int64_t>(bytes / 4));
  const double read = read_bandwidth(clock, device, memory, bytes);
  const double copy = copy_bandwidth(clock, memory, bytes);
  const double host = host_bandwidth(clock, memory);
  const double gemm = gemm_rate(clock, memory, 8192);
  const double in_stream = stream_gap(clock), in_graph = graph_gap(clock, false), overlapped = graph_gap(clock, true);
  std::printf(
      "{\"device\": \"%s\", \"capability\": \"%d.%d\", \"multiprocessors\": %d, \"l2_bytes\": %d, \"bytes\": %zu, "
      "\"read_gb_s\": %.1f, \"copy_gb_s\": %.1f, \"host_to_device_gb_s\": %.2f, ",
      device.properties.name, device.properties.major, device.properties.minor, device.multiprocessors,
      device.properties.l2CacheSize, bytes, read, copy, host);
  if (gemm > 0) std::printf("\"gemm_bf16_tflop_s\": %.1f, ", gemm);
  std::printf("\"stream_gap_us\": %.3f, \"graph_gap_us\": %.3f, \"graph_overlapped_gap_us\": %.3f}\n", in_stream,
              in_graph, overlapped);
  cudaFree(memory);
  return 0;
}

}  // namespace
}  // namespace graft::bench

int main() { return graft::bench::run(); }

// Each kernel at the shapes of Llama-3.1-8B, and those of experts at Qwen3-30B-A3B's, from a graph of many launches,
// over memory that is far larger than the L2 cache. Prints a JSON object a line: microseconds, the bytes that are read
// and written in that time, each once, as GB/s, and where there are products TFLOP/s. What is counted stands beside
// each figure (figures.h has them all); of a prompt it is all of its steps, of a layer all of its kernels. Contents are
// random where no figure depends on them; tests/cuda has the tests of results, and one that every kernel has a figure.
//
//   cuda_kernels [--plain] [WORD...]    only figures whose names hold one of the words; --plain: a few launches without
//                                       a graph and no figures, for a profiler
#include "tests/bench/cuda/device_bench.h"
#include "tests/bench/cuda/figures.h"

int main(int count, char** words) {
  graft::bench::DeviceBench bench;
  for (int i = 1; i < count; ++i) {
    if (words[i] == std::string("--plain")) {
      bench.plain = true;
    } else {
      bench.words.emplace_back(words[i]);
    }
  }
  graft::bench::all_figures(bench, graft::bench::Shapes{});
  return 0;
}

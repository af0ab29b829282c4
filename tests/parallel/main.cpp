// The tests, or the peer that they kill and stop: "parallel_tests --rank-one PORT".
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/parallel/gloo.h"

namespace {

// Rank 1 of 2: sums for ever, until its peer or the test ends it.
int run_rank_one(int64_t port) {
  try {
    const auto end = graft::make_gloo_communicator({1, 2, "127.0.0.1", port, false, "graft"}, 20000);
    std::vector<float> x(100000, 1);
    for (;;) end->all_reduce(x.data(), static_cast<int64_t>(x.size()));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank 1: %s\n", error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--rank-one") return run_rank_one(std::atoll(argv[2]));
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

// What every transport has to pass: rounds of all collectives with sizes and values that each rank knows.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "core/parallel/communicator.h"

namespace graft::test {

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// What `rank` gives in `round`: values whose sum depends on the order of addition.
inline std::vector<float> given(int64_t rank, int round, int64_t count) {
  std::minstd_rand random(static_cast<unsigned>(rank * 1000 + round + 1));
  std::vector<float> values(static_cast<size_t>(count));
  for (auto& value : values) {
    value = std::ldexp(static_cast<float>(random() % 20001) - 10000, static_cast<int>(random() % 24) - 12);
  }
  return values;
}

/// Runs `rounds` rounds of sizes up to `largest` and checks what this rank got. Returns all sums, to compare bits.
inline std::vector<float> run_collectives(Communicator& end, int rounds, int64_t largest) {
  const int64_t size = end.size();
  std::mt19937 sizes(7);  // same on all ranks
  std::vector<float> sums;
  for (int round = 0; round < rounds; ++round) {
    const int64_t count = round == 0 ? 0 : static_cast<int64_t>(sizes() % (round % 2 ? largest : 50)) + 1;
    auto data = given(end.rank(), round, count);
    end.all_reduce(data.data(), count);
    std::vector<double> expected(data.size()), magnitude(data.size());
    for (int64_t rank = 0; rank < size; ++rank) {
      const auto theirs = given(rank, round, count);
      for (size_t i = 0; i < theirs.size(); ++i) {
        expected[i] += theirs[i];
        magnitude[i] += std::abs(theirs[i]);
      }
    }
    for (size_t i = 0; i < data.size(); ++i) {
      if (std::abs(data[i] - expected[i]) > magnitude[i] * 1e-6) {
        ADD_FAILURE() << "sum " << i << " of " << count << ", rank " << end.rank() << ", round " << round;
        return {};
      }
    }
    sums.insert(sums.end(), data.begin(), data.end());

    std::vector<int64_t> counts(static_cast<size_t>(size));
    std::vector<float> all_expected;
    for (int64_t rank = 0; rank < size; ++rank) {
      counts[static_cast<size_t>(rank)] = sizes() % 3 == 0 ? 0 : static_cast<int64_t>(sizes() % 700);
      const auto theirs = given(rank, round, counts[static_cast<size_t>(rank)]);
      all_expected.insert(all_expected.end(), theirs.begin(), theirs.end());
    }
    const auto mine = given(end.rank(), round, counts[static_cast<size_t>(end.rank())]);
    std::vector<float> all(all_expected.size(), -1);
    end.all_gather(mine.data(), counts.data(), all.data());
    EXPECT_TRUE(same_bits(all, all_expected)) << "rank " << end.rank() << ", round " << round;

    std::vector<unsigned char> bytes(sizes() % 1000, static_cast<unsigned char>(end.rank() + 1 + round));
    end.broadcast(bytes.data(), static_cast<int64_t>(bytes.size()));
    EXPECT_EQ(bytes, std::vector<unsigned char>(bytes.size(), static_cast<unsigned char>(1 + round)));
  }
  return sums;
}

}  // namespace graft::test

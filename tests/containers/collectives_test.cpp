// All ways between ranks give the same: sums and gathered columns, on host memory, ranks being threads.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/containers/host_collectives.h"
#include "core/containers/nccl_collectives.h"
#include "core/containers/staged_collectives.h"

namespace graft {
namespace {

constexpr int64_t rank_count = 3, capacity = 4, width = 5;
const std::vector<int64_t> columns = {3, 0, 2};

// NCCL over the communicator that a rank's stream points to: sums are done when the call returns.
const NcclTable table = {
    [](NcclId*) { return 0; },
    [](NcclComm* comm, int, NcclId, int, NcclConfig*) {
      *comm = comm;
      return 0;
    },
    [](NcclComm, int* state) { return *state = 0; },
    [](NcclComm) { return 0; },
    [](const void*, void* data, size_t count, int, int, NcclComm, void* stream) {
      static_cast<Communicator*>(stream)->all_reduce(static_cast<float*>(data), static_cast<int64_t>(count));
      return 0;
    },
    [](int) { return "an error"; },
};

struct Result {
  std::vector<float> sum, gathered;  ///< [rows, width]
};

std::unique_ptr<Collectives> make(const std::string& way, Communicator& ranks, const kernels::Context& context) {
  if (way == "host") return std::make_unique<HostCollectives>(ranks);
  if (way == "staged") return std::make_unique<StagedCollectives>(ranks);
  const NcclCollectives::Place place{host_memory(), context, {}};
  return std::make_unique<NcclCollectives>(table, ranks, 20000, place, 1000);
}

// Rows beyond those of the step hold NaN, as what was never written may.
Result run_rank(const std::string& way, Communicator& ranks, int32_t rows) {
  kernels::Context context{};
  context.stream = &ranks;
  const std::unique_ptr<Collectives> collectives = make(way, ranks, context);
  const auto rank = static_cast<float>(ranks.rank());
  const int64_t own = columns[static_cast<size_t>(ranks.rank())];
  std::vector<float> data(capacity * width, NAN), mine(static_cast<size_t>(capacity * own), NAN),
      out(capacity * width, NAN);
  for (int64_t i = 0; i < rows * width; ++i) data[static_cast<size_t>(i)] = rank * 0.1f + static_cast<float>(i);
  for (int64_t i = 0; i < rows * own; ++i) mine[static_cast<size_t>(i)] = rank * 100 + static_cast<float>(i);

  std::vector<std::byte> memory(1 << 14), staging(1 << 14);
  Arena arena(memory.data(), static_cast<int64_t>(memory.size()));
  OpList ops([](kernels::Op, const void*) -> const kernels::Variant* { return nullptr; }, 1, arena);
  ops.set_staging(staging.data());
  collectives->record_all_reduce(ops, &rows, capacity, width, data.data());
  collectives->record_gather_columns(ops, &rows, capacity, columns, mine.data(), out.data());
  EXPECT_EQ(ops.staging_bytes() > 0, way == "staged") << "what tells whether a graph can hold it";
  ops.run(context);
  data.resize(static_cast<size_t>(rows * width)), out.resize(data.size());
  return {data, out};
}

std::vector<Result> run_all(const std::string& way, int32_t rows) {
  auto group = make_thread_communicators(rank_count, 20000);
  std::vector<Result> results(rank_count);
  std::vector<std::thread> threads;
  for (size_t r = 0; r < results.size(); ++r) {
    threads.emplace_back([&, r] { results[r] = run_rank(way, *group[r], rows); });
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

TEST(Collectives, EveryWayGivesTheSameOnEveryRank) {
  for (const int32_t rows : {1, 3, 4}) {
    const std::vector<Result> expected = run_all("host", rows);
    for (int64_t r = 0; r < rows; ++r) {
      const std::vector<float> row = {static_cast<float>(r * 3), static_cast<float>(r * 3 + 1),
                                      static_cast<float>(r * 3 + 2), static_cast<float>(200 + r * 2),
                                      static_cast<float>(200 + r * 2 + 1)};
      const auto begin = expected[0].gathered.begin() + r * width;
      EXPECT_EQ(std::vector<float>(begin, begin + width), row);
    }
    for (const char* way : {"host", "staged", "nccl"}) {
      for (const Result& result : run_all(way, rows)) {
        EXPECT_EQ(result.sum, expected[0].sum) << way << ", " << rows << " rows";
        EXPECT_EQ(result.gathered, expected[0].gathered) << way << ", " << rows << " rows";
      }
    }
  }
}

TEST(Collectives, OneRankSumsNothing) {
  const auto single = make_single_communicator();
  Arena arena;
  OpList ops([](kernels::Op, const void*) -> const kernels::Variant* { return nullptr; }, 1, arena);
  const int32_t rows = 1;
  float data = 1;
  HostCollectives(*single).record_all_reduce(ops, &rows, 1, 1, &data);
  StagedCollectives(*single).record_all_reduce(ops, &rows, 1, 1, &data);
  EXPECT_EQ(ops.size(), 0);
}

}  // namespace
}  // namespace graft

// Ranks that add up over each other's memory, on a plug-in whose devices are the host's memory and whose work is done
// when the call returns; ranks are threads.
#include "core/containers/peer_collectives.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "core/base/status.h"
#include "core/containers/host_collectives.h"
#include "kernels/cpu/select.h"
#include "tests/containers/on_ranks.h"

namespace graft {
namespace {

constexpr int64_t most_width = 33;

std::atomic<int64_t> pieces = 0;    // of memory, not given back
std::atomic<int32_t> failing = -1;  // the device that has no memory
std::atomic<int32_t> wrong = -1;    // the device whose sums are wrong

int32_t give(int32_t device, int64_t bytes, void** out, kernels::PluginError* error) {
  if (device == failing) {
    std::snprintf(error->text, static_cast<size_t>(error->capacity), "none left");
    return kernels::plugin_out_of_memory;
  }
  *out = std::aligned_alloc(256, static_cast<size_t>((bytes + 255) / 256 * 256));
  std::memset(*out, 3 + 17 * device, static_cast<size_t>(bytes));  // ranks that clear nothing do not fit together
  ++pieces;
  return kernels::plugin_ok;
}
void take(void* memory) {
  if (memory != nullptr) --pieces;
  std::free(memory);
}

constexpr kernels::Variant adds_too_much = {
    kernels::Op::sum_residual_norm,
    kernels::Isa::sm80,
    "wrong",
    nullptr,
    nullptr,
    [](const void* args, const kernels::Context& context) {
      kernels::select(kernels::Op::sum_residual_norm, args)->run(args, context);
      static_cast<const kernels::SumResidualNormArgs*>(args)->norm.residual[0] += 1;
    }};

kernels::DevicePlugin make_plugin() {
  kernels::DevicePlugin plugin{};
  plugin.allocate = give;
  plugin.release = [](int32_t, void* memory) { take(memory); };
  plugin.host_allocate = [](int64_t bytes, void** out, kernels::PluginError* error) {
    return give(-2, bytes, out, error);
  };
  plugin.host_release = take;
  plugin.select = [](int32_t device, kernels::Op op, const void* args) {
    return device == wrong ? &adds_too_much : kernels::select(op, args);
  };
  return plugin;
}

class Peers : public testing::Test {
 protected:
  void TearDown() override {
    failing = wrong = -1;
    EXPECT_EQ(pieces, 0) << "memory that was not given back";
  }

  static std::unique_ptr<PeerCollectives> join(Communicator& host, int64_t timeout_ms = 20000) {
    static const kernels::DevicePlugin plugin = make_plugin();
    static const kernels::Context context{};
    const PeerPlace place{plugin, static_cast<int32_t>(host.rank()), host_memory(), context};
    return std::make_unique<PeerCollectives>(
        std::make_unique<HostCollectives>(host),
        make_thread_areas(place, host, PeerCollectives::area_bytes(host.size(), most_width)), host, place, most_width,
        timeout_ms);
  }
};

/// Residual and norm of a few sums in a row, and the kernels that were recorded.
std::string run_sums(const Collectives& collectives, int64_t rank, int64_t capacity, int64_t width,
                     std::vector<float>& result) {
  std::vector<float> residual(static_cast<size_t>(capacity * width)), out(residual.size()), share(residual.size());
  std::vector<std::byte> memory(1 << 16);
  Arena arena(memory.data(), static_cast<int64_t>(memory.size()));
  OpList ops([](kernels::Op op, const void* args) { return kernels::select(op, args); }, 1, arena);
  auto rows = static_cast<int32_t>(capacity);
  kernels::ResidualNormArgs norm{};
  norm.rows = &rows;
  norm.capacity = capacity;
  norm.width = width;
  norm.residual = residual.data();
  norm.kind = kernels::NormKind::rms;
  norm.epsilon = 1e-5f;
  norm.out = out.data();
  collectives.record_sum_residual_norm(ops, norm, share.data());
  std::string names;
  for (int64_t i = 0; i < ops.size(); ++i) names.append(ops.variant(i).name).append(" ");
  for (int sum = 0; sum < 5; ++sum) {
    for (size_t i = 0; i < share.size(); ++i) {
      share[i] = 0.1f * static_cast<float>(rank + 1) + static_cast<float>(sum) * 0.7f - static_cast<float>(i % 13);
    }
    ops.run({});
    result.insert(result.end(), out.begin(), out.end());
  }
  result.insert(result.end(), residual.begin(), residual.end());
  return names;
}

TEST_F(Peers, SmallSumsAreOneKernelAndTheSameAsTheHosts) {
  for (const int64_t ranks : {2, 3, 8}) {
    for (const auto& [capacity, width] : {std::pair<int64_t, int64_t>{1, 33}, {8, 20}, {9, 20}, {2, 34}}) {
      std::vector<std::vector<float>> host(static_cast<size_t>(ranks)), peer(host.size());
      on_ranks(ranks, [&](Communicator& end) {
        const int64_t rank = end.rank();
        run_sums(HostCollectives(end), rank, capacity, width, host[static_cast<size_t>(rank)]);
        const auto collectives = join(end);
        ASSERT_TRUE(collectives->works());
        const std::string names = run_sums(*collectives, rank, capacity, width, peer[static_cast<size_t>(rank)]);
        const bool fits = capacity <= 8 && width <= most_width;
        EXPECT_EQ(names.find("sum_residual_norm.") == 0, fits) << names;
        EXPECT_EQ(names.find("all_reduce residual_norm.") == 0, !fits) << names;
      });
      for (size_t r = 0; r < host.size(); ++r) {
        EXPECT_EQ(peer[r], host[0]) << "rank " << r << " of " << ranks << ", " << capacity << " x " << width;
      }
    }
  }
}

TEST_F(Peers, WhereSumsAreWrongNoRankUsesThem) {
  wrong = 1;
  on_ranks(3, [&](Communicator& end) {
    const auto collectives = join(end);
    EXPECT_FALSE(collectives->works());
    const std::unique_ptr<Collectives> others = collectives->take_others();
    ASSERT_NE(others, nullptr);
    std::vector<float> result;
    EXPECT_EQ(run_sums(*others, 0, 1, 4, result).find("all_reduce "), 0u);
  });
}

TEST_F(Peers, ARankThatAbortsFreesTheOthers) {
  on_ranks(3, [&](Communicator& end) {
    const int64_t rank = end.rank();
    const auto collectives = join(end);
    if (rank == 2) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      return collectives->abort();
    }
    std::vector<float> garbage;
    run_sums(*collectives, rank, 2, 10, garbage);  // would wait for ever
    try {
      collectives->wait([] { return true; });
      ADD_FAILURE() << "what was given up is taken for done";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), StatusCode::comm_error);
      EXPECT_NE(std::string(error.what()).find("aborted"), std::string::npos) << error.what();
    }
  });
}

TEST_F(Peers, WhatIsGivenUpMeanwhileIsNotDone) {
  on_ranks(2, [&](Communicator& end) {
    const auto collectives = join(end);
    const auto done = [&] {
      collectives->abort();
      return true;
    };
    EXPECT_THROW(collectives->wait(done), Error);
  });
}

TEST_F(Peers, WaitsNoLongerThanTheTimeOut) {
  on_ranks(2, [&](Communicator& end) {
    const int64_t rank = end.rank();
    const auto collectives = join(end, 100);
    if (rank == 1) {
      std::vector<float> garbage;
      return static_cast<void>(run_sums(*collectives, rank, 2, 10, garbage));  // until rank 0 has had enough
    }
    EXPECT_THROW(collectives->wait([] { return false; }), Error);
  });
}

TEST_F(Peers, MemoryStaysUntilTheLastRankHasGone) {
  std::atomic<int64_t> gone = 0;
  on_ranks(3, [&](Communicator& end) {
    const int64_t rank = end.rank();
    auto collectives = join(end);
    float barrier = 0;
    end.all_reduce(&barrier, 1);
    if (rank == 2) {
      while (gone < 2) std::this_thread::yield();
      EXPECT_EQ(pieces, 3 + 1) << "areas, and the word by which all is given up";
    }
    collectives.reset();
    ++gone;
    end.all_reduce(&barrier, 1);
  });
}

TEST_F(Peers, ARankWithoutMemoryIsAnErrorOnAll) {
  failing = 1;
  on_ranks(3, [&](Communicator& end) {
    const int64_t rank = end.rank();
    try {
      join(end);
      ADD_FAILURE() << "rank " << rank;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), rank == 1 ? StatusCode::out_of_memory : StatusCode::comm_error) << error.what();
      end.abort();
    }
  });
}

}  // namespace
}  // namespace graft

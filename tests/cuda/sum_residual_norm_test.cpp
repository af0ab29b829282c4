// Ranks that add up over each other's memory: each a thread with an emulated device, or a stream of a real one.
#include "kernels/spec/sum_residual_norm.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "kernels/cuda/sum_plan.h"
#include "tests/cuda/support.h"

namespace graft::kernels::testing {
namespace {

TEST(CudaSumResidualNorm, PlansOfRandomWidths) {
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const int64_t width = random.coin() ? random.in(1, 300) : random.in(1, 30000);
    const cuda::SumPlan plan = cuda::sum_plan(width, width % 2 == 0);
    EXPECT_EQ(plan.threads % 32, 0);
    EXPECT_GE(plan.threads, 32);
    EXPECT_LE(plan.threads, cuda::most_sum_threads);
    if (plan.pairs > 0) {
      EXPECT_EQ(width % 2, 0);
      EXPECT_GE(int64_t{plan.threads} * plan.pairs * 2, width) << "all of the row is kept";
    } else {
      EXPECT_TRUE(width % 2 != 0 || width > 8192) << width;
    }
  }
}

TEST(CudaSumResidualNorm, PlacesOfRowsSlotsAndRanksLieApart) {
  for (const int32_t ranks : {2, 3, 8}) {
    for (const int64_t width : {1, 2, 777}) {
      PeerExchange peers{};
      peers.ranks = ranks;
      peers.most_width = width;
      int64_t expected = 0;
      for (int64_t row = 0; row < most_exchange_rows; ++row) {
        for (const uint32_t epoch : {6u, 7u}) {
          for (int32_t source = 0; source < ranks; ++source) {
            EXPECT_EQ(exchange_place(peers, row, epoch, source), expected);
            expected += exchange_row_bytes(width);
          }
        }
      }
      EXPECT_EQ(exchange_bytes(ranks, width), expected);
    }
  }
  EXPECT_EQ(next_epoch(0), 1u);
  EXPECT_EQ(next_epoch(0xffffffffu), 2u) << "even after odd, and never 0";
}

/// The areas of all ranks, and who waits no longer. A test that hangs has failed: it is given up after rank_patience.
class Exchange {
 public:
  Exchange(int32_t ranks, int64_t most_width, uint32_t epoch = 0)
      : ranks_(ranks), most_width_(most_width), given_up_(std::vector<uint32_t>{0}) {
    for (int32_t r = 0; r < ranks; ++r) {
      areas_.push_back(std::make_unique<DeviceMemory>(
          std::vector<unsigned char>(static_cast<size_t>(exchange_bytes(ranks, most_width)))));
      std::vector<uint32_t> counters(exchange_counters, epoch);
      counters.back() = 0;
      epochs_.push_back(std::make_unique<DeviceMemory>(counters));
    }
    watch_ = std::thread([this] {
      std::unique_lock lock(mutex_);
      if (ended_.wait_for(lock, rank_patience, [this] { return over_; })) return;
      ADD_FAILURE() << "ranks that wait for ever";
      give_up();
    });
  }
  ~Exchange() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_all();
    watch_.join();
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  PeerExchange of(int32_t rank) {
    PeerExchange peers{};
    peers.rank = rank;
    peers.ranks = ranks_;
    peers.most_width = most_width_;
    for (size_t r = 0; r < areas_.size(); ++r) peers.areas[r] = areas_[r]->data();
    peers.epochs = epochs_[static_cast<size_t>(rank)]->as<uint32_t>();
    peers.given_up = given_up_.as<uint32_t>();
    return peers;
  }
  /// What lies in the area of a rank.
  std::vector<uint64_t> words_of(int32_t rank) const { return areas_[static_cast<size_t>(rank)]->read<uint64_t>(); }
  void give_up() { std::atomic_ref<uint32_t>(*given_up_.as<uint32_t>()).store(1); }

 private:
  int32_t ranks_;
  int64_t most_width_;
  std::vector<std::unique_ptr<DeviceMemory>> areas_, epochs_;
  DeviceMemory given_up_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread watch_;
};

/// One sum of all ranks: what each is given, and what must come out.
class Sum {
 public:
  Sum(Random& random, Exchange& exchange, int32_t ranks, int64_t most_width) {
    const int64_t capacity = random.in(1, most_exchange_rows);
    int64_t width = random.pick<int64_t>({1, 2, 5, 64, 130, 777, 2048, 4098, 8192, 8194, most_width});
    if (width > most_width) width = most_width;
    const auto odd = [&] { return random.in(0, 4) == 0 ? size_t{4} : size_t{0}; };
    const auto rows = static_cast<int32_t>(random.in(0, 3) == 0 ? random.in(0, capacity) : capacity);
    std::vector<float> start = random.normals(capacity * width);
    norm.capacity = capacity;
    norm.width = width;
    norm.kind = random.coin() ? NormKind::layer : NormKind::rms;
    norm.delta_bias_dtype = random.float_type();
    norm.weight_dtype = random.float_type();
    norm.weight_offset = random.coin() ? 0.0f : 1.0f;
    norm.epsilon = 1e-5f;
    const auto hold = [&](std::unique_ptr<DeviceMemory> piece) {
      memory.push_back(std::move(piece));
      return memory.back()->data();
    };
    const auto typed_or_null = [&](DType dtype) -> const void* {
      if (random.coin()) return nullptr;
      return hold(std::make_unique<DeviceMemory>(typed(dtype, random.normals(width)), odd()));
    };
    norm.rows = static_cast<int32_t*>(hold(std::make_unique<DeviceMemory>(std::vector<int32_t>{rows})));
    norm.delta_bias = typed_or_null(norm.delta_bias_dtype);
    norm.weight = typed_or_null(norm.weight_dtype);
    norm.bias = typed_or_null(norm.weight_dtype);
    if (norm.delta_bias == nullptr) norm.delta_bias_dtype = DType{};
    if (norm.weight == nullptr && norm.bias == nullptr) norm.weight_dtype = DType{};
    const bool normed = random.in(0, 5) != 0, in_place = random.in(0, 3) == 0;
    const std::vector<float> untouched(start.size(), -77.0f);
    std::vector<float> sum;
    for (int32_t r = 0; r < ranks; ++r) {
      const std::vector<float> share = random.normals(capacity * width);
      for (size_t i = 0; i < share.size(); ++i) {
        if (r == 0) sum.push_back(share[i]);
        if (r > 0) sum[i] += share[i];
      }
      SumResidualNormArgs args{norm, exchange.of(r)};
      residuals.push_back(std::make_unique<DeviceMemory>(start, odd()));
      outs.push_back(std::make_unique<DeviceMemory>(untouched, odd()));
      args.norm.delta = static_cast<float*>(hold(std::make_unique<DeviceMemory>(share, odd())));
      args.norm.residual = residuals.back()->as<float>();
      args.norm.out = !normed ? nullptr : in_place ? args.norm.residual : outs.back()->as<float>();
      of_rank.push_back(args);
    }
    ResidualNormArgs reference = norm;
    residual = start, out = untouched;
    reference.delta = sum.data();
    reference.residual = residual.data();
    reference.out = !normed ? nullptr : in_place ? residual.data() : out.data();
    reference_of(Op::residual_norm)->run(&reference, {});
    exact = !in_place || !normed;
  }

  void check() const {
    for (size_t r = 0; r < of_rank.size(); ++r) {
      const std::vector<float> sum = residuals[r]->read<float>(), normed = outs[r]->read<float>();
      if (exact) {
        EXPECT_EQ(sum, residual) << "rank " << r << ": added in another order";
      }
      EXPECT_EQ(difference(sum, residual, 5e-5), "") << "rank " << r;
      EXPECT_EQ(difference(normed, out, 5e-5), "") << "rank " << r;
      EXPECT_EQ(sum, residuals[0]->read<float>()) << "other bits on rank " << r;
      EXPECT_EQ(normed, outs[0]->read<float>()) << "other bits on rank " << r;
    }
  }

  ResidualNormArgs norm{};
  std::vector<SumResidualNormArgs> of_rank;
  std::vector<std::unique_ptr<DeviceMemory>> memory, residuals, outs;
  std::vector<float> residual, out;  ///< expected
  bool exact = true;
};

// Widths, capacities and rows change from sum to sum, so that each slot holds words of others.
void run_sums(uint32_t seed, int32_t ranks, int64_t most_width, int count, uint32_t epoch = 0) {
  SCOPED_TRACE("seed " + std::to_string(seed) + ", " + std::to_string(ranks) + " ranks");
  Random random(seed);
  Exchange exchange(ranks, most_width, epoch);
  std::vector<std::unique_ptr<Sum>> sums;
  std::vector<std::vector<SumResidualNormArgs>> of_rank(static_cast<size_t>(ranks));
  for (int i = 0; i < count; ++i) {
    sums.push_back(std::make_unique<Sum>(random, exchange, ranks, most_width));
    for (size_t r = 0; r < of_rank.size(); ++r) of_rank[r].push_back(sums.back()->of_rank[r]);
  }
  const int found = for_each_cuda_variant(Op::sum_residual_norm, &of_rank[0][0],
                                          [&](const Variant& variant) { run_ranks(variant, of_rank); });
  EXPECT_EQ(found, 1);
  for (size_t i = 0; i < sums.size(); ++i) {
    SCOPED_TRACE("sum " + std::to_string(i));
    sums[i]->check();
  }
}

TEST(CudaSumResidualNorm, IsTheNormOfTheSumOnEveryRank) {
  uint32_t seed = 0;
  for (const int32_t ranks : {2, 3, 4, 8}) {
    for (const int64_t most_width : {40, 777, 4100, 9001}) {
      if (ranks == 8 && most_width > 5000) continue;  // 4098 values keep a thread's registers as full
      run_sums(++seed, ranks, most_width, ranks * most_width > 10000 ? 4 : 12);
    }
  }
}

TEST(CudaSumResidualNorm, GoesOnWhenEpochsBeginAgain) { run_sums(100, 3, 64, 20, 0xfffffff8u); }

TEST(CudaSumResidualNorm, NobodyWaitsForARankThatIsMissingOnceAllIsGivenUp) {
  for (const int64_t width : {130, 777}) {
    Random random(7);
    Exchange exchange(3, width);
    std::vector<std::unique_ptr<Sum>> sums;
    std::vector<std::vector<SumResidualNormArgs>> of_rank(2);  // not the third
    for (int i = 0; i < 3; ++i) {
      sums.push_back(std::make_unique<Sum>(random, exchange, 3, width));
      for (size_t r = 0; r < of_rank.size(); ++r) of_rank[r].push_back(sums.back()->of_rank[r]);
    }
    for_each_cuda_variant(Op::sum_residual_norm, &of_rank[0][0], [&](const Variant& variant) {
      run_ranks(variant, of_rank, [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        exchange.give_up();
      });
    });
    for (const uint64_t word : exchange.words_of(2)) {
      EXPECT_LE(word >> 32, 1u) << "given after a wait that was given up, when it was no sum of all";
    }
  }
}

TEST(CudaSumResidualNorm, ServesWhatAnExchangeHolds) {
  Random random(3);
  Exchange exchange(2, 64);
  const Sum sum(random, exchange, 2, 64);
  const auto variants = [&](const auto& change) {
    SumResidualNormArgs args = sum.of_rank[0];
    change(args);
    return std::ssize(cuda_variants(Op::sum_residual_norm, &args));
  };
  EXPECT_EQ(variants([](SumResidualNormArgs&) {}), 1);
  EXPECT_EQ(variants([](SumResidualNormArgs& args) { args.norm.capacity = 9; }), 0);
  EXPECT_EQ(variants([](SumResidualNormArgs& args) { args.norm.capacity = 0; }), 0) << "which nobody knows";
  EXPECT_EQ(variants([](SumResidualNormArgs& args) { args.norm.width = 65; }), 0);
  EXPECT_EQ(variants([](SumResidualNormArgs& args) { args.norm.delta = nullptr; }), 0);
  EXPECT_EQ(variants([](SumResidualNormArgs& args) { args.peers.ranks = 1; }), 0);
  EXPECT_EQ(variants([](SumResidualNormArgs& args) { args.peers.ranks = 9; }), 0);
}

}  // namespace
}  // namespace graft::kernels::testing

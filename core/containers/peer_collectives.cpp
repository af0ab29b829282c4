#include "core/containers/peer_collectives.h"

#include <algorithm>
#include <exception>

#include "core/base/log.h"
#include "core/base/status.h"

namespace graft {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t trial_ms = 10000;
constexpr std::chrono::microseconds pace{20};
constexpr int64_t max_timeout_ms = int64_t{24} * 3600 * 1000;

}  // namespace

int64_t PeerCollectives::area_bytes(int64_t ranks, int64_t most_width) {
  return kernels::exchange_bytes(static_cast<int32_t>(ranks), most_width) +
         kernels::exchange_counters * static_cast<int64_t>(sizeof(uint32_t));
}

PeerCollectives::PeerCollectives(std::unique_ptr<Collectives> others, std::unique_ptr<PeerAreas> areas,
                                 Communicator& host, const PeerPlace& place, int64_t most_width, int64_t timeout_ms)
    : Collectives(host.size()),
      others_(std::move(others)),
      host_(host),
      place_(place),
      timeout_ms_(std::clamp<int64_t>(timeout_ms, 1, max_timeout_ms)),
      areas_(std::move(areas)) {
  if (host.size() > kernels::most_exchange_ranks) {
    fail(StatusCode::internal, "peer memory: {} ranks, expected at most {}", host.size(), kernels::most_exchange_ranks);
  }
  peers_.rank = static_cast<int32_t>(host.rank());
  peers_.ranks = static_cast<int32_t>(host.size());
  peers_.most_width = most_width;
  peers_.given_up = areas_->word();
  for (int64_t r = 0; r < host.size(); ++r) peers_.areas[r] = areas_->area(r);
  void* own = peers_.areas[host.rank()];
  peers_.epochs =
      reinterpret_cast<uint32_t*>(static_cast<std::byte*>(own) + kernels::exchange_bytes(peers_.ranks, most_width));
  place.space.clear(own, area_bytes(host.size(), most_width));
  place.space.synchronize();
  float there = 1;
  host.all_reduce(&there, 1);  // all areas are zero
}

PeerCollectives::~PeerCollectives() = default;

/// A sum of one row, of which every rank knows what must come out.
class PeerCollectives::Trial {
 public:
  /// Allocates everything, and runs the kernel once without rows, which loads it.
  Trial(const PeerPlace& place, const kernels::PeerExchange& peers)
      : place_(place),
        bytes_(peers.most_width * static_cast<int64_t>(sizeof(float))),
        device_(place.space, 64 + 2 * (bytes_ + 64), "the first sum of peers"),
        staging_(place.space, 64 + bytes_ + 64, "the first sum of peers", SpaceMemory::Kind::staging) {
    Arena on_device(device_.data(), device_.bytes()), on_host(staging_.data(), staging_.bytes());
    rows_ = on_device.take_array<int32_t>(1);
    auto* share = on_device.take_array<float>(peers.most_width);
    args_.norm.rows = rows_;
    args_.norm.capacity = 1;
    args_.norm.width = peers.most_width;
    args_.norm.residual = on_device.take_array<float>(peers.most_width);
    args_.norm.delta = share;
    args_.peers = peers;
    one_ = on_host.take_array<int32_t>(1);
    values_ = on_host.take_array<float>(peers.most_width);
    *one_ = 1;
    for (int64_t i = 0; i < peers.most_width; ++i) values_[i] = static_cast<float>(peers.rank + 1 + i % 1000);
    place.space.copy(share, values_, bytes_);
    place.space.clear(args_.norm.residual, bytes_);
    place.space.clear(rows_, sizeof *rows_);
    variant_ = place.plugin.select(place.device, kernels::Op::sum_residual_norm, &args_);
    if (variant_ != nullptr) variant_->run(&args_, place.context);
    place.space.synchronize();
  }

  bool can_start() const { return variant_ != nullptr; }
  /// Fills both slots; sums are exact.
  void start() {
    place_.space.copy(rows_, one_, sizeof *one_);
    variant_->run(&args_, place_.context);
    variant_->run(&args_, place_.context);
    place_.space.copy(values_, args_.norm.residual, bytes_);
  }
  /// Once it is done.
  bool is_right() const {
    const int64_t ranks = args_.peers.ranks, of_ranks = ranks * (ranks + 1) / 2;
    for (int64_t i = 0; i < args_.norm.width; ++i) {
      if (values_[i] != static_cast<float>(2 * (of_ranks + ranks * (i % 1000)))) return false;
    }
    return true;
  }

 private:
  const PeerPlace& place_;
  int64_t bytes_;
  SpaceMemory device_, staging_;
  int32_t* rows_;
  int32_t* one_;
  float* values_;
  kernels::SumResidualNormArgs args_{};
  const kernels::Variant* variant_;
};

// Allocating and loading may wait for whatever runs, also for a kernel that waits for this rank: nobody starts before
// all are ready to.
bool PeerCollectives::works() {
  std::unique_ptr<Trial> trial;
  std::exception_ptr problem;
  try {
    trial = std::make_unique<Trial>(place_, peers_);
  } catch (...) {
    problem = std::current_exception();
  }
  float missing = trial && trial->can_start() ? 0 : 1;
  try {
    host_.all_reduce(&missing, 1);
  } catch (const Error&) {
    if (!problem) throw;
  }
  if (problem) std::rethrow_exception(problem);
  if (missing > 0) return false;
  float failures = 0;
  areas_->use(true);
  try {
    if (!run(*trial)) {
      log(LogLevel::warning, "peer memory: rank {} of {}: a first sum is wrong", peers_.rank, peers_.ranks);
      failures = 1;
    }
  } catch (const Error& error) {
    if (error.code() != StatusCode::comm_error) throw;
    log(LogLevel::warning, "{}", error.what());
    failures = 1;  // told by the next line, where it is more than a sum that did not end
  }
  host_.all_reduce(&failures, 1);
  areas_->use(false);
  return failures == 0;
}

bool PeerCollectives::run(Trial& trial) {
  MemorySpace& space = place_.space;
  try {
    trial.start();
    // A rank whose own sum is right waits for the others' verdict no longer than the time-out.
    const auto end = Clock::now() + std::chrono::milliseconds(std::min(trial_ms, timeout_ms_ / 2));
    while (!space.is_done()) {
      host_.check();
      if (Clock::now() >= end)
        fail(StatusCode::comm_error, "peer memory: rank {} of {}: a first sum did not end", peers_.rank, peers_.ranks);
      std::this_thread::sleep_for(pace);
    }
  } catch (...) {
    areas_->give_up();  // but not the others, who may be needed
    space.drain();
    throw;
  }
  space.synchronize();  // tells what failed
  return trial.is_right();
}

void PeerCollectives::check_group() const {
  if (!areas_->is_given_up()) return;
  fail(StatusCode::comm_error, "peer memory: rank {} of {}: the group is broken or aborted", peers_.rank, peers_.ranks);
}

// What ended because it was given up is not done, whatever the device says. Another process's rank that gives up sends
// nothing from then on, so that this one's wait does not end either.
void PeerCollectives::wait(const std::function<bool()>& done) {
  const auto end = Clock::now() + std::chrono::milliseconds(timeout_ms_);
  try {
    others_->wait([&] {
      check_group();
      if (done()) return true;
      host_.check();
      if (Clock::now() < end) return false;
      fail(StatusCode::comm_error, "peer memory: rank {} of {}: not done after {} ms", peers_.rank, peers_.ranks,
           timeout_ms_);
    });
    check_group();
  } catch (...) {
    abort();
    throw;
  }
}

void PeerCollectives::abort() noexcept {
  areas_->give_up();
  if (others_) others_->abort();
}

void PeerCollectives::part() {
  areas_->part();
  if (others_) others_->part();
}

void PeerCollectives::add_all_reduce(OpList& ops, const int32_t* rows, int64_t capacity, int64_t width,
                                     float* data) const {
  others_->record_all_reduce(ops, rows, capacity, width, data);
}

void PeerCollectives::add_sum_residual_norm(OpList& ops, const kernels::ResidualNormArgs& norm, float* share) const {
  if (!kernels::exchange_holds(norm, peers_)) return others_->record_sum_residual_norm(ops, norm, share);
  ops.add(kernels::Op::sum_residual_norm, kernels::SumResidualNormArgs{norm, peers_});
}

void PeerCollectives::record_gather_columns(OpList& ops, const int32_t* rows, int64_t capacity,
                                            const std::vector<int64_t>& columns, const float* mine, float* out) const {
  others_->record_gather_columns(ops, rows, capacity, columns, mine, out);
}

}  // namespace graft

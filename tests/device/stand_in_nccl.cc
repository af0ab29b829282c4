// libnccl.so.2 for tests: ranks are threads of one process or processes, which meet in shared memory; their sums are
// work on streams of the stand-in device and end when every rank's stream has come to its own. Sums are in the order of
// ranks, as those of the host's ranks are. Only what Graft calls is there, as NCCL declares it.
//
// soname: libnccl.so.2
#include "tests/device/stand_in_nccl.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "tests/device/stand_in_stream.h"

namespace graft::stand_in {
namespace {

enum Result : int {
  success = 0,
  cuda_error = 1,
  system_error = 2,
  invalid_argument = 4,
  remote_error = 6,
  in_progress = 7
};
constexpr int float32 = 7, sum = 0;

struct Id {
  std::array<char, 128> bytes;
};

NcclFaults faults;

/// What the ranks share. A rank begins a sum only after all have given theirs to the one before, so that two buffers in
/// turn are enough. Its memory begins as zeros, which is a group that nobody has joined.
struct Meeting {
  static constexpr int64_t most_ranks = 8, most_values = int64_t{1} << 20;

  std::atomic<int64_t> joined;
  struct Turn {
    std::atomic<int64_t> arrived, left;
    std::array<int64_t, most_ranks> counts;
    float given[most_ranks][most_values];  // pages come with what is written
  };
  std::array<Turn, 2> turns;
};
static_assert(std::atomic<int64_t>::is_always_lock_free);

/// One rank's mapping of a meeting, whose name goes when all are there, or with the first who leaves before.
class Group {
 public:
  Group(const Id& id, int64_t ranks) : name_(id.bytes.data()), ranks_(ranks) {
    const int fd = shm_open(name_.c_str(), O_CREAT | O_RDWR, 0600);
    if (fd < 0) return;
    void* mapped = MAP_FAILED;
    if (ftruncate(fd, sizeof(Meeting)) == 0) {
      mapped = mmap(nullptr, sizeof(Meeting), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    close(fd);
    if (mapped == MAP_FAILED) return;
    meeting_ = static_cast<Meeting*>(mapped);
    if (++meeting_->joined == ranks_) shm_unlink(name_.c_str());
  }
  ~Group() {
    if (meeting_ == nullptr) return;
    if (!all_there()) shm_unlink(name_.c_str());
    munmap(meeting_, sizeof(Meeting));
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  bool is_there() const { return meeting_ != nullptr; }
  bool all_there() const { return meeting_->joined == ranks_; }
  int64_t ranks() const { return ranks_; }
  Meeting::Turn& turn(size_t index) const { return meeting_->turns[index]; }

 private:
  const std::string name_;
  const int64_t ranks_;
  Meeting* meeting_ = nullptr;
};

struct Communicator {
  Communicator(const Id& id, int64_t ranks, int64_t own) : group(id, ranks), rank(own) {}

  const Group group;
  const int64_t rank;
  size_t turn = 0;
  std::atomic<bool> aborted = false;

  bool may_give() const { return aborted || faults.absent != rank; }

  std::string give(const float* data, int64_t count) {
    if (aborted) return {};
    if (count > Meeting::most_values) return "nccl: a sum is larger than the stand-in's memory";
    Meeting::Turn& now = group.turn(turn);
    now.counts[static_cast<size_t>(rank)] = count;
    std::copy_n(data, count, now.given[rank]);
    ++now.arrived;
    return {};
  }

  bool may_take() const { return aborted || group.turn(turn).arrived == group.ranks(); }

  std::string take(float* data, int64_t count) {
    if (aborted) return {};
    Meeting::Turn& now = group.turn(turn);
    std::fill_n(data, count, 0.0f);
    for (int64_t r = 0; r < group.ranks(); ++r) {
      if (now.counts[static_cast<size_t>(r)] != count) return "nccl: ranks came with different counts";
      for (int64_t i = 0; i < count; ++i) data[i] = r == 0 ? now.given[r][i] : data[i] + now.given[r][i];
    }
    turn ^= 1;
    if (++now.left == group.ranks()) {  // nobody gives to this turn before all have given to the other
      now.left = 0;
      now.arrived = 0;
    }
    ++faults.done;
    return {};
  }
};

/// A communicator stays until the work that holds it is gone.
using Handle = std::shared_ptr<Communicator>;

}  // namespace
}  // namespace graft::stand_in

#define EXPORTED extern "C" __attribute__((visibility("default")))
using namespace graft::stand_in;

EXPORTED int ncclGetVersion(int* version) {
  *version = 22809;
  return success;
}

EXPORTED int ncclGetUniqueId(Id* out) {
  static std::atomic<int64_t> made = 0;
  out->bytes.fill(0);
  std::snprintf(out->bytes.data(), out->bytes.size(), "/graft_stand_in_nccl_%d_%lld", static_cast<int>(getpid()),
                static_cast<long long>(++made));
  return success;
}

EXPORTED int ncclCommInitRankConfig(void** out, int ranks, Id id, int rank, void*) {
  if (ranks > Meeting::most_ranks) return invalid_argument;
  auto made = std::make_shared<Communicator>(id, ranks, rank);
  if (!made->group.is_there()) return system_error;
  ++faults.communicators;
  *out = new Handle(std::move(made));
  return in_progress;
}

EXPORTED int ncclCommGetAsyncError(void* comm, int* state) {
  const Group& group = (*static_cast<Handle*>(comm))->group;
  *state = faults.async_error != 0 ? faults.async_error.load() : group.all_there() ? success : in_progress;
  return success;
}

EXPORTED int ncclCommAbort(void* comm) {
  auto* handle = static_cast<Handle*>(comm);
  ++faults.aborts;
  while (faults.aborts_hang) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  (*handle)->aborted = true;
  delete handle;
  --faults.communicators;
  return success;
}

EXPORTED int ncclAllReduce(const void* send, void* receive, size_t count, int type, int operation, void* comm,
                           void* stream) {
  const Handle handle = *static_cast<Handle*>(comm);
  auto* on = static_cast<Stream*>(stream);
  if (send != receive || type != float32 || operation != sum) return invalid_argument;
  if (!on->memory().holds(receive, static_cast<int64_t>(count * sizeof(float)))) return invalid_argument;
  if (handle->rank == faults.failing) return cuda_error;
  auto* data = static_cast<float*>(receive);
  ++(on->capturing() ? faults.recorded : faults.enqueued);
  const auto values = static_cast<int64_t>(count);
  on->give([=] { return handle->give(data, values); }, [=] { return handle->may_give(); });
  on->give([=] { return handle->take(data, values); }, [=] { return handle->may_take(); });
  return success;
}

EXPORTED const char* ncclGetErrorString(int result) {
  switch (result) {
    case cuda_error:
      return "unhandled cuda error";
    case remote_error:
      return "remote process exited or there was a network error";
    default:
      return "invalid argument";
  }
}

EXPORTED NcclFaults* stand_in_nccl_faults() { return &faults; }

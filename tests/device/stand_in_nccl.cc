// libnccl.so.2 for tests: ranks are threads of this process, their sums are work on streams of the stand-in device and
// end when every rank's stream has come to its own. Sums are in the order of ranks, as those of the host's ranks are.
// Only what Graft calls is there, as NCCL declares it.
//
// soname: libnccl.so.2
#include "tests/device/stand_in_nccl.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/device/stand_in_stream.h"

namespace graft::stand_in {
namespace {

enum Result : int { success = 0, invalid_argument = 4, remote_error = 6, in_progress = 7 };
constexpr int float32 = 7, sum = 0;

struct Id {
  std::array<char, 128> bytes;
};

NcclFaults faults;

/// A rank begins a sum only after all have given theirs to the one before, so that two buffers in turn are enough.
struct Group {
  std::mutex mutex;
  int64_t ranks = 0;
  int64_t joined = 0;
  struct Turn {
    std::vector<std::vector<float>> given;
    int64_t arrived = 0, left = 0;
  };
  std::array<Turn, 2> turns;
};

struct Communicator {
  std::shared_ptr<Group> group;
  int64_t rank = 0;
  size_t turn = 0;
  std::atomic<bool> aborted = false;

  bool may_give() const { return aborted || faults.absent != rank; }

  std::string give(const float* data, size_t count) {
    if (aborted) return {};
    const std::lock_guard lock(group->mutex);
    Group::Turn& now = group->turns[turn];
    now.given[static_cast<size_t>(rank)].assign(data, data + count);
    ++now.arrived;
    return {};
  }

  bool may_take() const {
    if (aborted) return true;
    const std::lock_guard lock(group->mutex);
    return group->turns[turn].arrived == group->ranks;
  }

  std::string take(float* data, size_t count) {
    if (aborted) return {};
    const std::lock_guard lock(group->mutex);
    Group::Turn& now = group->turns[turn];
    std::fill_n(data, count, 0.0f);
    for (size_t r = 0; r < now.given.size(); ++r) {
      if (now.given[r].size() != count) return "nccl: ranks came with different counts";
      for (size_t i = 0; i < count; ++i) data[i] = r == 0 ? now.given[r][i] : data[i] + now.given[r][i];
    }
    turn ^= 1;
    if (++now.left == group->ranks) now.arrived = now.left = 0;
    ++faults.done;
    return {};
  }
};

/// A communicator stays until the work that holds it is gone.
using Handle = std::shared_ptr<Communicator>;

std::shared_ptr<Group> join(const Id& id, int ranks) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Group>> groups;
  const std::lock_guard lock(mutex);
  std::weak_ptr<Group>& known = groups[std::string(id.bytes.data(), id.bytes.size())];
  std::shared_ptr<Group> group = known.lock();
  if (!group) {
    group = std::make_shared<Group>();
    group->ranks = ranks;
    for (Group::Turn& turn : group->turns) turn.given.resize(static_cast<size_t>(ranks));
    known = group;
  }
  const std::lock_guard members(group->mutex);
  ++group->joined;
  return group;
}

}  // namespace
}  // namespace graft::stand_in

#define EXPORTED extern "C" __attribute__((visibility("default")))
using namespace graft::stand_in;

EXPORTED int ncclGetUniqueId(Id* out) {
  static std::atomic<int64_t> made = 0;
  const int64_t number = ++made;
  out->bytes.fill(0);
  std::memcpy(out->bytes.data(), &number, sizeof number);
  return success;
}

EXPORTED int ncclCommInitRankConfig(void** out, int ranks, Id id, int rank, void*) {
  auto made = std::make_shared<Communicator>();
  made->group = join(id, ranks);
  made->rank = rank;
  ++faults.communicators;
  *out = new Handle(std::move(made));
  return in_progress;
}

EXPORTED int ncclCommGetAsyncError(void* comm, int* state) {
  Group& group = *(*static_cast<Handle*>(comm))->group;
  const std::lock_guard lock(group.mutex);
  *state = faults.async_error != 0 ? faults.async_error.load() : group.joined < group.ranks ? in_progress : success;
  return success;
}

EXPORTED int ncclCommAbort(void* comm) {
  auto* handle = static_cast<Handle*>(comm);
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
  auto* data = static_cast<float*>(receive);
  ++(on->capturing() ? faults.recorded : faults.enqueued);
  on->give([=] { return handle->give(data, count); }, [=] { return handle->may_give(); });
  on->give([=] { return handle->take(data, count); }, [=] { return handle->may_take(); });
  return success;
}

EXPORTED const char* ncclGetErrorString(int result) {
  return result == remote_error ? "remote process exited or there was a network error" : "invalid argument";
}

EXPORTED NcclFaults* stand_in_nccl_faults() { return &faults; }

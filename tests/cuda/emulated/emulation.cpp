#include "tests/cuda/emulated/emulation.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "tests/cuda/emulated/cuda_runtime.h"
#include "tests/cuda/emulated/fiber.h"

thread_local uint3 threadIdx, blockIdx;
thread_local dim3 blockDim, gridDim;

namespace emulated {
namespace {

enum class State { ready, at_barrier, at_warp, ended };

struct Copy {
  void* to;
  const void* from;
  unsigned bytes, source_bytes;
};

struct Thread {
  Fiber fiber;
  State state = State::ended;
  Site where;
  unsigned mask = 0;
  void* operand = nullptr;
  void (*combine)(void* const*) = nullptr;
  std::vector<Copy> open;                // not committed
  std::deque<std::vector<Copy>> groups;  // committed, oldest first
};

constexpr size_t canary_bytes = 256;
constexpr unsigned char poison = 0xff;  // NaN in every floating type
constexpr unsigned char canary = 0xa5;

struct Machine {
  Device device;
  std::string failure;
  std::vector<std::unique_ptr<Thread>> threads;
  std::vector<unsigned char> memory;
  unsigned char* shared = nullptr;
  size_t shared_bytes = 0;
  int64_t count = 0;  // threads of the block that runs
  int64_t current = 0;
  bool failed = false;
  std::mt19937 random;
};

thread_local Machine machine;

std::mutex allowed_mutex;
std::map<const void*, size_t> allowed_shared;  // by kernel

std::string words(const Site& where) {
  std::string file = where.file_name();
  return file.substr(file.rfind('/') + 1) + ":" + std::to_string(where.line());
}

void note_failure(const std::string& what) {
  if (machine.failure.empty()) {
    machine.failure = what + " (block " + std::to_string(blockIdx.x) + ", " + std::to_string(blockIdx.y) + ", " +
                      std::to_string(blockIdx.z) + "; thread " + std::to_string(machine.current) + ")";
  }
  machine.failed = true;
}

void leave() { machine.threads[static_cast<size_t>(machine.current)]->fiber.leave(); }

Thread& self() { return *machine.threads[static_cast<size_t>(machine.current)]; }

void resume(int64_t index) {
  machine.current = index;
  const auto flat = static_cast<unsigned>(index);
  threadIdx = {flat % blockDim.x, flat / blockDim.x % blockDim.y, flat / (blockDim.x * blockDim.y)};
  Thread& thread = *machine.threads[static_cast<size_t>(index)];
  if (thread.fiber.enter()) thread.state = State::ended;
}

void put_in_order(std::vector<int64_t>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  if (machine.device.order == Order::reverse) std::reverse(numbers.begin(), numbers.end());
  if (machine.device.order == Order::shuffled) std::shuffle(numbers.begin(), numbers.end(), machine.random);
}

/// Runs every warp until its lanes have ended or stand at a barrier.
void run_warps() {
  std::vector<int64_t> warps((machine.count + 31) / 32), lanes;
  for (size_t i = 0; i < warps.size(); ++i) warps[i] = static_cast<int64_t>(i);
  put_in_order(warps);
  for (const int64_t warp : warps) {
    lanes.clear();
    for (int64_t i = warp * 32; i < std::min(machine.count, warp * 32 + 32); ++i) lanes.push_back(i);
    for (bool moved = true; moved;) {
      moved = false;
      put_in_order(lanes);
      for (const int64_t lane : lanes) {
        if (machine.threads[static_cast<size_t>(lane)]->state != State::ready) continue;
        resume(lane);
        if (machine.failed) return;
        moved = true;
      }
    }
  }
}

/// Lets the threads at the barrier go on. False when the block has ended or cannot go on.
bool open_barrier() {
  const Thread* first = nullptr;
  for (int64_t i = 0; i < machine.count; ++i) {
    const Thread& thread = *machine.threads[static_cast<size_t>(i)];
    machine.current = i;
    if (thread.state == State::at_warp) {
      note_failure("the warp operation at " + words(thread.where) + " waits for lanes that never come");
      return false;
    }
    if (thread.state != State::at_barrier) continue;
    if (first != nullptr && first->where.line() != thread.where.line()) {
      note_failure("barriers out of step: " + words(first->where) + " and " + words(thread.where));
      return false;
    }
    if (first == nullptr) first = &thread;
  }
  for (int64_t i = 0; i < machine.count; ++i) {
    Thread& thread = *machine.threads[static_cast<size_t>(i)];
    if (thread.state == State::at_barrier) thread.state = State::ready;
  }
  return first != nullptr;
}

bool run_block(void (*body)(void*), void* context) {
  std::memset(machine.shared, poison, machine.shared_bytes);
  std::memset(machine.shared + machine.shared_bytes, canary, canary_bytes);
  for (int64_t i = 0; i < machine.count; ++i) {
    Thread& thread = *machine.threads[static_cast<size_t>(i)];
    thread.fiber.prepare(body, context);
    thread.state = State::ready;
    thread.open.clear();
    thread.groups.clear();
  }
  do {
    run_warps();
  } while (!machine.failed && open_barrier());
  for (size_t i = 0; i < canary_bytes && !machine.failed; ++i) {
    if (machine.shared[machine.shared_bytes + i] != canary) note_failure("a write beyond dynamic shared memory");
  }
  return !machine.failed;
}

}  // namespace

Device& device() { return machine.device; }

std::string take_failure() { return std::exchange(machine.failure, {}); }

bool allow_shared(const void* kernel, size_t bytes) {
  if (bytes > machine.device.shared_bytes_per_block) return false;
  const std::lock_guard lock(allowed_mutex);
  allowed_shared[kernel] = bytes;
  return true;
}

bool may_have_shared(const void* kernel, size_t bytes) {
  size_t allowed = 48 * 1024;
  {
    const std::lock_guard lock(allowed_mutex);
    if (const auto found = allowed_shared.find(kernel); found != allowed_shared.end()) allowed = found->second;
  }
  if (bytes <= allowed) return true;
  note_failure("a launch with " + std::to_string(bytes) + " bytes of shared memory, of which " +
               std::to_string(allowed) + " are allowed");
  return false;
}

bool run_grid(Index grid, Index block, size_t shared_bytes, void (*body)(void*), void* context) {
  machine.failed = false;
  machine.count = static_cast<int64_t>(block.x) * block.y * block.z;
  blockIdx = {0, 0, 0};
  const bool sizes = machine.count >= 1 && machine.count <= 1024 && grid.x >= 1 && grid.y >= 1 && grid.z >= 1 &&
                     grid.x <= 0x7fffffffu && grid.y <= 65535 && grid.z <= 65535 && block.z <= 64;
  if (!sizes || shared_bytes > machine.device.shared_bytes_per_block) {
    note_failure("a launch of " + std::to_string(grid.x) + " x " + std::to_string(grid.y) + " x " +
                 std::to_string(grid.z) + " blocks of " + std::to_string(machine.count) + " threads with " +
                 std::to_string(shared_bytes) + " bytes of shared memory");
    return false;
  }
  while (static_cast<int64_t>(machine.threads.size()) < machine.count) {
    machine.threads.push_back(std::make_unique<Thread>());
  }
  machine.memory.resize(machine.device.shared_bytes_per_block + canary_bytes + 128);
  const auto address = reinterpret_cast<uintptr_t>(machine.memory.data());
  machine.shared = machine.memory.data() + (128 - address % 128) % 128;
  machine.shared_bytes = shared_bytes;
  gridDim = {grid.x, grid.y, grid.z};
  blockDim = {block.x, block.y, block.z};
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        blockIdx = {x, y, z};
        if (!run_block(body, context)) return false;
      }
    }
  }
  return true;
}

void fail(const char* what, const Site& where) {
  note_failure(std::string(what) + " at " + words(where));
  for (;;) leave();
}

void check_aligned(const void* address, size_t bytes, const Site& where) {
  if (reinterpret_cast<uintptr_t>(address) % bytes != 0) fail("an access that is not aligned to its size", where);
}

void* shared_memory() { return machine.shared; }
size_t shared_memory_bytes() { return machine.shared_bytes; }
unsigned lane() { return static_cast<unsigned>(machine.current % 32); }

void meet_block(const Site& where) {
  self().where = where;
  self().state = State::at_barrier;
  leave();
}

void meet_warp(unsigned mask, void* operand, void (*combine)(void* const*), const Site& where) {
  Thread& mine = self();
  if ((mask >> lane() & 1u) == 0) fail("a warp operation by a lane outside its own mask", where);
  mine.where = where;
  mine.mask = mask;
  mine.operand = operand;
  mine.combine = combine;
  mine.state = State::at_warp;
  void* operands[32] = {};
  const int64_t first = machine.current / 32 * 32;
  for (int64_t i = 0; i < 32; ++i) {
    if ((mask >> i & 1u) == 0) continue;
    if (first + i >= machine.count) fail("a warp operation that names lanes beyond the block", where);
    const Thread& other = *machine.threads[static_cast<size_t>(first + i)];
    if (other.state == State::ended) fail("a warp operation that names a lane which has ended", where);
    if (other.state != State::at_warp || other.mask != mask) return leave();  // it may still come
    if (other.combine != combine || other.where.line() != where.line()) {
      fail("two warp operations meet", where);
    }
    operands[i] = other.operand;
  }
  combine(operands);
  for (int64_t i = 0; i < 32; ++i) {
    if ((mask >> i & 1u) != 0) machine.threads[static_cast<size_t>(first + i)]->state = State::ready;
  }
}

void copy_async(void* to, const void* from, unsigned bytes, unsigned source_bytes, const Site& where) {
  const auto* begin = static_cast<const unsigned char*>(to);
  if (begin < machine.shared || begin + bytes > machine.shared + machine.shared_bytes) {
    fail("an asynchronous copy to outside of shared memory", where);
  }
  check_aligned(to, bytes, where);
  check_aligned(from, bytes, where);
  if (source_bytes > bytes) fail("an asynchronous copy of more than its size", where);
  std::memset(to, poison, bytes);  // what lay there may be gone from now on; what comes is there after the wait
  self().open.push_back({to, from, bytes, source_bytes});
}

void copy_async_commit() {
  self().groups.push_back(std::move(self().open));
  self().open.clear();
}

void copy_async_wait(unsigned most_open) {
  auto& groups = self().groups;
  while (groups.size() > most_open) {
    for (const Copy& copy : groups.front()) {
      if (copy.source_bytes > 0) std::memcpy(copy.to, copy.from, copy.source_bytes);
      std::memset(static_cast<unsigned char*>(copy.to) + copy.source_bytes, 0, copy.bytes - copy.source_bytes);
    }
    groups.pop_front();
  }
}

}  // namespace emulated

#include "core/parallel/nccl.h"

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/base/status.h"

namespace graft {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int success = 0;
constexpr int in_progress = 7;
constexpr int float32 = 7;
constexpr int sum = 0;
constexpr unsigned int config_magic = 0xcafebeef;
constexpr unsigned int config_version = 21400;
constexpr int64_t max_timeout_ms = int64_t{24} * 3600 * 1000;
constexpr std::chrono::microseconds pace{20};

void* open_library() {
  void* library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    fail(StatusCode::unsupported, "NCCL cannot be loaded: {}", why == nullptr ? "no reason given" : why);
  }
  return library;
}

// 22809 is 2.28.9; up to 2.8 there was a digit less for the second number.
std::string version_of(void* library) {
  const auto get = reinterpret_cast<int (*)(int*)>(dlsym(library, "ncclGetVersion"));
  int number = 0;
  if (get == nullptr || get(&number) != success) return "unknown";
  const int major = number < 10000 ? 1000 : 10000;
  return fmt::format("{}.{}.{}", number / major, number % major / 100, number % 100);
}

template <class Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) {
    fail(StatusCode::unsupported, "libnccl.so.2: found version {} without {}, expected NCCL 2.14 or later",
         version_of(library), name);
  }
}

}  // namespace

NcclTable load_nccl() {
  void* library = open_library();
  NcclTable table{};
  find(library, "ncclGetUniqueId", table.get_unique_id);
  find(library, "ncclCommInitRankConfig", table.comm_init_rank_config);
  find(library, "ncclCommGetAsyncError", table.comm_get_async_error);
  find(library, "ncclCommAbort", table.comm_abort);
  find(library, "ncclAllReduce", table.all_reduce);
  find(library, "ncclGetErrorString", table.get_error_string);
  return table;
}

std::string nccl_version() {
  load_nccl();
  return version_of(open_library());
}

NcclCommunicator::NcclCommunicator(const NcclTable& nccl, Communicator& host, int64_t timeout_ms,
                                   std::function<void()> choose_device)
    : nccl_(nccl),
      host_(host),
      rank_(host.rank()),
      size_(host.size()),
      timeout_ms_(std::clamp<int64_t>(timeout_ms, 1, max_timeout_ms)),
      choose_device_(std::move(choose_device)) {
  try {
    join();
  } catch (...) {  // an end that was not made has no destructor
    host_.abort();
    wait_until_gone();
    throw;
  }
}

void NcclCommunicator::join() {
  struct {
    NcclId id;
    int result = success;  // travels too: the others need not wait for a rank 0 that has no id
  } start;
  if (rank_ == 0) {
    start.result = nccl_.get_unique_id(&start.id);
  }
  host_.broadcast(&start, sizeof start);
  check("get_unique_id of rank 0", start.result);
  NcclConfig config{sizeof(NcclConfig), config_magic, config_version, 0};
  const int result =
      nccl_.comm_init_rank_config(&comm_, static_cast<int>(size_), start.id, static_cast<int>(rank_), &config);
  check("init", result);
  if (comm_ == nullptr) {
    give_up("init", "no communicator came back");
  }
  settle("init", {});
}

NcclCommunicator::~NcclCommunicator() {
  abort();
  wait_until_gone();
}

void NcclCommunicator::wait_until_gone() noexcept {
  if (left_ != nullptr) {
    nccl_.comm_abort(left_);
  }
  if (gone_.valid()) {
    gone_.wait_for(std::chrono::milliseconds(timeout_ms_));  // then it is left to itself
  }
}

void NcclCommunicator::all_reduce(float* data, int64_t count, void* stream) {
  if (count < 0) {
    fail(StatusCode::invalid_argument, "all_reduce: rank {} found size {}, expected 0 or more", rank_, count);
  }
  int result = success;
  {
    const std::lock_guard lock(mutex_);
    if (comm_ != nullptr) {  // else settle says so
      result = nccl_.all_reduce(data, data, static_cast<size_t>(count), float32, sum, comm_, stream);
    }
  }
  check("all_reduce", result);
  settle("all_reduce", {});
}

void NcclCommunicator::wait(const std::function<bool()>& done) { settle("wait", done); }

/// Whether NCCL has nothing in progress and, where given, `done`.
bool NcclCommunicator::settled(const char* what, const std::function<bool()>& done) {
  int state = success;
  int result = success;
  {
    const std::lock_guard lock(mutex_);
    if (comm_ == nullptr) {
      fail(StatusCode::comm_error, "nccl group: rank {} of {} in {}: the group is broken or aborted", rank_, size_,
           what);
    }
    result = nccl_.comm_get_async_error(comm_, &state);
  }
  check(what, result);
  check(what, state);
  try {
    const bool is_settled = state == success && (!done || done());
    if (!is_settled) {
      host_.check();
    }
    return is_settled;
  } catch (...) {
    abort();
    throw;
  }
}

void NcclCommunicator::settle(const char* what, const std::function<bool()>& done) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms_);
  while (!settled(what, done)) {
    if (Clock::now() >= deadline) {
      give_up(what, fmt::format("not done after {} ms", timeout_ms_));
    }
    std::this_thread::sleep_for(pace);
  }
}

void NcclCommunicator::check(const char* what, int result) {
  if (result != success && result != in_progress) {
    const char* words = nccl_.get_error_string(result);
    give_up(what, words == nullptr ? fmt::format("NCCL error {}", result) : words);
  }
}

void NcclCommunicator::give_up(const char* what, const std::string& why) {
  abort();
  fail(StatusCode::comm_error, "nccl group: rank {} of {} in {}: {}", rank_, size_, what, why);
}

void NcclCommunicator::abort() noexcept {
  const std::lock_guard lock(mutex_);
  if (comm_ == nullptr) {
    return;
  }
  // Nothing of this object: it may be gone by then.
  const NcclComm comm = comm_;
  comm_ = nullptr;
  try {
    const auto give_back = [abort = nccl_.comm_abort, comm, choose_device = choose_device_] {
      if (choose_device) choose_device();
      abort(comm);
    };
    std::packaged_task<void()> task(give_back);
    gone_ = task.get_future();
    std::thread(std::move(task)).detach();
  } catch (...) {  // no thread to be had: it would wait for graphs that hold its kernels, and those are gone by the end
    left_ = comm;
  }
}

}  // namespace graft

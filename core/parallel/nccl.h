// Ranks that own one GPU each. No header of NCCL or CUDA is needed: the few functions are declared here and found in
// libnccl.so.2 when a group is made.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <future>
#include <mutex>
#include <string>

#include "core/parallel/communicator.h"

namespace graft {

/// ncclUniqueId, ncclComm_t and the front of ncclConfig_t as of 2.14; NCCL fills in what later releases added.
struct NcclId {
  std::array<char, 128> bytes{};
};
using NcclComm = void*;
struct NcclConfig {
  size_t size;
  unsigned int magic;
  unsigned int version;
  int blocking;
};

/// NCCL's functions, named as there. Results are ncclResult_t: 0 done, 7 in progress.
struct NcclTable {
  int (*get_unique_id)(NcclId* id);
  int (*comm_init_rank_config)(NcclComm* comm, int ranks, NcclId id, int rank, NcclConfig* config);
  int (*comm_get_async_error)(NcclComm comm, int* state);
  int (*comm_abort)(NcclComm comm);
  int (*all_reduce)(const void* send, void* receive, size_t count, int type, int operation, NcclComm comm,
                    void* stream);
  const char* (*get_error_string)(int result);
};

/// The table of libnccl.so.2; it stays loaded. Errors: UNSUPPORTED naming the library or the function that is missing.
NcclTable load_nccl();

/// "2.28.9", of a library whose table can be had. Throws as load_nccl.
std::string nccl_version();

/// One rank's end of a group of GPUs. Threads: as Communicator. Every error of NCCL is COMM_ERROR with NCCL's words;
/// the communicator is then aborted, once, and all later calls fail. Graphs that captured a collective are destroyed
/// before this, and may be destroyed after an abort; the stream and the memory of collectives outlive it.
class NcclCommunicator {
 public:
  /// The group's id goes from rank 0 to all over `host`, which outlives this: whoever waits here looks whether that
  /// group broke, which says sooner that a rank is gone; where this fails it breaks that group. The caller has chosen
  /// the device; `choose_device` does so on the thread that aborts, for which NCCL would otherwise prepare device 0. It
  /// may be called after this is gone.
  NcclCommunicator(const NcclTable& nccl, Communicator& host, int64_t timeout_ms,
                   std::function<void()> choose_device = {});
  ~NcclCommunicator();
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  /// Enqueues data[i] = sum over ranks, in place, on `stream` (cudaStream_t); `data` is device memory of `count`
  /// floats.
  void all_reduce(float* data, int64_t count, void* stream);
  /// Waits until `done` (such as cudaStreamQuery == cudaSuccess), an error of a peer, the time-out or an abort. Where
  /// `done` throws, the group is aborted too.
  void wait(const std::function<bool()>& done);
  /// Frees this rank's waits and, soon, the device from collectives under way. Does not wait for that, since NCCL first
  /// waits for the graphs that hold its kernels; the destructor does, at most for the time-out, and so does a
  /// constructor that fails. Any thread.
  void abort() noexcept;

 private:
  void join();
  void wait_until_gone() noexcept;
  void check(const char* what, int result);
  bool settled(const char* what, const std::function<bool()>& done);
  void settle(const char* what, const std::function<bool()>& done);
  [[noreturn]] void give_up(const char* what, const std::string& why);

  const NcclTable nccl_;
  Communicator& host_;
  const int64_t rank_;
  const int64_t size_;
  const int64_t timeout_ms_;
  const std::function<void()> choose_device_;
  std::mutex mutex_;         // NCCL's calls, none of which blocks, against abort, which frees comm_
  NcclComm comm_ = nullptr;  // null once aborted
  std::future<void> gone_;   // of the abort
  NcclComm left_ = nullptr;  // to be aborted by the destructor, where no thread could be had
};

}  // namespace graft

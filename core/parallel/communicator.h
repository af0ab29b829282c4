// How the ranks of one tensor-parallel group talk. One file per transport.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace graft {

/// One rank's end of a tensor-parallel group. Collectives are called by the rank's engine thread alone, in the same
/// order and with the same sizes on every rank; `abort` may be called from any thread. Destroying one rank's end frees
/// the others as `abort` does. Errors of a collective: Error(COMM_ERROR) that names the rank at fault, after which
/// every later collective of the group fails too; the way back is a new group.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int64_t rank() const = 0;
  virtual int64_t size() const = 0;
  /// data[i] = sum over ranks of data[i], for i < count; bit-identical on every rank (fixed order of ranks). Throws
  /// COMM_ERROR after the time-out, a peer's failure or an abort.
  virtual void all_reduce(float* data, int64_t count) = 0;
  /// Every rank gives `counts[rank()]` floats of `mine`; `all` becomes the concatenation in the order of ranks (sum of
  /// counts floats). `counts` has size() entries, the same on all ranks; 0 is allowed.
  virtual void all_gather(const float* mine, const int64_t* counts, float* all) = 0;
  /// `bytes` bytes of rank 0 to everyone.
  virtual void broadcast(void* data, int64_t bytes) = 0;
  /// Throws COMM_ERROR where the group is known to be broken; asks nobody and does not wait.
  virtual void check() = 0;
  /// Frees every rank that waits in a collective; all later collectives fail. Any thread.
  virtual void abort() noexcept = 0;
};

/// The group of one: nothing to exchange.
std::unique_ptr<Communicator> make_single_communicator();

/// The ends of a group whose ranks are threads of this process; the result's index is the rank. `timeout_ms` bounds
/// each collective. More ranks than cores is fine: a waiting rank sleeps. Errors: INVALID_ARGUMENT.
std::vector<std::unique_ptr<Communicator>> make_thread_communicators(int64_t ranks, int64_t timeout_ms);

}  // namespace graft

// How the ranks of one tensor-parallel group talk. One file per transport.
#pragma once

#include <cstdint>
#include <memory>

namespace graft {

/// One rank's end of a tensor-parallel group. Collectives are called by the rank's engine thread alone, in the same
/// order on every rank; `abort` may be called from any thread.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int64_t rank() const = 0;
  virtual int64_t size() const = 0;
  /// data[i] = sum over ranks of data[i], for i < count; the same bits on every rank. Throws COMM_ERROR after the
  /// time-out, an abort or the failure of a peer, as all collectives do.
  virtual void all_reduce(float* data, int64_t count) = 0;
  /// Rank r gives counts[r] floats, the same counts on every rank; `all` gets them one after another.
  virtual void all_gather(const float* mine, const int64_t* counts, float* all) = 0;
  /// The bytes of rank 0 to every rank.
  virtual void broadcast(void* data, int64_t bytes) = 0;
  /// Frees every rank that waits in a collective; all later collectives fail.
  virtual void abort() noexcept = 0;
};

/// The group of one: nothing to exchange.
std::unique_ptr<Communicator> make_single_communicator();

}  // namespace graft

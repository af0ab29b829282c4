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
  /// data[i] = sum over ranks of data[i], for i < count. Throws COMM_ERROR after the time-out or an abort.
  virtual void all_reduce(float* data, int64_t count) = 0;
  /// Frees every rank that waits in a collective; all later collectives fail.
  virtual void abort() = 0;
};

/// The group of one: nothing to exchange.
std::unique_ptr<Communicator> make_single_communicator();

}  // namespace graft

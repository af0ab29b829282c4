// The memory through which ranks give each other values (kernels/spec/sum_residual_norm.h): an area on the device of
// each. One file per way to come by the others'.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/base/memory_space.h"
#include "core/parallel/communicator.h"
#include "kernels/spec/device_plugin.h"

namespace graft {

/// The device that the calling thread has chosen. Everything outlives what is made there, the plug-in the process.
struct PeerPlace {
  const kernels::DevicePlugin& plugin;
  int32_t device;
  MemorySpace& space;
  const kernels::Context& context;  ///< of the stream on which everything is done
};

/// One rank's view. Used by the engine's thread, but for the word to give up by.
class PeerAreas {
 public:
  virtual ~PeerAreas() = default;

  /// Of a rank, at the address that this rank's device has for it.
  virtual void* area(int64_t rank) const = 0;

  /// A word of pinned memory that this rank's device reads: once it is not 0, it waits no longer.
  virtual uint32_t* word() const = 0;
  void give_up() const noexcept { std::atomic_ref<uint32_t>(*word()).store(1, std::memory_order_relaxed); }
  bool is_given_up() const { return std::atomic_ref<uint32_t>(*word()).load(std::memory_order_relaxed) != 0; }

  /// Whether devices may write there from now on. Said before the first of them can, and after all ranks are done.
  virtual void use(bool) noexcept {}
  /// Where every rank has said that its device is done: lets the others' memory go. Nothing runs after it. Every rank
  /// calls it. Throws COMM_ERROR.
  virtual void part() {}
};

/// The ranks are threads of this process, and their devices reach each other already. `bytes` of each. The memory lives
/// until the last rank has gone: a device may still write to the area of one that has failed, and memory that is not
/// there would lose the device. Every rank calls it. Throws COMM_ERROR, OUT_OF_MEMORY, DEVICE_ERROR.
std::unique_ptr<PeerAreas> make_thread_areas(const PeerPlace& place, Communicator& host, int64_t bytes);

/// The ranks are processes of one machine. Null, on every rank, where one cannot share its memory or reach another's;
/// the reason goes to that rank's log. A rank that goes without part() while areas are in use leaves its own to the end
/// of its process, for the same reason as above. Every rank calls it. Throws COMM_ERROR, OUT_OF_MEMORY, DEVICE_ERROR.
std::unique_ptr<PeerAreas> make_process_areas(const PeerPlace& place, Communicator& host, int64_t bytes);

/// What both do to begin with: an area, as it comes, and a word that is 0. Throw OUT_OF_MEMORY, DEVICE_ERROR.
void* allocate_area(const kernels::DevicePlugin& plugin, int32_t device, int64_t bytes);
uint32_t* allocate_word(const kernels::DevicePlugin& plugin);

}  // namespace graft

// A fused step: kernel calls with their arguments, recorded once and walked for every step.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/memory_space.h"
#include "core/base/op_timer.h"
#include "core/containers/arena.h"
#include "kernels/spec/variant.h"

namespace graft {

/// Chooses the kernel of an op for arguments; given by the device the step runs on.
using KernelSelector = std::function<const kernels::Variant*(kernels::Op op, const void* args)>;

/// Kernel calls in order. Recording allocates; running does not and calls no ATen operator.
/// Used by the engine's thread.
class OpList {
 public:
  /// `space` is that of the arena's memory.
  OpList(KernelSelector select, int32_t workers, Arena& arena, MemorySpace& space = host_memory())
      : select_(std::move(select)), workers_(workers), arena_(&arena), space_(&space) {}

  /// Whether there is a kernel for an op that is worth its while only where it has one of its own.
  template <class Args>
  bool has_more_than_reference(kernels::Op op, const Args& args) const {
    const kernels::Variant* variant = select_(op, &args);
    return variant != nullptr && variant->isa != kernels::Isa::reference;
  }

  /// Appends an op. Scratch is taken from the arena's shared scratch piece (see reserve_scratch).
  template <class Args>
  void add(kernels::Op op, Args args) {
    static_assert(std::is_trivially_copyable_v<Args>);
    const kernels::Variant* variant = choose(op, &args);
    if constexpr (requires { args.scratch; }) {
      args.scratch = scratch(variant->scratch_bytes ? variant->scratch_bytes(&args, workers_) : 0);
    }
    store(variant, &args, static_cast<int64_t>(sizeof(Args)), /*kernel=*/true);
  }

  /// Appends a call that is no kernel's: `variant` outlives the list.
  template <class Args>
  void add_call(const kernels::Variant& variant, const Args& args) {
    static_assert(std::is_trivially_copyable_v<Args>);
    store(&variant, &args, static_cast<int64_t>(sizeof(Args)), /*kernel=*/false);
  }

  /// Runs every op in order. Throws only what collectives throw.
  void run(const kernels::Context& context) const;
  /// The same, each op a lap of `timer`; on a device it ends when the device has done it.
  void run(const kernels::Context& context, OpTimer& timer) const;
  /// The ops without the calls.
  void run_kernels(const kernels::Context& context) const;

  int64_t size() const { return static_cast<int64_t>(calls_.size()); }
  const kernels::Variant& variant(int64_t index) const { return *calls_[static_cast<size_t>(index)].variant; }

  /// Bytes of scratch that the recorded ops share (they run one after another).
  int64_t scratch_bytes() const { return scratch_bytes_; }
  /// Gives the shared scratch before recording for real; a counting pass told its size.
  void set_scratch(void* data) { scratch_ = data; }

  /// Staging memory that calls share in the same way, for what the host does with a device's data.
  void* staging(int64_t bytes);
  int64_t staging_bytes() const { return staging_bytes_; }
  void set_staging(void* data) { staging_ = data; }

  Arena& arena() { return *arena_; }
  MemorySpace& space() const { return *space_; }

 private:
  struct Call {
    const kernels::Variant* variant;
    std::unique_ptr<std::byte[]> args;
    bool kernel;
  };

  const kernels::Variant* choose(kernels::Op op, const void* args) const;
  void* scratch(int64_t bytes);
  void store(const kernels::Variant* variant, const void* args, int64_t bytes, bool kernel);

  KernelSelector select_;
  int32_t workers_;
  Arena* arena_;
  MemorySpace* space_;
  void* scratch_ = nullptr;
  int64_t scratch_bytes_ = 0;
  void* staging_ = nullptr;
  int64_t staging_bytes_ = 0;
  std::vector<Call> calls_;
};

}  // namespace graft

// Captured steps of a fused model, and their replay.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "core/containers/fused_model.h"
#include "core/containers/op_list.h"
#include "core/engine/device.h"
#include "core/step/step_buffer.h"
#include "core/step/step_mirror.h"

namespace graft {

/// Everything that is fixed in a captured step: its stage and the most rows it can have. Lengths, positions, block
/// tables and counts are read from the step buffer when it runs; types and shapes are the model's own.
struct CaptureKey {
  Stage stage = Stage::decode;
  FusedModel::Capacity capacity;

  friend bool operator==(const CaptureKey&, const CaptureKey&) = default;
};

/// A captured step is kept for the smallest capacity of a ladder (on a device 1, then 8, 64, ... the most a step can
/// have) that holds the step; the first step of a capacity captures it, later ones replay: no allocation, no ATen call.
/// The least recently used is dropped where more than `most_captured` are kept. Without replay every step is recorded
/// anew. All work over one region of the device's memory. On a device the step's arrays are copied to it, the recorded
/// calls become one graph where it captures, and the wanted rows come back to the host; there the constructor allocates
/// and captures all that fits. Outputs are valid until the next run. One thread.
class GraphReplay {
 public:
  static constexpr int64_t most_captured = 8;

  /// All references outlive it. Throws OUT_OF_MEMORY, DEVICE_ERROR.
  GraphReplay(const FusedModel& model, const StepBuffer& step, const CachePool& pool,
              const std::vector<LayerCache>& caches, Device& device, bool replay, int64_t most = most_captured);
  GraphReplay(const GraphReplay&) = delete;
  GraphReplay& operator=(const GraphReplay&) = delete;

  /// Runs the step that is in the buffer; its ops, and a capture if there was one, are laps of `timer` where there is
  /// one. Throws what collectives throw and DEVICE_ERROR; the next run starts from scratch all the same. What it gives
  /// is in host memory.
  FusedModel::Outputs run(OpTimer* timer = nullptr);

  /// Bytes of the region.
  int64_t memory_bytes() const { return memory_.bytes(); }
  /// Steps kept, and how often one was captured since the beginning.
  int64_t captured() const { return static_cast<int64_t>(captured_.size()); }
  int64_t captures() const { return captures_; }

  struct Captured {
    CaptureKey key;
    std::unique_ptr<Arena> arena;
    StepMirror* mirror = nullptr;  ///< on a device
    std::unique_ptr<OpList> ops;
    FusedModel::Outputs outputs;         ///< in the device's memory
    std::unique_ptr<DeviceGraph> graph;  ///< of the ops, where device and ops let it and replay is on
  };
  /// Lets the captured steps go. The next run captures anew.
  void forget() { captured_.clear(); }

  /// The captured step that the buffer's contents run in, captured if need be.
  const Captured& find();

 private:
  OpList make_ops(Arena& arena) const;
  CaptureKey key_of_step() const;
  void prepare_device(int64_t staging_bytes);
  Captured capture(const CaptureKey& key);
  const Captured& keep(Captured made);
  void launch(const Captured& step, OpTimer* timer);
  FusedModel::Outputs fetch(const FusedModel::Outputs& outputs);

  const FusedModel& model_;
  const StepBuffer& step_;
  const CachePool& pool_;
  const std::vector<LayerCache>& caches_;
  Device& device_;
  bool replay_;
  size_t most_;
  std::vector<CaptureKey> ladder_;
  std::vector<int64_t> scratch_bytes_;  ///< of each capacity of the ladder
  SpaceMemory memory_;
  std::vector<std::unique_ptr<StepMirror>> mirrors_;  ///< of each capacity of the ladder; on a device
  SpaceMemory staging_;                               ///< of calls that go through the host
  SpaceMemory fetched_;                               ///< outputs on the host, logits first; on a device
  std::list<Captured> captured_;                      ///< the most recently used first
  int64_t captures_ = 0;
};

}  // namespace graft

// Captured steps of a fused model, and their replay.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "core/containers/fused_model.h"
#include "core/containers/op_list.h"
#include "core/engine/device.h"
#include "core/engine/steps_ahead.h"
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

/// A captured step is kept for the smallest capacity of a ladder (on a device 1, 8, 16, 32, 64, ... the most a step
/// can have) that holds the step; the first step of a capacity captures it, later ones replay: no allocation, no ATen
/// call. On the host the least recently used is dropped where more than `most_captured` are kept. Without replay every
/// step is recorded anew. All work over one region of the device's memory. On a device the step's arrays are copied to
/// it, the recorded calls become one graph where it captures, and the wanted rows come back to the host; there the
/// constructor allocates and captures everything, and loads the kernels of steps that are not captured.
///
/// Where the step has choices the device also chooses the tokens, and runs ahead of the host (StepsAhead). One thread.
class GraphReplay {
 public:
  static constexpr int64_t most_captured = 8;

  /// All references outlive it. `pace`: how far a device runs ahead. Throws OUT_OF_MEMORY, DEVICE_ERROR.
  GraphReplay(const FusedModel& model, const StepBuffer& step, const CachePool& pool,
              const std::vector<LayerCache>& caches, Device& device, bool replay, RunAhead pace,
              int64_t most = most_captured);
  GraphReplay(const GraphReplay&) = delete;
  GraphReplay& operator=(const GraphReplay&) = delete;

  /// In host memory, valid until the next start.
  struct Outputs {
    const float* logits = nullptr;    ///< [logit_rows, output_width]; null without a head, and where all have choices
    const float* hidden = nullptr;    ///< [hidden_rows, hidden_width]
    const int32_t* tokens = nullptr;  ///< [logit_rows] as kernels/spec/choose_token.h, where the step has choices
  };

  /// Runs the step that is in the buffer: starts it, and finishes it. Its ops, and a capture if there was one, are laps
  /// of `timer` where there is one. Throws what collectives throw and DEVICE_ERROR; the next run starts from scratch
  /// all the same.
  Outputs run(OpTimer* timer = nullptr);
  void start(OpTimer* timer = nullptr);
  Outputs finish();

  /// Whether steps can be started after the one in the buffer. How many are to be, asked before start(); and starts one
  /// more, between start() and finish().
  bool runs_ahead() const { return ahead_ != nullptr && replay_; }
  int64_t next_due();
  void start_next();
  /// Whether the buffer holds a step that was so started, and whether that is also done.
  bool is_started() { return ahead_ && ahead_->is_started(); }
  bool is_done() { return ahead_ && ahead_->is_done(); }

  /// For those who are told what to do and need no outputs: takes the first step that is not done for the one to be
  /// finished, and waits for it and what is waited for with it, or for everything.
  void take_first() { ahead_->take_first(); }
  void wait();
  void settle() { device_.synchronize(); }

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
    const int32_t* tokens = nullptr;     ///< likewise, where the step has choices
    std::unique_ptr<DeviceGraph> graph;  ///< of the ops, where device and ops let it and replay is on
  };
  /// Lets the captured steps go. The next run captures anew.
  void forget();

  /// The captured step that the buffer's contents run in, captured if need be.
  const Captured& find();

 private:
  OpList make_ops(Arena& arena) const;
  bool chooses() const { return step_.view().choices != nullptr; }
  const int32_t* record_tokens(OpList& ops, const StepView& view, const CaptureKey& key, const float* logits) const;
  CaptureKey key_of_step() const;
  void prepare_device(int64_t staging_bytes);
  Captured capture(const CaptureKey& key);
  const Captured& keep(Captured made);
  void load_kernels(const Captured& step);
  void launch(const Captured& step, OpTimer* timer);
  void fetch(const FusedModel::Outputs& outputs);

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
  Outputs outputs_;                                   ///< of the step to be finished
  std::list<Captured> captured_;                      ///< the most recently used first
  int64_t captures_ = 0;
  std::unique_ptr<StepsAhead> ahead_;  ///< where the step has choices
  const Captured* begun_ = nullptr;    ///< the last that was, which those after it replay
};

}  // namespace graft

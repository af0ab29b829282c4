// A loaded model that runs steps: client or fused, with its cache and its threads.
#pragma once

#include <functional>
#include <memory>

#include "core/engine/device.h"
#include "core/engine/graph_replay.h"
#include "core/engine/model_plan.h"
#include "core/engine/profiler.h"
#include "core/engine/step_exchange.h"
#include "core/model/load.h"

namespace graft {

/// What a step gave, float32, valid until the next run.
struct StepOutput {
  const float* logits = nullptr;  ///< [R, config.output_width]; null without a head
  const float* hidden = nullptr;  ///< [H, hidden_width]: the last hidden state, after the final norm where there is one
  /// [R] what the device chose for rows that have a choice, -1 where it could not; null where the step has none. Then
  /// logits are null if every row has one.
  const int32_t* tokens = nullptr;
};

/// Made, used and destroyed by one thread, the engine's.
class ModelRunner {
 public:
  /// Loads the rank's share of the weights of a plan and injects. Throws what loading throws; `progress` may throw to
  /// give up. Collectives are called on the thread that runs steps.
  ModelRunner(ModelPlan plan, const EngineOptions& options, std::unique_ptr<Communicator> ranks,
              const LoadProgress& progress);
  ~ModelRunner();

  const ModelPlan& plan() const { return plan_; }
  CachePool& cache() { return *cache_; }
  /// The step to fill before run().
  StepBuffer& step() { return *step_; }

  /// Whether the steps of this engine have choices (StepBuffer::choose).
  bool has_choices() const { return step_->traits().has_choices; }

  /// Runs the step in the buffer; rank 0 tells it to the others first. With `ahead` the device goes on with the steps
  /// after it, where that can be, while the host has this one's outputs. Throws COMM_ERROR when a rank fails.
  StepOutput run(bool ahead = false);
  /// Whether the device has gone on with the step that is in the buffer, or with more sequences than that has.
  bool is_started() { return replay_ && replay_->is_started(); }

  /// Where run() leaves what it measures while the profiler is on; null (as at first) for nowhere. It outlives this.
  void profile_with(Profiler* profiler) { profiler_ = profiler; }

  /// Rank 0 of several: tells the others that it lives, or that nothing more follows. Nothing with one rank.
  void keep_alive();
  void dismiss();
  /// The other ranks: runs what rank 0 says until it says stop, or `give_up` between two orders.
  void follow(const std::function<bool()>& give_up = nullptr);

  /// Bytes of working memory that were allocated.
  int64_t working_bytes() const { return replay_ ? replay_->memory_bytes() : 0; }
  /// Captured steps and the model they are of; null when the client model runs.
  GraphReplay* replay() { return replay_.get(); }
  const FusedModel* fused() const { return fused_.get(); }

 private:
  void make(const EngineOptions& options, const LoadProgress& progress);
  void load(const EngineOptions& options, const LoadProgress& progress);
  void forget_files();
  void part() noexcept;
  template <class Action>
  auto with_own_reason(Action action);
  StepOutput run_timed(bool ahead);
  StepOutput give_and_compute(OpTimer* timer);
  StepOutput run_fused(bool ahead);
  void obey(StepExchange::Order order);
  bool agree_on_choices();
  StepOutput compute(OpTimer* timer);

  ModelPlan plan_;
  std::unique_ptr<Communicator> ranks_;
  std::unique_ptr<Device> device_;            ///< of a fused model
  std::unique_ptr<Collectives> collectives_;  ///< of a fused model
  std::unique_ptr<CachePool> cache_;
  std::unique_ptr<StepBuffer> step_;
  std::unique_ptr<ClientModel> client_;
  std::unique_ptr<FusedModel> fused_;
  std::unique_ptr<GraphReplay> replay_;
  std::unique_ptr<StepExchange> exchange_;  ///< of several ranks
  ClientModel::Outputs outputs_;            ///< of the client model's last step
  Profiler* profiler_ = nullptr;
  bool parted_ = false;  ///< nobody waits for this rank any more
  OpTimer timer_;        ///< of a step that is profiled, here or by rank 0
};

}  // namespace graft

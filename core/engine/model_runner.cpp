#include "core/engine/model_runner.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "core/base/checked.h"
#include "kernels/cpu/select.h"

namespace graft {

ModelRunner::ModelRunner(ModelPlan plan, const EngineOptions& options, const LoadProgress& progress)
    : plan_(std::move(plan)) {
  const c10::InferenceMode guard;
  const int32_t workers = checked_int32(plan_.threads, "threads");
  at::set_num_threads(workers);
  cache_ = std::make_unique<CachePool>(plan_.cache.kinds, plan_.memory.cache_blocks);
  const StepTraits traits = {plan_.config().encoder ? Stage::encode_only : Stage::decode,
                             plan_.config().unplaced_token};
  step_ = std::make_unique<StepBuffer>(plan_.limits, *cache_, traits);
  client_ = std::make_unique<ClientModel>(plan_.config(),
                                          load_model(plan_.match.blueprint, plan_.weights, plan_.dtype, progress));
  plan_.weights.entries.clear();  // the tensors keep what they need of the files
  if (options.injection != InjectionMode::kernel) return;
  fused_ = inject_kernels(*client_, plan_.dtype, plan_.quantization);
  client_.reset();
  pool_ = std::make_unique<ThreadPool>(workers);
  context_.parallel = pool_->parallel_for();
  steps_ = std::make_unique<StepPlan>(*fused_, *step_, *cache_, plan_.cache.layers, kernels::select, workers);
}

ModelRunner::~ModelRunner() = default;

StepOutput ModelRunner::run() {
  if (steps_) {
    const FusedModel::Outputs outputs = steps_->run(context_);
    return {outputs.logits, outputs.hidden};
  }
  const c10::InferenceMode guard;
  outputs_ = client_->forward(step_->view(), *cache_, plan_.cache.layers);
  return {outputs_.logits.defined() ? outputs_.logits.const_data_ptr<float>() : nullptr,
          outputs_.hidden.const_data_ptr<float>()};
}

}  // namespace graft

#include "core/engine/model_runner.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "core/base/checked.h"
#include "core/base/status.h"
#include "core/containers/next_tokens.h"
#include "core/injection/replace_module.h"

namespace graft {

namespace {

// The more, the seldomer the device has to be given block tables; the fewer, the later a sequence takes its blocks. No
// more than a step may have, which is what a window's blocks are promised for (SequenceBlocks::most_blocks).
int64_t choose_tokens_ahead(const StepLimits& limits) {
  return std::min<int64_t>(2 * RunAhead::most_steps, limits.tokens - 1);
}

// One wait for a group of ranks is for up to so many steps, and must not be taken for a rank that hangs.
RunAhead choose_pace(const EngineOptions& options, int64_t ranks) {
  const int64_t most_ms = ranks > 1 ? options.rank.timeout() / 4 : options.run_ahead_ms;
  return RunAhead(std::chrono::milliseconds(std::min(options.run_ahead_ms, most_ms)));
}

// What rank 0's steps and the collectives rest on.
std::vector<SharedValue> shared_values(const ModelPlan& plan, const EngineOptions& options) {
  const ModelConfig& config = plan.config();
  int64_t widths = 0;
  for (const LayerConfig& layer : config.layers) {
    widths += layer.attention.heads * layer.attention.head_dim + layer.feed_forward.intermediate_size;
  }
  return {{"the build of Graft", static_cast<int64_t>(std::strtoull(GRAFT_BUILD_HASH, nullptr, 16) >> 1)},
          {"the number of layers", static_cast<int64_t>(config.layers.size())},
          {"hidden_size", config.hidden_size},
          {"the sum of the layers' widths", widths},
          {"the number of logits", config.output_width},
          {"the values of a patch", plan.traits.patch_width},
          {"the number of ranks", plan.place.share.ranks},
          {"the grain", plan.place.share.grain},
          {"injection", static_cast<int64_t>(options.injection)},
          {"graph", options.graph ? 1 : 0},
          {"dtype", static_cast<int64_t>(plan.dtype)},
          {"bits of quantization", plan.quantization.bits},
          {"group_size of quantization", plan.quantization.group_size},
          {"the number of cache kinds", static_cast<int64_t>(plan.cache.kinds.size())},
          {"context_limit", plan.limits.context},
          {"max_sequences", plan.limits.sequences},
          {"the tokens of a step", plan.limits.tokens},
          {"the logit rows of a step", plan.limits.logit_rows}};
}

StepOutput output_of(const GraphReplay::Outputs& outputs) { return {outputs.logits, outputs.hidden, outputs.tokens}; }

}  // namespace

// Where this rank's device has failed, the sums that it has a part in fail too, in words that say less.
template <class Action>
auto ModelRunner::with_own_reason(Action action) {
  try {
    return action();
  } catch (const Error& error) {
    if (error.code() == StatusCode::comm_error && device_) device_->is_done();
    throw;
  }
}

ModelRunner::ModelRunner(ModelPlan plan, const EngineOptions& options, std::unique_ptr<Communicator> ranks,
                         const LoadProgress& progress)
    : plan_(std::move(plan)), ranks_(std::move(ranks)) {
  try {
    with_own_reason([&] { make(options, progress); });
  } catch (...) {
    ranks_->abort();  // what there is takes its time to go, and the others wait for this rank
    throw;
  }
}

void ModelRunner::make(const EngineOptions& options, const LoadProgress& progress) {
  const c10::InferenceMode guard;
  at::set_num_threads(checked_int32(plan_.threads, "threads"));
  if (ranks_->size() > 1) {
    require_equal(*ranks_, shared_values(plan_, options));
    agree_on_least(*ranks_, plan_.memory.cache_blocks);  // every rank runs the same block tables
  }
  if (options.injection == InjectionMode::kernel) {
    device_ = make_device(plan_.device, checked_int32(plan_.threads, "threads"));
    const bool asks_nccl = ranks_->size() > 1 && !plan_.device.is_cpu();
    plan_.sums = agree_on_sums(*ranks_, plan_.device, asks_nccl ? nccl_problem() : "", plan_.place.ranks_here);
    const ModelConfig& config = plan_.config();
    const int64_t most_values =
        std::max(plan_.limits.tokens * config.hidden_size, plan_.limits.logit_rows * config.output_width);
    collectives_ = make_collectives(plan_.sums, *ranks_, plan_.device, *device_, most_values, config.hidden_size,
                                    options.rank.timeout());
  }
  MemorySpace& space = device_ ? *device_ : host_memory();
  cache_ = std::make_unique<CachePool>(plan_.cache.kinds, plan_.memory.cache_blocks, space);
  plan_.traits.has_choices = agree_on_choices();
  if (plan_.traits.has_choices) plan_.traits.tokens_ahead = choose_tokens_ahead(plan_.limits);
  step_ = std::make_unique<StepBuffer>(plan_.limits, *cache_, plan_.traits);
  if (ranks_->size() > 1) exchange_ = std::make_unique<StepExchange>(*ranks_, *step_, *cache_);
  load(options, progress);
  if (ranks_->size() == 1) return;
  std::vector<int64_t> ready = {1};
  agree_on_least(*ranks_, ready);
  if (collectives_) collectives_->begin();
}

// Every rank chooses what rank 0 chooses, from the same logits: all have the kernels, or none uses them.
bool ModelRunner::agree_on_choices() {
  const auto select = [this](kernels::Op op, const void* args) { return device_->select(op, args); };
  const bool head = plan_.config().head.kind == HeadKind::language && plan_.traits.stage == Stage::decode;
  std::vector<int64_t> can = {
      device_ && !device_->is_host() && head && can_choose_tokens(select, plan_.config().output_width) ? 1 : 0};
  if (ranks_->size() > 1) agree_on_least(*ranks_, can);
  return can.front() == 1;
}

void ModelRunner::load(const EngineOptions& options, const LoadProgress& progress) {
  std::unique_ptr<Module> root = build_tree(plan_.share);
  const bool deferred = device_ && !device_->is_host();
  ModelLoader loader(plan_.weights, plan_.dtype, plan_.copy_weights, progress, deferred);
  if (options.injection != InjectionMode::kernel) {
    replace_module(*root, {}, loader, nullptr);
    client_ = std::make_unique<ClientModel>(plan_.share.config, std::move(root), *ranks_, plan_.head_columns);
    forget_files();
    return;
  }
  WeightPlacement placement(*device_, plan_.weights.files(), upload_limits(plan_.weights.bytes, plan_.threads));
  KernelInjection injection(plan_.share.config, plan_.dtype, plan_.quantization, placement);
  replace_module(*root, {}, loader, [&](Module& layer, int64_t index) { injection.replace(layer, index); });
  forget_files();
  fused_ = injection.finish(*root, *collectives_, plan_.head_columns);
  placement.finish();
  replay_ = std::make_unique<GraphReplay>(*fused_, *step_, *cache_, plan_.cache.layers, *device_, options.graph,
                                          choose_pace(options, ranks_->size()));
}

// The tensors keep what they need of them.
void ModelRunner::forget_files() {
  plan_.weights.entries.clear();
  plan_.checkpoint.forget_tensors();
}

// What a device works on, graphs too, is given back once it is done, which a sum that lacks a rank never is: such a sum
// is aborted, and the abort waits for the graphs that hold it.
ModelRunner::~ModelRunner() {
  if (!parted_) ranks_->abort();  // nobody waits for a rank that waits for its device
  if (collectives_) collectives_->abort();
  if (device_ && !plan_.sums.devices_meet()) device_->drain();
  if (replay_) replay_->forget();
  if (device_) device_->drain();
}

StepOutput ModelRunner::run(bool ahead) {
  return with_own_reason([&] { return run_timed(ahead); });
}

StepOutput ModelRunner::run_timed(bool ahead) {
  if (profiler_ == nullptr || !profiler_->enabled()) return replay_ ? run_fused(ahead) : give_and_compute(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  timer_.clear();
  const StepOutput output = give_and_compute(&timer_);
  profiler_->add(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count(), timer_.times());
  return output;
}

// Every rank starts the same steps and waits for the same ones. Of those that are done nobody else needs to hear.
StepOutput ModelRunner::run_fused(bool ahead) {
  const int64_t next = ahead ? replay_->next_due() : 0;
  if (exchange_ && !replay_->is_done()) {
    exchange_->give(
        {replay_->is_started() ? StepExchange::Kind::go_on : StepExchange::Kind::step, static_cast<int32_t>(next)});
  }
  replay_->start();
  for (int64_t i = 0; i < next; ++i) replay_->start_next();
  return output_of(replay_->finish());
}

void ModelRunner::obey(StepExchange::Order order) {
  using Kind = StepExchange::Kind;
  if ((order.kind == Kind::go_on || order.next > 0) && !(replay_ && replay_->runs_ahead())) {
    fail(StatusCode::comm_error, "rank 0 ordered {} steps ahead, and this rank does not run ahead", order.next);
  }
  if (order.kind == Kind::step_by_op) {
    timer_.clear();
    compute(&timer_);
  } else if (order.kind == Kind::step && !replay_) {
    compute(nullptr);
  } else if (order.kind == Kind::step || order.kind == Kind::go_on) {
    if (order.kind == Kind::step) replay_->start();
    if (order.kind == Kind::go_on) replay_->take_first();
    for (int32_t i = 0; i < order.next; ++i) replay_->start_next();
    replay_->wait();
  }
}

StepOutput ModelRunner::give_and_compute(OpTimer* timer) {
  if (exchange_) {
    if (timer != nullptr) timer->start();
    exchange_->give({timer != nullptr ? StepExchange::Kind::step_by_op : StepExchange::Kind::step});
    if (timer != nullptr) timer->lap("broadcast.step");
  }
  return compute(timer);
}

void ModelRunner::keep_alive() {
  if (exchange_) exchange_->give({StepExchange::Kind::idle});
}

void ModelRunner::dismiss() {
  if (exchange_) exchange_->give({StepExchange::Kind::stop});
  part();
}

// Every rank has finished its last step; none takes its end away while the device of another may still reach into it.
void ModelRunner::part() noexcept {
  try {
    if (plan_.sums.devices_meet()) {
      replay_->settle();
      std::vector<int64_t> done = {1};
      agree_on_least(*ranks_, done);
      collectives_->part();
    }
    parted_ = true;
  } catch (...) {  // a rank is gone without a word; nothing more is to be run
  }
}

void ModelRunner::follow(const std::function<bool()>& give_up) {
  with_own_reason([&] {
    while (!give_up || !give_up()) {
      const StepExchange::Order order = exchange_->take();
      if (order.kind == StepExchange::Kind::stop) return part();
      obey(order);
    }
  });
}

StepOutput ModelRunner::compute(OpTimer* timer) {
  if (replay_) return output_of(replay_->run(timer));
  const c10::InferenceMode guard;
  outputs_ = client_->forward(step_->view(), *cache_, plan_.cache.layers, timer);
  return {outputs_.logits.defined() ? outputs_.logits.const_data_ptr<float>() : nullptr,
          outputs_.hidden.const_data_ptr<float>(), nullptr};
}

}  // namespace graft

#include "core/engine/model_plan.h"

#include <algorithm>
#include <thread>

#include "core/base/quote.h"
#include "core/base/status.h"
#include "core/containers/group_quantizer.h"
#include "core/injection/parallel_plan.h"

namespace graft {
namespace {

constexpr int64_t default_max_sequences = 16;
constexpr int64_t most_sequences = 4096;
constexpr int64_t default_int4_group = 32;             // int8: whole rows, as DeepSpeed does
constexpr int64_t longest_context = int64_t{1} << 24;  // bounds the block tables, whatever config.json claims
constexpr int64_t step_tokens = 512;                   // prompt chunk and decode rows of one step together
constexpr int64_t logit_bytes = int64_t{64} << 20;     // bounds the rows of logits one step may give

[[noreturn]] void not_yet(const char* what) { fail(StatusCode::unsupported, "{} is not in this release", what); }

// Everything that a caller may ask for and this release does not do, in one place.
void refuse_what_is_missing(const EngineOptions& options) {
  if (options.expert_parallel > 1) not_yet("expert parallelism");
}

// Of the layers' linear weights: "int8" and "int4" are names of 8 and 4 bits with the default group.
Quantization choose_quantization(const EngineOptions& options) {
  Quantization chosen = options.quantization;
  if (chosen.bits != 0 && chosen.bits != 4 && chosen.bits != 8) {
    fail(StatusCode::invalid_argument, "quantization bits is {}, expected 0, 4 or 8", chosen.bits);
  }
  if (chosen.group_size < 0) {
    fail(StatusCode::invalid_argument, "quantization group_size is {}, expected 0 or more", chosen.group_size);
  }
  const int64_t named = options.dtype == "int8" ? 8 : options.dtype == "int4" ? 4 : 0;
  if (named != 0 && chosen.bits != 0 && named != chosen.bits) {
    fail(StatusCode::invalid_argument, "dtype is {} but quantization bits is {}, expected the same of both",
         quote(options.dtype), chosen.bits);
  }
  if (named != 0) chosen.bits = named;
  if (chosen.bits == 0 && chosen.group_size != 0) {
    fail(StatusCode::invalid_argument, "quantization group_size is {} without bits, expected 4 or 8 bits",
         chosen.group_size);
  }
  if (chosen.bits != 0 && options.injection != InjectionMode::kernel) {
    fail(StatusCode::unsupported,
         "quantization to {} bits: only fused layers read quantised weights, expected "
         "injection kernel",
         chosen.bits);
  }
  if (chosen.bits == 4 && chosen.group_size == 0) chosen.group_size = default_int4_group;
  return chosen;
}

// What is not quantised, and the cache, are as stored where the name is that of a quantised type.
DType choose_dtype(const std::string& name, const ModelConfig& config, const WeightMap& weights) {
  if (name == "auto" || name == "int8" || name == "int4") return config.stored_dtype.value_or(weights.stored_dtype);
  const DType dtype = dtype_from_name(name);
  if (dtype != DType::float32 && dtype != DType::bfloat16 && dtype != DType::float16) {
    fail(StatusCode::unsupported,
         "dtype {} is not in this release, expected auto, float32, bfloat16, float16, int8 or int4", quote(name));
  }
  return dtype;
}

StepLimits choose_limits(const EngineOptions& options, const ModelConfig& config) {
  StepLimits limits;
  limits.context = options.context_limit > 0 ? options.context_limit : std::min(config.max_positions, longest_context);
  // Rotary positions go on beyond what the model was made for, as dynamic NTK means to; a table of positions ends.
  const int64_t most = config.position_table > 0 ? config.position_table - config.position_offset : longest_context;
  if (limits.context > most) {
    fail(StatusCode::invalid_argument, "context_limit is {}, expected at most {}", options.context_limit, most);
  }
  if (limits.context < options.least_context) {
    fail(StatusCode::invalid_argument, "min_out_tokens is {}, but a sequence holds at most {} tokens",
         options.least_context, limits.context);
  }
  limits.sequences = options.max_sequences > 0 ? options.max_sequences : default_max_sequences;
  if (limits.sequences > most_sequences) {
    fail(StatusCode::invalid_argument, "max_sequences is {}, expected at most {}", limits.sequences, most_sequences);
  }
  limits.tokens = std::max(step_tokens, limits.sequences);
  const int64_t row_bytes = std::max<int64_t>(1, config.output_width) * static_cast<int64_t>(sizeof(float));
  int64_t least_rows = limits.sequences;
  if (config.encoder) {  // a sequence is whole in one step, and so are its rows where every token has one
    limits.tokens = std::max(limits.tokens, limits.context);
    if (config.head.kind == HeadKind::language || config.head.kind == HeadKind::token_labels) {
      least_rows = std::max(least_rows, limits.context);
    }
  }
  limits.logit_rows = std::clamp(logit_bytes / row_bytes, least_rows, limits.tokens);
  limits.hidden_rows = limits.tokens;
  return limits;
}

StepTraits traits_of(const ModelConfig& config) {
  return {config.encoder ? Stage::encode_only : Stage::decode, config.unplaced_token,
          config.image ? config.image->patch_values() : 0};
}

bool is_layer_linear(const ModuleSpec& module) {
  switch (module.role) {
    case Role::query:
    case Role::key:
    case Role::value:
    case Role::query_key_value:
    case Role::attention_output:
    case Role::gate:
    case Role::up:
    case Role::gate_up:
    case Role::down:
      return module.layer >= 0;
    default:
      return false;
  }
}

// How many bytes fewer the layers' linear weights take in integers with scales than in `dtype`; may be negative for
// tiny groups.
int64_t bytes_saved(const Blueprint& blueprint, DType dtype, const Quantization& quantization) {
  int64_t saved = 0;
  if (quantization.bits == 0) return saved;
  for (const ModuleSpec& module : blueprint.modules) {
    if (!is_layer_linear(module)) continue;
    for (const ParameterSpec& parameter : module.parameters) {
      if (parameter.name != "weight" || parameter.shape.size() != 2) continue;
      const bool in_out = module.layout == LinearLayout::in_out;
      const int64_t rows = parameter.shape[in_out ? 1 : 0],
                    width = std::max<int64_t>(1, parameter.shape[in_out ? 0 : 1]);
      const int64_t group_size = quantization.group_of(width);
      const int64_t integer_bytes = quantization.bits == 4 ? (width + 1) / 2 : width;
      const int64_t scale_bytes = groups_of_row(width, group_size) * static_cast<int64_t>(sizeof(float));
      saved += rows * (width * bits_of(dtype) / 8 - integer_bytes - scale_bytes);
    }
  }
  return saved;
}

int64_t working_bytes(const ModelConfig& config, const StepLimits& limits) {
  const ActivationWidths widths(config);
  const int64_t per_token = traits_of(config).patch_width + 3 * widths.hidden + widths.query_key_value +
                            widths.attention + widths.feed_forward + widths.intermediate;
  const int64_t per_row = 2 * widths.hidden + config.output_width;
  return static_cast<int64_t>(sizeof(float)) *
         (limits.tokens * per_token + limits.logit_rows * per_row + limits.hidden_rows * widths.hidden);
}

// As many blocks as all sequences at full length could hold, or what the budget allows. Pages become resident only when
// written, so a generous pool costs address space.
void plan_cache_blocks(MemoryPlan& memory, const CachePlan& cache, const StepLimits& limits, int64_t memory_limit,
                       const DeviceChoice& device, const RankSums& sums, int64_t ranks_here) {
  int64_t wanted_bytes = 0;
  for (const CacheKind& kind : cache.kinds) {
    memory.cache_blocks.push_back(limits.sequences * SequenceBlocks::most_blocks(kind, limits.context, limits.tokens));
    wanted_bytes += memory.cache_blocks.back() * kind.block_bytes();
  }
  const int64_t sharers = device.is_cpu() ? ranks_here : device.ranks_on_it;
  int64_t budget = memory_limit / sharers;
  std::string source = fmt::format("memory_limit is {} bytes", memory_limit);
  if (memory_limit == 0 || !device.is_cpu()) {  // a device has its memory for others too
    const FreeMemory free = device.memory();
    const int64_t most = free.to_plan_with() / sharers - sums.device_bytes();
    if (memory_limit == 0 || most < budget) {
      budget = most;
      source = fmt::format("the memory free on {} is {} bytes, of which {} are kept back", device.name, free.bytes,
                           free.kept_back + sums.device_bytes());
    }
  }
  // Of a machine's memory half is spoken of, and mapped weights are not in it.
  if (memory_limit > 0 || !device.is_cpu()) budget -= memory.weight_bytes + memory.working_bytes;
  const double share = wanted_bytes > budget ? static_cast<double>(budget) / static_cast<double>(wanted_bytes) : 1.0;
  for (size_t k = 0; k < cache.kinds.size(); ++k) {
    int64_t& blocks = memory.cache_blocks[k];
    blocks = static_cast<int64_t>(static_cast<double>(blocks) * share);
    if (blocks < 1) {
      fail(StatusCode::out_of_memory, "{}; weights need {}, working memory {} and one cache block {}", source,
           memory.weight_bytes, memory.working_bytes, cache.kinds[k].block_bytes());
    }
    // A slot index has 31 bits.
    blocks = std::min(blocks, ((int64_t{1} << 31) - 1) / cache.kinds[k].block_size);
    memory.cache_bytes += blocks * cache.kinds[k].block_bytes();
  }
}

void assign_roles(Blueprint& blueprint, const EngineOptions& options) {
  if (options.scanned_roles) return assign_scanned_roles(blueprint);
  std::vector<LayerPlan> plan;
  for (const UserRowParallel& entry : options.user_policy) {
    plan.push_back({entry.layer_class, {entry.names.begin(), entry.names.end()}});
  }
  assign_parallel_roles(blueprint, plan);
}

// Of one rank.
int64_t choose_threads(int64_t threads, int64_t ranks_here) {
  const auto cores = static_cast<int64_t>(std::thread::hardware_concurrency());
  return std::max<int64_t>(1, (threads > 0 ? std::min<int64_t>(threads, 1024) : cores) / ranks_here);
}

// A share of a tied head is a tensor of its own, where the processor looks at a part of the embedding.
int64_t head_copy_bytes(const ModelPlan& plan) {
  const ModelConfig& config = plan.config();
  if (plan.device.is_cpu() || !config.tied_head || plan.place.share.ranks == 1) return 0;
  return plan.head_columns[static_cast<size_t>(plan.place.share.rank)] * config.hidden_size * (bits_of(plan.dtype) / 8);
}

ModelPlan plan_on(DeviceChoice device, const std::string& path, const EngineOptions& options, const RankPlace& place) {
  // One of several ranks reads its parts of the files and no more. Nothing stays in memory of what goes to a device.
  const bool copy = device.is_cpu() && options.weights == WeightsMode::read && place.share.ranks > 1;
  const bool parts = copy || !device.is_cpu();
  ModelPlan plan(Checkpoint::open(path, parts ? WeightsMode::parts : options.weights));
  plan.copy_weights = copy;
  plan.match =
      match_policy(plan.checkpoint.config(), plan.checkpoint.generation_config(), options.architecture_policies);
  plan.place = place;
  plan.device = std::move(device);
  plan.sums = expected_sums(plan.device, place);
  assign_roles(plan.match.blueprint, options);
  plan.share = shard(plan.match.blueprint, place.share);
  plan.head_columns = head_columns(plan.match.blueprint, place.share.ranks);
  plan.weights = map_weights(plan.share, plan.checkpoint);
  const ModelConfig& config = plan.config();
  plan.quantization = choose_quantization(options);
  plan.dtype = choose_dtype(options.dtype, config, plan.weights);
  plan.cache = plan_cache(config, plan.share.config, plan.dtype);
  plan.limits = choose_limits(options, config);
  plan.traits = traits_of(config);
  plan.threads = choose_threads(options.threads, place.ranks_here);
  plan.memory.weight_bytes = plan.weights.bytes / (bits_of(plan.weights.stored_dtype) / 8) * (bits_of(plan.dtype) / 8);
  plan.memory.weight_bytes -= bytes_saved(plan.share, plan.dtype, plan.quantization);
  plan.memory.weight_bytes += head_copy_bytes(plan);
  plan.memory.working_bytes = working_bytes(plan.share.config, plan.limits);
  plan_cache_blocks(plan.memory, plan.cache, plan.limits, options.memory_limit, plan.device, plan.sums,
                    place.ranks_here);
  return plan;
}

}  // namespace

ModelPlan plan_model(const std::string& path, const EngineOptions& options, const RankPlace& place) {
  refuse_what_is_missing(options);
  const DeviceChoice device = choose_device(options, place);
  // "auto" of one rank comes to the CPU where the device cannot hold the model; ranks would have to agree on that.
  const bool may_fall_back = options.device == "auto" && !device.is_cpu() && place.share.ranks == 1;
  if (!may_fall_back) return plan_on(device, path, options, place);
  try {
    return plan_on(device, path, options, place);
  } catch (const Error& error) {
    if (error.code() != StatusCode::out_of_memory && error.code() != StatusCode::device_error) throw;
    return plan_on(choose_cpu(error.what()), path, options, place);
  }
}

std::vector<int64_t> needed_cache_blocks(const std::vector<CacheKind>& kinds, int64_t length, int64_t chunk) {
  std::vector<int64_t> needed;
  for (const CacheKind& kind : kinds) needed.push_back(SequenceBlocks::most_blocks(kind, length, chunk));
  return needed;
}

}  // namespace graft

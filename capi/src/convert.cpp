#include "capi/src/convert.h"

#include <algorithm>
#include <cstring>

#include "capi/src/arguments.h"

namespace graft::capi {
namespace {

template <class T>
int64_t count_of(const std::vector<T>& values) {
  return static_cast<int64_t>(values.size());
}

}  // namespace

EngineOptionsView::EngineOptionsView(const graft_engine_options& options) {
  names_.reserve(options.policies.size());  // row_parallel_ points into it
  for (const graft_policy& policy : options.policies) {
    if (!policy.json.empty()) {
      policies_.push_back(core_text(policy.json));
      continue;
    }
    std::vector<facade::Text>& names = names_.emplace_back();
    for (const std::string& name : policy.names) names.push_back(core_text(name));
    row_parallel_.push_back({core_text(policy.layer_class), names.data(), count_of(names)});
  }
  plain_.struct_size = sizeof plain_;
  plain_.device = core_text(options.device);
  plain_.dtype = core_text(options.dtype);
  plain_.injection = core_text(options.injection);
  plain_.quantization_bits = options.quantization_bits;
  plain_.quantization_group = options.quantization_group;
  plain_.tensor_parallel = options.tensor_parallel;
  plain_.tensor_parallel_grain = options.tensor_parallel_grain;
  plain_.expert_parallel = options.expert_parallel;
  plain_.rank = options.rank;
  plain_.world = options.world;
  plain_.address = core_text(options.address);
  plain_.port = options.port;
  plain_.timeout_ms = options.timeout_ms;
  plain_.graph = options.graph;
  plain_.threads = options.threads;
  plain_.context_limit = options.context_limit;
  plain_.least_context = options.least_context;
  plain_.max_sequences = options.max_sequences;
  plain_.max_queue = options.max_queue;
  plain_.run_ahead_ms = options.run_ahead_ms;
  plain_.memory_limit = options.memory_limit;
  plain_.read_weights = options.weights;
  plain_.policies = policies_.data();
  plain_.policy_count = count_of(policies_);
  plain_.row_parallel = row_parallel_.data();
  plain_.row_parallel_count = count_of(row_parallel_);
  plain_.progress = options.progress;
  plain_.progress_user = options.progress_user;
}

RequestOptionsView::RequestOptionsView(const graft_request_options& options) {
  for (const std::string& text : options.stop) stop_.push_back(core_text(text));
  plain_.struct_size = sizeof plain_;
  plain_.kind = options.kind;
  plain_.max_tokens = options.max_tokens;
  plain_.min_tokens = options.min_tokens;
  plain_.greedy = options.greedy;
  plain_.temperature = options.temperature;
  plain_.top_k = options.top_k;
  plain_.top_p = options.top_p;
  plain_.min_p = options.min_p;
  plain_.typical_p = options.typical_p;
  plain_.repetition_penalty = options.repetition_penalty;
  plain_.frequency_penalty = options.frequency_penalty;
  plain_.presence_penalty = options.presence_penalty;
  plain_.penalty_window = options.penalty_window;
  plain_.no_repeat_ngram = options.no_repeat_ngram;
  plain_.seed = options.seed;
  plain_.ignore_eos = options.ignore_eos;
  plain_.num_beams = options.num_beams;
  plain_.num_sequences = options.num_sequences;
  plain_.length_penalty = options.length_penalty;
  plain_.pooling = options.pooling;
  plain_.top_logprobs = options.top_logprobs;
  plain_.priority = options.priority;
  plain_.deadline_ms = options.deadline_ms;
  plain_.cache_salt = core_text(options.cache_salt);
  plain_.stop_strings = stop_.data();
  plain_.stop_string_count = count_of(stop_);
  plain_.stop_tokens = options.stop_tokens.data();
  plain_.stop_token_count = count_of(options.stop_tokens);
  plain_.bias_tokens = options.bias_tokens.data();
  plain_.bias_values = options.bias_values.data();
  plain_.bias_count = count_of(options.bias_tokens);
  plain_.allowed_tokens = options.allowed_tokens.data();
  plain_.allowed_token_count = count_of(options.allowed_tokens);
  plain_.banned_tokens = options.banned_tokens.data();
  plain_.banned_token_count = count_of(options.banned_tokens);
}

InputView::InputView(const graft_input& input) {
  for (const auto& [name, tensor] : input.tensors) {
    // Borrowed for the call (no owner): the core copies what it keeps.
    facade::Tensor plain = {tensor.dtype, tensor.rank, {}, tensor.data, tensor.byte_size, nullptr, nullptr};
    std::copy(std::begin(tensor.shape), std::end(tensor.shape), plain.shape);
    tensors_.push_back({core_text(name), plain});
  }
  plain_.struct_size = sizeof plain_;
  plain_.has_text = input.has_text;
  plain_.text = core_text(input.text);
  plain_.has_tokens = input.has_tokens;
  plain_.tokens = input.tokens.data();
  plain_.token_count = count_of(input.tokens);
  plain_.has_chat = input.has_chat;
  plain_.chat = core_text(input.chat);
  plain_.decoder_tokens = input.decoder_tokens.data();
  plain_.decoder_token_count = count_of(input.decoder_tokens);
  plain_.token_types = input.token_types.data();
  plain_.token_type_count = count_of(input.token_types);
  plain_.tensors = tensors_.data();
  plain_.tensor_count = count_of(tensors_);
}

graft_tensor* adopt_tensor(const facade::Tensor& from) {
  // The owner is in safe hands before anything else can fail: shared_ptr releases it when its own allocation fails.
  std::shared_ptr<void> storage;
  if (from.owner != nullptr && from.release != nullptr) storage = std::shared_ptr<void>(from.owner, from.release);
  if (from.rank < 0 || from.rank > GRAFT_TENSOR_MAX_RANK || from.byte_size < 0) {
    fail(GRAFT_STATUS_INTERNAL, "the core handed out a tensor of rank %d and %lld bytes", static_cast<int>(from.rank),
         static_cast<long long>(from.byte_size));
  }
  auto tensor = std::make_unique<graft_tensor>();
  tensor->dtype = from.dtype;
  tensor->rank = from.rank;
  std::copy(from.shape, from.shape + from.rank, tensor->shape);
  tensor->byte_size = from.byte_size;
  if (storage == nullptr) {
    const auto size = static_cast<std::size_t>(from.byte_size);
    std::shared_ptr<void> copy(::operator new(size), [](void* data) { ::operator delete(data); });
    if (size > 0) std::memcpy(copy.get(), from.data, size);
    tensor->data = copy.get();
    tensor->storage = std::move(copy);
  } else {
    tensor->data = from.data;
    tensor->storage = std::move(storage);
  }
  return tensor.release();
}

}  // namespace graft::capi

#include "core/model/client_model.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/model/client_ops.h"

namespace graft {
namespace {

at::Tensor index_tensor(const int32_t* values, int64_t count) {
  return at::from_blob(const_cast<int32_t*>(values), {count}, at::kInt).to(at::kLong);
}

// The stages as a profile names them.
constexpr const char *stage_inputs = "inputs.client", *stage_embedding = "embedding.client",
                     *stage_norm = "norm.client", *stage_attention = "attention.client",
                     *stage_feed_forward = "feed_forward.client", *stage_hidden = "hidden.client",
                     *stage_head = "head.client";

}  // namespace

/// The arrays of a StepView as tensors, and the angles of every rope.
struct ClientModel::Step {
  const StepView& view;
  const CachePool& pool;
  OpTimer* timer;
  at::Tensor token_ids, token_types, positions, logit_rows, hidden_rows;
  std::vector<at::Tensor> angles;             ///< per rope [T, rotary_dim / 2]
  std::vector<at::Tensor> attention_factors;  ///< per rope [T]

  Step(const StepView& v, const CachePool& p, const std::vector<RopeTables>& ropes, OpTimer* t)
      : view(v), pool(p), timer(t) {
    if (timer != nullptr) timer->start();
    const int64_t tokens = *v.token_count;
    token_ids = index_tensor(v.token_ids, tokens);
    token_types = index_tensor(v.token_types, tokens);
    positions = index_tensor(v.positions, tokens);
    logit_rows = index_tensor(v.logit_rows, *v.logit_row_count);
    hidden_rows = index_tensor(v.hidden_rows, *v.hidden_row_count);
    for (const RopeTables& rope : ropes) {
      std::vector<at::Tensor> parts, factors;
      for (int64_t s = 0; s < *v.sequence_count; ++s) {
        const auto [frequency, factor] = client::frequencies(rope, v.planned_lengths[s]);
        const at::Tensor own = positions.slice(0, v.query_starts[s], v.query_starts[s + 1]).to(at::kFloat);
        parts.push_back(own.unsqueeze(1) * frequency.unsqueeze(0));
        factors.push_back(at::full({own.size(0)}, factor, at::kFloat));
      }
      angles.push_back(at::cat(parts));
      attention_factors.push_back(at::cat(factors));
    }
    lap(stage_inputs);
  }

  void lap(const char* stage) const {
    if (timer != nullptr) timer->lap(stage);
  }
};

ClientModel::ClientModel(const ModelConfig& config, std::unique_ptr<Module> root, Communicator& ranks,
                         std::vector<int64_t> head_columns)
    : config_(config),
      root_(std::move(root)),
      layers_(decoder_layers(*root_)),
      ranks_(ranks),
      head_columns_(std::move(head_columns)) {
  for (const RopeConfig& rope : config_.ropes) ropes_.push_back(make_rope_tables(rope));
}

ClientModel::Outputs ClientModel::forward(const StepView& view, const CachePool& pool,
                                          const std::vector<LayerCache>& caches, OpTimer* timer) const {
  const Step step(view, pool, ropes_, timer);
  at::Tensor x = embed(step);
  step.lap(stage_embedding);
  for (size_t i = 0; i < layers_.size(); ++i) x = run_layer(*layers_[i], config_.layers[i], step, caches[i], x);
  const auto rows = [&](const at::Tensor& wanted) {
    at::Tensor own = x.index_select(0, wanted);
    if (config_.final_norm) own = client::norm(*root_->find(Role::final_norm), *config_.final_norm, own);
    if (const Module* out = root_->find(Role::project_out)) own = linear(*out, own);
    return own;
  };
  Outputs outputs;
  outputs.hidden = rows(step.hidden_rows).contiguous();
  step.lap(stage_hidden);
  if (config_.head.kind == HeadKind::none) return outputs;
  outputs.logits = run_head(rows(step.logit_rows)).contiguous();
  step.lap(stage_head);
  return outputs;
}

at::Tensor ClientModel::embed(const Step& step) const {
  const auto rows = [](const Module& module, const at::Tensor& ids) {
    return module.parameter("weight").index_select(0, ids).to(at::kFloat);
  };
  at::Tensor x = config_.image ? embed_image(step)
                               : rows(*root_->find(Role::token_embedding), step.token_ids) * config_.embedding_scale;
  if (const Module* in = root_->find(Role::project_in)) x = linear(*in, x);
  if (const Module* types = root_->find(Role::token_type_embedding)) x = x + rows(*types, step.token_types);
  if (const Module* positions = root_->find(Role::position_embedding)) {
    x = x + rows(*positions, step.positions + config_.position_offset);
  }
  return config_.embedding_norm ? client::norm(*root_->find(Role::embedding_norm), *config_.embedding_norm, x) : x;
}

// A class row has a patch of zeros, a patch no class row.
at::Tensor ClientModel::embed_image(const Step& step) const {
  const at::Tensor weight = root_->find(Role::patch_embedding)->parameter("weight").to(at::kFloat).flatten(1);
  const at::Tensor patches =
      at::from_blob(const_cast<float*>(step.view.patches), {step.token_ids.size(0), weight.size(1)}, at::kFloat);
  const at::Tensor first = root_->find(Role::class_embedding)->parameter("class_embedding").to(at::kFloat);
  return at::linear(patches, weight) + (step.token_ids == 0).unsqueeze(1) * first;
}

at::Tensor ClientModel::run_layer(const Module& layer, const LayerConfig& config, const Step& step,
                                  const LayerCache& cache, const at::Tensor& x) const {
  const auto norm = [&](Role role, const at::Tensor& values) {
    const at::Tensor out = client::norm(*layer.find(role), config.norm, values);
    step.lap(stage_norm);
    return out;
  };
  const auto attend = [&](const at::Tensor& values) {
    const at::Tensor out = attention(layer, config, step, cache, values);
    step.lap(stage_attention);
    return out;
  };
  const auto feed_forward = [&](const at::Tensor& values) {
    const at::Tensor out = client::feed_forward(layer, config.feed_forward, values, ranks_);
    step.lap(stage_feed_forward);
    return out;
  };
  if (config.residual == ResidualForm::post_norm) {
    const at::Tensor middle = norm(Role::post_attention_norm, x + attend(x));
    return norm(Role::post_feed_forward_norm, middle + feed_forward(middle));
  }
  const at::Tensor normed = norm(Role::input_norm, x);
  const at::Tensor mixed = attend(normed);
  if (config.residual == ResidualForm::parallel) {
    const bool own_norm = layer.find(Role::feed_forward_norm) != nullptr;
    return x + mixed + feed_forward(own_norm ? norm(Role::feed_forward_norm, x) : normed);
  }
  const at::Tensor middle = x + mixed;
  return middle + feed_forward(norm(Role::feed_forward_norm, middle));
}

at::Tensor ClientModel::run_head(const at::Tensor& rows) const {
  const HeadConfig& head = config_.head;
  at::Tensor x = rows;
  if (head.dense) x = client::activate(head.dense_activation, linear(*root_->find(Role::head_dense), x));
  if (head.normed) x = client::norm(*root_->find(Role::head_norm), head.norm, x);
  const Module* last = root_->find(Role::head);
  if (last == nullptr) return x;
  const at::Tensor own = linear(*last, x);
  if (own.size(1) == config_.output_width) return own;
  std::vector<int64_t> counts;
  for (int64_t columns : head_columns_) counts.push_back(columns * own.size(0));
  const at::Tensor all = at::empty({own.size(0) * config_.output_width}, at::kFloat);
  const at::Tensor mine = own.contiguous();
  ranks_.all_gather(mine.const_data_ptr<float>(), counts.data(), all.mutable_data_ptr<float>());
  std::vector<at::Tensor> parts = all.split_with_sizes(counts);
  for (size_t r = 0; r < parts.size(); ++r) parts[r] = parts[r].view({own.size(0), head_columns_[r]});
  return at::cat(parts, 1);
}

at::Tensor ClientModel::attention(const Module& layer, const LayerConfig& config, const Step& step,
                                  const LayerCache& place, const at::Tensor& x) const {
  const AttentionConfig& a = config.attention;
  const int64_t tokens = x.size(0);
  at::Tensor query, key, value;
  if (const Module* fused = layer.find(Role::query_key_value)) {
    const auto parts = linear(*fused, x).split_with_sizes(
        {a.heads * a.head_dim, a.kv_heads * a.head_dim, a.kv_heads * a.head_dim}, -1);
    query = parts[0], key = parts[1], value = parts[2];
  } else {
    query = linear(*layer.find(Role::query), x);
    key = linear(*layer.find(Role::key), x);
    value = linear(*layer.find(Role::value), x);
  }
  query = query.view({tokens, a.heads, a.head_dim});
  key = key.view({tokens, a.kv_heads, a.head_dim});
  value = value.view({tokens, a.kv_heads, a.head_dim});
  if (a.query_key_norm) {
    query = client::norm(*layer.find(Role::query_norm), config.norm, query);
    key = client::norm(*layer.find(Role::key_norm), config.norm, key);
  }
  if (a.rope >= 0) {
    const auto r = static_cast<size_t>(a.rope);
    query = client::rotate(query, config_.ropes[r], step.angles[r], step.attention_factors[r]);
    key = client::rotate(key, config_.ropes[r], step.angles[r], step.attention_factors[r]);
  }

  const CacheView& addressing = step.view.caches[place.kind];
  const kernels::PagedCache cache = step.pool.layer(place.kind, place.index);
  at::Tensor keys = client::cache_tensor(cache, cache.key, step.pool.blocks(place.kind));
  at::Tensor values = client::cache_tensor(cache, cache.value, step.pool.blocks(place.kind));
  const at::Tensor slots = index_tensor(addressing.slots, tokens);
  const at::Tensor block = slots.div(cache.block_size, "floor");
  const at::Tensor offset = slots.remainder(cache.block_size);
  using at::indexing::Slice;
  keys.index_put_({block, Slice(), offset}, key.to(keys.scalar_type()));
  values.index_put_({block, Slice(), offset}, value.to(values.scalar_type()));

  std::vector<at::Tensor> outputs;
  for (int64_t s = 0; s < *step.view.sequence_count; ++s) {
    const int64_t begin = step.view.query_starts[s];
    const int64_t end = step.view.query_starts[s + 1];
    const int64_t context = step.view.context_lengths[s];
    const int64_t first_query = context - (end - begin);
    const int64_t first_key = a.window > 0 ? std::max<int64_t>(0, first_query - a.window + 1) : 0;
    const at::Tensor key_positions = at::arange(first_key, context, at::kLong);
    const at::Tensor table = index_tensor(addressing.block_table + s * addressing.block_table_stride,
                                          (context + cache.block_size - 1) / cache.block_size);
    const at::Tensor key_block = table.index_select(0, key_positions.div(cache.block_size, "floor"));
    const at::Tensor key_offset = key_positions.remainder(cache.block_size);
    // [heads, L, head_dim], each KV head repeated for the query heads of its group
    const auto gather = [&](const at::Tensor& storage) {
      return storage.index({key_block, Slice(), key_offset})
          .to(at::kFloat)
          .transpose(0, 1)
          .repeat_interleave(a.heads / a.kv_heads, 0);
    };
    const at::Tensor own_query = query.slice(0, begin, end).transpose(0, 1);
    at::Tensor scores = at::matmul(own_query, gather(keys).transpose(1, 2)) * a.scale;
    if (a.softcap > 0) scores = a.softcap * at::tanh(scores / a.softcap);
    const at::Tensor query_positions = at::arange(first_query, context, at::kLong).unsqueeze(1);
    if (!a.alibi_slopes.empty()) {
      const at::Tensor slopes = at::tensor(at::ArrayRef<float>(a.alibi_slopes), at::kFloat).view({a.heads, 1, 1});
      const auto rounded = [](const at::Tensor& values) { return values.to(at::kBFloat16).to(at::kFloat); };
      if (a.rounded_alibi > 0) {
        const at::Tensor ahead = rounded(slopes * rounded(key_positions.unsqueeze(0)));
        scores = scores + a.rounded_alibi * (ahead - rounded(slopes * rounded(query_positions)));
      } else {
        scores = scores + slopes * (key_positions.unsqueeze(0) - query_positions).to(at::kFloat);
      }
    }
    at::Tensor hidden = at::zeros({end - begin, context - first_key}, at::kBool);
    if (a.causal) hidden = hidden.logical_or(key_positions.unsqueeze(0) > query_positions);
    if (a.window > 0) hidden = hidden.logical_or(key_positions.unsqueeze(0) <= query_positions - a.window);
    scores = scores.masked_fill(hidden, -INFINITY);
    const at::Tensor mixed = at::matmul(at::softmax(scores, -1), gather(values));
    outputs.push_back(mixed.transpose(0, 1).reshape({end - begin, a.heads * a.head_dim}));
  }
  return linear(*layer.find(Role::attention_output), at::cat(outputs));
}

}  // namespace graft

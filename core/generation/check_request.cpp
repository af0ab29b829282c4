#include "core/generation/check_request.h"

#include "core/base/memory_space.h"
#include "core/base/status.h"
#include "core/engine/model_plan.h"
#include "core/generation/image_input.h"
#include "core/generation/work/pooling.h"
#include "core/generation/work/work.h"

namespace graft {
namespace {

void check_kind(const RequestSpec& spec, const ModelConfig& config) {
  const std::string& name = config.architecture;
  const bool no_logits = config.head.kind == HeadKind::none || config.head.kind == HeadKind::embedding;
  if (spec.kind == RequestKind::logits && no_logits) {
    fail(StatusCode::unsupported, "{} gives hidden states and embeddings, no logits", name);
  }
  if (spec.kind == RequestKind::generate && (config.encoder || config.head.kind != HeadKind::language)) {
    fail(StatusCode::unsupported, "{} does not generate text: ask for logits, hidden states or an embedding", name);
  }
}

void check_image(const RequestSpec& spec, const ModelConfig& config) {
  const bool given = !spec.patches.empty();
  if (!config.image) {
    if (given) fail(StatusCode::unsupported, "{} takes no images", config.architecture);
    return;
  }
  if (!given) refuse_text(config);
  const size_t values = spec.prompt.size() * static_cast<size_t>(config.image->patch_values());
  if (spec.patches.size() != values) {
    fail(StatusCode::invalid_argument, "the patches have {} values, expected {}", spec.patches.size(), values);
  }
}

void check_tokens(const RequestSpec& spec, const ModelConfig& config) {
  if (spec.prompt.empty()) fail(StatusCode::invalid_argument, "the prompt has no tokens, expected at least one");
  for (size_t i = 0; i < spec.prompt.size(); ++i) {
    if (spec.prompt[i] < 0 || spec.prompt[i] >= config.vocabulary) {
      fail(StatusCode::invalid_argument, "prompt token {} is {}, expected 0 to {}", i, spec.prompt[i],
           config.vocabulary - 1);
    }
  }
  if (spec.token_types.empty()) return;
  if (config.token_types == 0) {
    fail(StatusCode::unsupported, "token_types: {} has none", config.architecture);
  }
  if (spec.token_types.size() != spec.prompt.size()) {
    fail(StatusCode::invalid_argument, "token_types has {} entries, expected one for each of the {} tokens",
         spec.token_types.size(), spec.prompt.size());
  }
  for (size_t i = 0; i < spec.token_types.size(); ++i) {
    if (spec.token_types[i] < 0 || spec.token_types[i] >= config.token_types) {
      fail(StatusCode::invalid_argument, "token type {} is {}, expected 0 to {}", i, spec.token_types[i],
           config.token_types - 1);
    }
  }
}

// Any other row would say nothing of the text.
void check_pooling(const RequestSpec& spec, const ModelConfig& config) {
  if (spec.kind != RequestKind::embed || spec.pooling != Pooling::token) return;
  if (config.head.kind == HeadKind::embedding) return;
  if (!config.pooled_token || !pooled_row(spec.prompt, *config.pooled_token)) {
    fail(StatusCode::invalid_argument,
         "the prompt has no token {}, the end of a text, whose row {} gives as embedding: add it or choose a pooling",
         config.pooled_token.value_or(-1), config.architecture);
  }
}

void check_length(const RequestSpec& spec, int64_t context) {
  const auto prompt = static_cast<int64_t>(spec.prompt.size());
  if (prompt > context || planned_length(spec, context) > context) {
    fail(StatusCode::limit_exceeded, "prompt of {} tokens and max_tokens {}: the context holds {}", prompt,
         spec.max_tokens, context);
  }
  if (spec.kind == RequestKind::generate && prompt == context && spec.max_tokens != 0) {
    fail(StatusCode::limit_exceeded, "prompt of {} tokens fills the context, no token can be generated", prompt);
  }
}

void check_answers(const RequestSpec& spec, const StepLimits& step) {
  if (spec.beams > 1 && spec.sequences > spec.beams) {
    fail(StatusCode::invalid_argument, "num_sequences is {}, expected at most num_beams, which is {}", spec.sequences,
         spec.beams);
  }
  if (width(spec) > step.sequences) {
    fail(StatusCode::limit_exceeded, "{} is {}, the engine runs at most {} sequences at once (max_sequences)",
         spec.beams > 1 ? "num_beams" : "num_sequences", width(spec), step.sequences);
  }
  if (spec.beams <= 1) return;
  if (!spec.stop_texts.empty()) fail(StatusCode::unsupported, "a stop text with num_beams above 1");
  if (spec.top_logprobs > 0) fail(StatusCode::unsupported, "top_logprobs with num_beams above 1");
}

// Memory that is promised and not there ends the process when it is written, not when it is asked for.
void check_result(const RequestSpec& spec, const ModelConfig& config) {
  if (spec.kind == RequestKind::generate) return;
  const bool logits = spec.kind == RequestKind::logits;
  const int64_t columns = logits ? config.output_width : config.hidden_width();
  const int64_t bytes = static_cast<int64_t>(spec.prompt.size()) * columns * static_cast<int64_t>(sizeof(float));
  if (bytes > physical_memory() / 2) {
    fail(StatusCode::limit_exceeded, "{} of {} tokens take {} bytes, expected at most half of this machine's {}",
         logits ? "logits" : "hidden states", spec.prompt.size(), bytes, physical_memory());
  }
}

void check_cache(const RequestSpec& spec, const ServiceLimits& limits) {
  const std::vector<int64_t> needed = needed_cache_blocks(spec, limits.cache_kinds, limits.step);
  for (size_t k = 0; k < needed.size(); ++k) {
    if (needed[k] > limits.cache_blocks[k]) {
      fail(StatusCode::limit_exceeded,
           "{} of up to {} tokens need {} cache blocks, the engine has {}: lower max_tokens or raise memory_limit",
           width(spec) > 1 ? "sequences" : "a sequence", planned_length(spec, limits.step.context), needed[k],
           limits.cache_blocks[k]);
    }
  }
}

}  // namespace

void check_request(const RequestSpec& spec, const ServiceLimits& limits) {
  check_kind(spec, limits.config);
  check_image(spec, limits.config);
  check_tokens(spec, limits.config);
  check_pooling(spec, limits.config);
  check_length(spec, limits.step.context);
  check_answers(spec, limits.step);
  check_result(spec, limits.config);
  check_cache(spec, limits);
}

}  // namespace graft

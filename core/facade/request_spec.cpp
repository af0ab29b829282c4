#include "core/facade/request_spec.h"

#include "core/base/status.h"
#include "core/facade/objects.h"

namespace graft::facade {
namespace {

struct NotYet {
  bool asked;
  const char* what;
};

void refuse(std::initializer_list<NotYet> wishes) {
  for (const NotYet& wish : wishes) {
    if (wish.asked) fail(StatusCode::unsupported, "{} is not in this release", wish.what);
  }
}

std::vector<int64_t> read_prompt(const graft::Engine& engine, const Input& input) {
  refuse({{input.decoder_token_count > 0, "an input's decoder_tokens"},
          {input.token_type_count > 0, "an input's token_types"},
          {input.tensor_count > 0, "an input's tensors"}});
  const int32_t given = (input.has_text != 0 ? 1 : 0) + (input.has_tokens != 0 ? 1 : 0) + (input.has_chat != 0 ? 1 : 0);
  if (given != 1) {
    fail(StatusCode::invalid_argument, "the input has {} of text, tokens and chat, expected exactly one", given);
  }
  if (input.has_tokens != 0) return {input.tokens, input.tokens + input.token_count};
  if (!engine.tokenizer()) {
    fail(StatusCode::unsupported, "{} needs a tokenizer: {}", input.has_chat != 0 ? "a chat" : "text",
         engine.tokenizer_problem());
  }
  if (input.has_text != 0) return engine.tokenizer()->encode(view(input.text), /*add_special=*/true);
  // The template writes the special tokens itself.
  const std::string text = engine.chat_template()->render(view(input.chat), R"({"add_generation_prompt": true})");
  return engine.tokenizer()->encode(text, /*add_special=*/false);
}

}  // namespace

RequestSpec read_spec(const graft::Engine& engine, const Input& input, const RequestOptions* options) {
  RequestSpec spec;
  spec.prompt = read_prompt(engine, input);
  if (options == nullptr) return spec;
  if (options->struct_size != static_cast<int64_t>(sizeof(RequestOptions))) {
    fail(StatusCode::version_mismatch, "request options have {} bytes, expected {}", options->struct_size,
         sizeof(RequestOptions));
  }
  const RequestOptions& o = *options;
  refuse({{o.kind == 2, "kind embed"},
          {o.kind == 3, "kind hidden"},
          {o.min_tokens > 0, "min_tokens"},
          {o.min_p > 0, "min_p"},
          {o.typical_p < 1, "typical_p"},
          {o.repetition_penalty != 1, "repetition_penalty"},
          {o.frequency_penalty != 0, "frequency_penalty"},
          {o.presence_penalty != 0, "presence_penalty"},
          {o.penalty_window > 0, "penalty_window"},
          {o.no_repeat_ngram > 0, "no_repeat_ngram"},
          {o.length_penalty != 1, "length_penalty"},
          {o.pooling != 0, "pooling"},
          {o.cache_salt.size > 0, "cache_salt"},
          {o.num_beams > 1, "num_beams above 1"},
          {o.num_sequences > 1, "num_sequences above 1"},
          {o.top_logprobs > 0, "top_logprobs"},
          {o.stop_string_count > 0, "a stop text"},
          {o.bias_count > 0, "logit_bias"},
          {o.allowed_token_count > 0, "allowed_tokens"},
          {o.banned_token_count > 0, "banned_tokens"}});
  spec.kind = o.kind == 1 ? RequestKind::logits : RequestKind::generate;
  spec.max_tokens = o.max_tokens;
  spec.sampling.greedy = o.greedy != 0;
  spec.sampling.temperature = o.temperature;
  spec.sampling.top_k = o.top_k;
  spec.sampling.top_p = o.top_p;
  spec.sampling.seed = o.seed;
  spec.ignore_eos = o.ignore_eos != 0;
  spec.stop_tokens.assign(o.stop_tokens, o.stop_tokens + o.stop_token_count);
  spec.priority = o.priority;
  spec.deadline_ms = o.deadline_ms;
  return spec;
}

}  // namespace graft::facade

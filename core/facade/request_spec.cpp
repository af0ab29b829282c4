#include "core/facade/request_spec.h"

#include "core/base/quote.h"
#include "core/base/status.h"
#include "core/facade/objects.h"
#include "core/generation/image_input.h"

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

const graft::Tokenizer& need_tokenizer(const graft::Engine& engine, const char* what) {
  if (!engine.tokenizer()) fail(StatusCode::unsupported, "{} needs a tokenizer: {}", what, engine.tokenizer_problem());
  return *engine.tokenizer();
}

// What is embedded is cut and prefixed as the model's own files say.
std::vector<int64_t> encode_text(const graft::Engine& engine, std::string_view text, RequestKind kind) {
  const graft::Tokenizer& tokenizer = need_tokenizer(engine, "text");
  if (kind != RequestKind::embed) return tokenizer.encode(text, /*add_special=*/true);
  const SentenceModel& sentence = engine.sentence_model();
  return tokenizer.encode(sentence.default_prompt + std::string(text), /*add_special=*/true, sentence.max_tokens);
}

// The template writes the special tokens itself.
std::vector<int64_t> encode_chat(const graft::Engine& engine, std::string_view messages) {
  const graft::Tokenizer& tokenizer = need_tokenizer(engine, "a chat");
  const std::string text = engine.chat_template()->render(messages, R"({"add_generation_prompt": true})");
  return tokenizer.encode(text, /*add_special=*/false);
}

void read_image(const ImageConfig& image, const Input& input, RequestSpec& spec) {
  if (input.tensor_count != 1) {
    fail(StatusCode::invalid_argument, "the input has {} tensors, expected one, \"pixel_values\"", input.tensor_count);
  }
  const NamedTensor& named = input.tensors[0];
  if (view(named.name) != "pixel_values") {
    fail(StatusCode::invalid_argument, "the input has a tensor {}, expected \"pixel_values\"", quote(view(named.name)));
  }
  const Tensor& tensor = named.tensor;
  if (tensor.dtype != static_cast<int32_t>(kernels::DType::float32)) {
    fail(StatusCode::invalid_argument, "\"pixel_values\" has dtype {}, expected float32, which is {}", tensor.dtype,
         static_cast<int32_t>(kernels::DType::float32));
  }
  take_image(image, {tensor.shape, static_cast<size_t>(tensor.rank)}, static_cast<const float*>(tensor.data), spec);
}

void read_input(const graft::Engine& engine, const Input& input, RequestSpec& spec) {
  const std::optional<ImageConfig>& image = engine.config().image;
  refuse({{input.decoder_token_count > 0, "an input's decoder_tokens"},
          {input.tensor_count > 0 && !image, "an input's tensors"}});
  const int given = (input.has_text != 0) + (input.has_tokens != 0) + (input.has_chat != 0);
  if (image && given > 0) refuse_text(engine.config());
  if (image) return read_image(*image, input, spec);
  if (given != 1) {
    fail(StatusCode::invalid_argument, "the input has {} of text, tokens and chat, expected one", given);
  }
  if (input.has_tokens != 0) {
    spec.prompt.assign(input.tokens, input.tokens + input.token_count);
  } else if (input.has_text != 0) {
    spec.prompt = encode_text(engine, view(input.text), spec.kind);
  } else {
    spec.prompt = encode_chat(engine, view(input.chat));
  }
  spec.token_types.assign(input.token_types, input.token_types + input.token_type_count);
}

void read_rules(const RequestOptions& o, LogitRules& rules) {
  rules.repetition_penalty = o.repetition_penalty;
  rules.frequency_penalty = o.frequency_penalty;
  rules.presence_penalty = o.presence_penalty;
  rules.penalty_window = o.penalty_window;
  rules.no_repeat_ngram = o.no_repeat_ngram;
  rules.min_tokens = o.min_tokens;
  for (int64_t i = 0; i < o.bias_count; ++i) rules.bias.emplace_back(o.bias_tokens[i], o.bias_values[i]);
  rules.allowed.assign(o.allowed_tokens, o.allowed_tokens + o.allowed_token_count);
  rules.banned.assign(o.banned_tokens, o.banned_tokens + o.banned_token_count);
}

void read_sampling(const RequestOptions& o, SamplingOptions& sampling) {
  sampling.greedy = o.greedy != 0;
  sampling.temperature = o.temperature;
  sampling.top_k = o.top_k;
  sampling.top_p = o.top_p;
  sampling.min_p = o.min_p;
  sampling.typical_p = o.typical_p;
  sampling.seed = o.seed;
}

// graft_pooling; 0 is the model's own, which also says whether the embedding is scaled to length 1.
void read_pooling(const graft::Engine& engine, int32_t pooling, RequestSpec& spec) {
  if (spec.kind != RequestKind::embed) return;
  const SentenceModel& own = engine.sentence_model();
  const Pooling poolings[] = {own.pooling, Pooling::mean, Pooling::cls, Pooling::last, Pooling::none};
  spec.pooling = poolings[pooling];
  spec.normalize = own.normalize && spec.pooling != Pooling::none;
}

void read_options(const graft::Engine& engine, const RequestOptions& o, RequestSpec& spec) {
  if (o.struct_size != static_cast<int64_t>(sizeof(RequestOptions))) {
    fail(StatusCode::version_mismatch, "request options have {} bytes, expected {}", o.struct_size,
         sizeof(RequestOptions));
  }
  refuse({{o.cache_salt.size > 0, "cache_salt"}});
  spec.kind = static_cast<RequestKind>(o.kind);
  spec.max_tokens = o.max_tokens;
  read_sampling(o, spec.sampling);
  read_rules(o, spec.rules);
  read_pooling(engine, o.pooling, spec);
  spec.ignore_eos = o.ignore_eos != 0;
  spec.stop_tokens.assign(o.stop_tokens, o.stop_tokens + o.stop_token_count);
  for (int64_t i = 0; i < o.stop_string_count; ++i) spec.stop_texts.push_back(string(o.stop_strings[i]));
  if (!spec.stop_texts.empty()) need_tokenizer(engine, "a stop text");
  spec.top_logprobs = o.top_logprobs;
  spec.sequences = o.num_sequences;
  spec.beams = o.num_beams;
  spec.length_penalty = o.length_penalty;
  spec.priority = o.priority;
  spec.deadline_ms = o.deadline_ms;
}

}  // namespace

RequestSpec read_spec(const graft::Engine& engine, const Input& input, const RequestOptions* options) {
  RequestSpec spec;
  if (options != nullptr) read_options(engine, *options, spec);
  read_input(engine, input, spec);
  return spec;
}

}  // namespace graft::facade

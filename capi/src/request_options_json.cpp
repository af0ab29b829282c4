// graft_request_options_set_json: each key goes through the setter of its name, so both have the same checks.
#include "capi/src/arguments.h"
#include "capi/src/json.h"
#include "capi/src/private.h"
#include "graft/request_options.h"

using namespace graft::capi;

namespace {

using Options = graft_request_options;

void set_kind(Options* options, const std::string& key, const Json& value) {
  check(graft_request_options_set_kind(options, json_choice(key, value, {"generate", "logits", "embed", "hidden"})));
}

void set_pooling(Options* options, const std::string& key, const Json& value) {
  check(graft_request_options_set_pooling(options, json_choice(key, value, {"model", "mean", "cls", "last", "none"})));
}

// {"token id": bias, ...}
void set_logit_bias(Options* options, const std::string& key, const Json& value) {
  if (!value.is_object()) fail_type(key, value, "an object of token ids and numbers");
  std::vector<int64_t> tokens;
  std::vector<double> values;
  for (const auto& [token, bias] : value.items()) {
    const bool digits =
        !token.empty() && token.size() <= 18 && token.find_first_not_of("0123456789") == std::string::npos;
    if (!digits) {
      fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s: found key %s, expected a token id", key.c_str(),
           in_quotes(token).c_str());
    }
    tokens.push_back(std::stoll(token));
    values.push_back(json_number(key, bias));
  }
  check(
      graft_request_options_set_logit_bias(options, tokens.data(), values.data(), static_cast<int64_t>(tokens.size())));
}

// One text or an array of texts; takes the place of those set before.
void set_stop(Options* options, const std::string& key, const Json& value) {
  options->stop.clear();
  if (value.is_string()) return set_text<graft_request_options_add_stop>(options, key, value);
  if (!value.is_array()) fail_type(key, value, "a text or an array of texts");
  for (const Json& text : value) set_text<graft_request_options_add_stop>(options, key, text);
}

constexpr JsonKey<Options> keys[] = {
    {"kind", set_kind},
    {"max_tokens", set_integer<graft_request_options_set_max_tokens>},
    {"min_tokens", set_integer<graft_request_options_set_min_tokens>},
    {"pooling", set_pooling},
    {"greedy", set_flag<graft_request_options_set_greedy>},
    {"temperature", set_number<graft_request_options_set_temperature>},
    {"top_k", set_integer<graft_request_options_set_top_k>},
    {"top_p", set_number<graft_request_options_set_top_p>},
    {"min_p", set_number<graft_request_options_set_min_p>},
    {"typical_p", set_number<graft_request_options_set_typical_p>},
    {"seed", set_integer<graft_request_options_set_seed>},
    {"repetition_penalty", set_number<graft_request_options_set_repetition_penalty>},
    {"frequency_penalty", set_number<graft_request_options_set_frequency_penalty>},
    {"presence_penalty", set_number<graft_request_options_set_presence_penalty>},
    {"penalty_window", set_integer<graft_request_options_set_penalty_window>},
    {"no_repeat_ngram", set_integer<graft_request_options_set_no_repeat_ngram>},
    {"ignore_eos", set_flag<graft_request_options_set_ignore_eos>},
    {"deadline_ms", set_integer<graft_request_options_set_deadline_ms>},
    {"num_beams", set_integer<graft_request_options_set_num_beams>},
    {"num_sequences", set_integer<graft_request_options_set_num_sequences>},
    {"length_penalty", set_number<graft_request_options_set_length_penalty>},
    {"top_logprobs", set_integer<graft_request_options_set_top_logprobs>},
    {"priority", set_integer<graft_request_options_set_priority>},
    {"logit_bias", set_logit_bias},
    {"allowed_tokens", set_integers<graft_request_options_set_allowed_tokens>},
    {"banned_tokens", set_integers<graft_request_options_set_banned_tokens>},
    {"stop", set_stop},
    {"stop_tokens", set_integers<graft_request_options_set_stop_tokens>},
    {"cache_salt", set_text<graft_request_options_set_cache_salt>},
};

}  // namespace

graft_status graft_request_options_set_json(graft_request_options* options, const char* json, int64_t json_size) {
  return call([&] {
    set_from_json(required("options", options), text("json", json, json_size), keys);
    return GRAFT_STATUS_OK;
  });
}

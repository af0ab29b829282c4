// Thunks of graft/request_options.h, without set_json.
#include "graft/request_options.h"

#include <cfloat>
#include <cinttypes>
#include <cmath>

#include "capi/src/arguments.h"
#include "capi/src/error.h"
#include "capi/src/private.h"

using namespace graft::capi;

graft_status graft_request_options_new(graft_request_options** out_options) {
  return call([&] {
    graft_request_options*& out = output_handle("out_options", out_options);
    out = new graft_request_options();
    return GRAFT_STATUS_OK;
  });
}

void graft_request_options_free(graft_request_options* options) { delete options; }

graft_status graft_request_options_set_kind(graft_request_options* options, graft_request_kind kind) {
  return call([&] {
    required("options", options).kind = choice("kind", kind, 4);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_max_tokens(graft_request_options* options, int64_t tokens) {
  return call([&] {
    required("options", options).max_tokens = integer("max_tokens", tokens, -1);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_min_tokens(graft_request_options* options, int64_t tokens) {
  return call([&] {
    required("options", options).min_tokens = integer("min_tokens", tokens, 0);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_pooling(graft_request_options* options, graft_pooling pooling) {
  return call([&] {
    required("options", options).pooling = choice("pooling", pooling, 5);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_greedy(graft_request_options* options, int32_t enabled) {
  return call([&] {
    required("options", options).greedy = flag("greedy", enabled);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_temperature(graft_request_options* options, double temperature) {
  return call([&] {
    required("options", options).temperature = number("temperature", temperature, 0, DBL_MAX);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_top_k(graft_request_options* options, int64_t top_k) {
  return call([&] {
    required("options", options).top_k = integer("top_k", top_k, 0);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_top_p(graft_request_options* options, double top_p) {
  return call([&] {
    required("options", options).top_p = number_above("top_p", top_p, 0, 1);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_min_p(graft_request_options* options, double min_p) {
  return call([&] {
    required("options", options).min_p = number("min_p", min_p, 0, 1);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_typical_p(graft_request_options* options, double typical_p) {
  return call([&] {
    required("options", options).typical_p = number_above("typical_p", typical_p, 0, 1);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_seed(graft_request_options* options, int64_t seed) {
  return call([&] {
    required("options", options).seed = integer("seed", seed, -1);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_repetition_penalty(graft_request_options* options, double penalty) {
  return call([&] {
    required("options", options).repetition_penalty = number_above("repetition_penalty", penalty, 0, DBL_MAX);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_frequency_penalty(graft_request_options* options, double penalty) {
  return call([&] {
    required("options", options).frequency_penalty = number("frequency_penalty", penalty, -DBL_MAX, DBL_MAX);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_presence_penalty(graft_request_options* options, double penalty) {
  return call([&] {
    required("options", options).presence_penalty = number("presence_penalty", penalty, -DBL_MAX, DBL_MAX);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_penalty_window(graft_request_options* options, int64_t tokens) {
  return call([&] {
    required("options", options).penalty_window = integer("penalty_window", tokens, 0);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_no_repeat_ngram(graft_request_options* options, int64_t length) {
  return call([&] {
    required("options", options).no_repeat_ngram = integer("no_repeat_ngram", length, 0);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_ignore_eos(graft_request_options* options, int32_t enabled) {
  return call([&] {
    required("options", options).ignore_eos = flag("ignore_eos", enabled);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_deadline_ms(graft_request_options* options, int64_t milliseconds) {
  return call([&] {
    required("options", options).deadline_ms = integer("deadline_ms", milliseconds, 0);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_num_beams(graft_request_options* options, int64_t beams) {
  return call([&] {
    required("options", options).num_beams = integer("num_beams", beams, 1);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_num_sequences(graft_request_options* options, int64_t sequences) {
  return call([&] {
    required("options", options).num_sequences = integer("num_sequences", sequences, 1);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_length_penalty(graft_request_options* options, double penalty) {
  return call([&] {
    required("options", options).length_penalty = number("length_penalty", penalty, -DBL_MAX, DBL_MAX);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_top_logprobs(graft_request_options* options, int64_t count) {
  return call([&] {
    required("options", options).top_logprobs = integer("top_logprobs", count, 0);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_priority(graft_request_options* options, int64_t priority) {
  return call([&] {
    required("options", options).priority = priority;
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_logit_bias(graft_request_options* options, const int64_t* tokens,
                                                  const double* values, int64_t count) {
  return call([&] {
    graft_request_options& self = required("options", options);
    std::vector<int64_t> bias_tokens = ids("logit_bias tokens", tokens, count);
    array("logit_bias values", values, count);
    for (int64_t i = 0; i < count; ++i) {
      if (std::isnan(values[i])) {
        fail(GRAFT_STATUS_INVALID_ARGUMENT, "logit_bias values: found NaN at position %" PRId64 ", expected a number",
             i);
      }
    }
    std::vector<double> bias_values;
    if (count > 0) bias_values.assign(values, values + count);
    self.bias_tokens = std::move(bias_tokens);
    self.bias_values = std::move(bias_values);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_allowed_tokens(graft_request_options* options, const int64_t* tokens,
                                                      int64_t token_count) {
  return call([&] {
    required("options", options).allowed_tokens = ids("allowed_tokens", tokens, token_count);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_banned_tokens(graft_request_options* options, const int64_t* tokens,
                                                     int64_t token_count) {
  return call([&] {
    required("options", options).banned_tokens = ids("banned_tokens", tokens, token_count);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_add_stop(graft_request_options* options, const char* stop, int64_t stop_size) {
  return call([&] {
    graft_request_options& self = required("options", options);
    const std::string_view value = text("stop", stop, stop_size);
    if (value.empty()) fail(GRAFT_STATUS_INVALID_ARGUMENT, "stop: found an empty text, expected one that is not");
    self.stop.emplace_back(value);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_stop_tokens(graft_request_options* options, const int64_t* tokens,
                                                   int64_t token_count) {
  return call([&] {
    required("options", options).stop_tokens = ids("stop_tokens", tokens, token_count);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_request_options_set_cache_salt(graft_request_options* options, const char* salt, int64_t salt_size) {
  return call([&] {
    required("options", options).cache_salt = text("cache_salt", salt, salt_size);
    return GRAFT_STATUS_OK;
  });
}

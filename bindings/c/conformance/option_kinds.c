/* Options, policies, measuring, callbacks. */
#include <stdlib.h>
#include <string.h>

#include "driver.h"

static void write_ok(graft_status status, Text* out) {
  if (!failed(status, out)) add(out, "ok");
}

static void engine_options(const Case* c, Text* out) {
  const Text* json = value(c, "json");
  graft_engine_options* options = NULL;
  graft_engine_options_new(&options);
  write_ok(graft_engine_options_set_json(options, json->bytes, json->size), out);
  graft_engine_options_free(options);
}

static void request_options(const Case* c, Text* out) {
  const Text* json = value(c, "json");
  graft_request_options* options = NULL;
  graft_request_options_new(&options);
  write_ok(graft_request_options_set_json(options, json->bytes, json->size), out);
  graft_request_options_free(options);
}

static graft_status set_by_name(graft_request_options* r, graft_engine_options* e, const char* name,
                                const char* given) {
  const int64_t number = strtoll(given, NULL, 10);
  if (strcmp(name, "temperature") == 0) return graft_request_options_set_temperature(r, strtod(given, NULL));
  if (strcmp(name, "top_p") == 0) return graft_request_options_set_top_p(r, strtod(given, NULL));
  if (strcmp(name, "max_tokens") == 0) return graft_request_options_set_max_tokens(r, number);
  if (strcmp(name, "top_k") == 0) return graft_request_options_set_top_k(r, number);
  if (strcmp(name, "seed") == 0) return graft_request_options_set_seed(r, number);
  if (strcmp(name, "threads") == 0) return graft_engine_options_set_threads(e, number);
  if (strcmp(name, "tensor_parallel") == 0) return graft_engine_options_set_tensor_parallel(e, number);
  return GRAFT_STATUS_INTERNAL;
}

static void set(const Case* c, Text* out) {
  graft_request_options* requests = NULL;
  graft_engine_options* engines = NULL;
  graft_request_options_new(&requests);
  graft_engine_options_new(&engines);
  write_ok(set_by_name(requests, engines, text_value(c, "name"), text_value(c, "value")), out);
  graft_request_options_free(requests);
  graft_engine_options_free(engines);
}

static void policy(const Case* c, Text* out) {
  const Text* json = value(c, "json");
  graft_policy* made = NULL;
  write_ok(graft_policy_from_json(json->bytes, json->size, &made), out);
  graft_policy_free(made);
}

static void row_parallel(const Case* c, Text* out) {
  const char* names[8];
  int64_t count = 0;
  char* copy = strdup(text_value(c, "names"));
  char* rest = copy;
  for (char* name = NULL; *copy != 0 && count < 8 && (name = strsep(&rest, ",")) != NULL;) names[count++] = name;
  graft_policy* made = NULL;
  write_ok(graft_policy_row_parallel(text_value(c, "class"), -1, names, count, &made), out);
  graft_policy_free(made);
  free(copy);
}

static void empty_arrays(const Case* c, Text* out) {
  graft_tokenizer* tokenizer = NULL;
  graft_input* input = NULL;
  graft_request_options* options = NULL;
  graft_string* text = NULL;
  if (!failed(shared_tokenizer(c->session, &tokenizer), out) && !failed(graft_input_new(&input), out) &&
      !failed(graft_request_options_new(&options), out) && !failed(graft_input_set_tokens(input, NULL, 0), out) &&
      !failed(graft_input_set_decoder_tokens(input, NULL, 0), out) &&
      !failed(graft_input_set_token_types(input, NULL, 0), out) &&
      !failed(graft_request_options_set_logit_bias(options, NULL, NULL, 0), out) &&
      !failed(graft_request_options_set_allowed_tokens(options, NULL, 0), out) &&
      !failed(graft_request_options_set_banned_tokens(options, NULL, 0), out) &&
      !failed(graft_request_options_set_stop_tokens(options, NULL, 0), out) &&
      !failed(graft_tokenizer_decode(tokenizer, NULL, 0, 1, &text), out)) {
    add(out, graft_string_size(text) == 0 ? "ok" : graft_string_data(text));
  }
  graft_string_free(text);
  graft_request_options_free(options);
  graft_input_free(input);
}

static void profile(const Case* c, Text* out) {
  const Text path = {(char*)c->session->paths[0], (int64_t)strlen(c->session->paths[0])};
  graft_engine* engine = NULL;
  graft_request* request = NULL;
  graft_profile* taken = NULL;
  graft_string* table = NULL;
  if (!failed(open_engine(&path, NULL, &engine), out) && !failed(graft_engine_profile(engine, 1), out) &&
      !failed(submit(c, engine, NULL, 0, &request), out) && !failed(pull(request, NULL, NULL, NULL), out) &&
      !failed(graft_profile_take(engine, &taken), out) && !failed(graft_profile_table(taken, &table), out)) {
    double milliseconds[64];
    int64_t count = 0;
    graft_profile_milliseconds(taken, milliseconds, 64, &count);
    add(out, count > 0 && count == graft_profile_count(taken) && milliseconds[0] > 0 ? "forwards" : "none");
    const char* explained = strstr(graft_string_data(table), "\"explained\":");
    add(out,
        explained != NULL && strtod(explained + strlen("\"explained\":"), NULL) > 0.5 ? " explained" : " unexplained");
  }
  graft_string_free(table);
  graft_profile_free(taken);
  graft_request_free(request);
  graft_engine_free(engine);
}

static void profile_off(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  graft_profile* taken = NULL;
  if (!failed(shared_engine(c->session, &engine), out)) write_ok(graft_profile_take(engine, &taken), out);
  graft_profile_free(taken);
}

static void take_line(void* user, graft_log_level level, const char* message) {
  Text* line = user;
  if (line->size > 0) return;
  add_format(line, "%d ", (int)level);
  add(line, message);
}

static void log_line(const Case* c, Text* out) {
  const Text* json = value(c, "json");
  graft_engine_options* options = NULL;
  graft_engine_options_new(&options);
  graft_log_set_callback(take_line, out);
  const graft_status status = graft_engine_options_set_json(options, json->bytes, json->size);
  graft_log_set_callback(NULL, NULL);
  failed(status, out);
  graft_engine_options_free(options);
}

static void cannot_throw(const Case* c, Text* out) {
  (void)c;
  add(out, "cannot be written");
}

typedef struct {
  double last;
  int falls, stop;
} Progress;

static int32_t take_progress(void* user, double fraction, const char* what) {
  Progress* progress = user;
  progress->falls |= fraction < progress->last || what[0] == 0;
  progress->last = fraction;
  return progress->stop;
}

static graft_status open_with(const Case* c, Progress* progress, Text* out) {
  graft_engine_options* options = NULL;
  graft_engine* engine = NULL;
  graft_engine_options_new(&options);
  graft_engine_options_set_progress(options, take_progress, progress);
  const graft_status status = graft_engine_open(text_value(c, "path"), -1, options, &engine);
  failed(status, out);
  graft_engine_free(engine);
  graft_engine_options_free(options);
  return status;
}

static void progress(const Case* c, Text* out) {
  Progress seen = {-1, 0, 0};
  if (open_with(c, &seen, out) == GRAFT_STATUS_OK)
    add(out, !seen.falls && seen.last == 1 ? "rising to 1" : "not rising to 1");
}

static void progress_cancel(const Case* c, Text* out) {
  Progress seen = {-1, 0, 1};
  if (open_with(c, &seen, out) == GRAFT_STATUS_OK) add(out, "opened");
}

const KindEntry option_kinds[] = {{"engine_options", engine_options},
                                  {"request_options", request_options},
                                  {"set", set},
                                  {"policy", policy},
                                  {"row_parallel", row_parallel},
                                  {"empty_arrays", empty_arrays},
                                  {"profile", profile},
                                  {"profile_off", profile_off},
                                  {"log", log_line},
                                  {"log_throws", cannot_throw},
                                  {"progress", progress},
                                  {"progress_cancel", progress_cancel},
                                  {"progress_throws", cannot_throw},
                                  {NULL, NULL}};

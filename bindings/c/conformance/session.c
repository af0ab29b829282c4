/* What the cases share: values of the table, engines, submitting and pulling. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

const Text* value(const Case* c, const char* key) {
  for (int i = 0; i < c->count; ++i) {
    if (strcmp(c->keys[i], key) == 0) return &c->values[i];
  }
  return NULL;
}

const char* text_value(const Case* c, const char* key) {
  const Text* found = value(c, key);
  return found == NULL ? "" : found->bytes;
}

int64_t number_value(const Case* c, const char* key, int64_t otherwise) {
  const Text* found = value(c, key);
  return found == NULL ? otherwise : strtoll(found->bytes, NULL, 10);
}

int64_t numbers_value(const Case* c, const char* key, int64_t* numbers, int64_t capacity) {
  int64_t count = 0;
  char* end = NULL;
  for (const char* p = text_value(c, key);; p = end) {
    const int64_t number = strtoll(p, &end, 10);
    if (end == p || count == capacity) return count;
    numbers[count++] = number;
  }
}

int failed(graft_status status, Text* out) {
  if (status == GRAFT_STATUS_OK) return 0;
  const char* message = graft_last_error_message();
  add(out, graft_status_name(status));
  add(out, " ");
  add(out, message);
  return 1;
}

graft_status open_engine(const Text* path, const Text* json, graft_engine** engine) {
  graft_engine_options* options = NULL;
  graft_status status = graft_engine_options_new(&options);
  if (status == GRAFT_STATUS_OK && json != NULL) {
    status = graft_engine_options_set_json(options, json->bytes, json->size);
  }
  if (status == GRAFT_STATUS_OK) status = graft_engine_open(path->bytes, path->size, options, engine);
  graft_engine_options_free(options);
  return status;
}

static graft_status open_one_thread(const char* path, graft_engine** engine) {
  const Text where = {(char*)path, (int64_t)strlen(path)};
  char json[] = "{\"threads\": 1}";
  const Text options = {json, (int64_t)sizeof json - 1};
  return open_engine(&where, &options, engine);
}

graft_status shared_engine(Session* session, graft_engine** engine) {
  graft_status status = GRAFT_STATUS_OK;
  if (session->engine == NULL) status = open_one_thread(session->paths[0], &session->engine);
  *engine = session->engine;
  return status;
}

graft_status shared_tokenizer(Session* session, graft_tokenizer** tokenizer) {
  graft_status status = GRAFT_STATUS_OK;
  if (session->tokenizer == NULL) status = graft_tokenizer_open(session->paths[0], -1, &session->tokenizer);
  *tokenizer = session->tokenizer;
  return status;
}

graft_status case_engine(const Case* c, graft_engine** engine) {
  const Text* json = value(c, "engine");
  if (json == NULL) return shared_engine(c->session, engine);
  const Text path = {(char*)c->session->paths[0], (int64_t)strlen(c->session->paths[0])};
  return open_engine(&path, json, engine);
}

void release_engine(const Case* c, graft_engine* engine) {
  if (value(c, "engine") != NULL) graft_engine_free(engine);
}

graft_status make_options(const Case* c, graft_request_options** options) {
  const Text* json = value(c, "options");
  graft_status status = graft_request_options_new(options);
  if (status != GRAFT_STATUS_OK || json == NULL) return status;
  return graft_request_options_set_json(*options, json->bytes, json->size);
}

static graft_status set_input(const Case* c, graft_input* input) {
  int64_t tokens[256];
  const Text* prompt = value(c, "prompt");
  const Text* chat = value(c, "chat");
  graft_status status = GRAFT_STATUS_OK;
  if (prompt != NULL) status = graft_input_set_text(input, prompt->bytes, prompt->size);
  if (status == GRAFT_STATUS_OK && chat != NULL) status = graft_input_set_chat(input, chat->bytes, chat->size);
  if (status == GRAFT_STATUS_OK && value(c, "tokens") != NULL) {
    status = graft_input_set_tokens(input, tokens, numbers_value(c, "tokens", tokens, 256));
  }
  return status;
}

graft_status submit(const Case* c, graft_engine* engine, graft_queue* queue, int64_t tag, graft_request** request) {
  graft_request_options* options = NULL;
  graft_input* input = NULL;
  graft_status status = make_options(c, &options);
  if (status == GRAFT_STATUS_OK) status = graft_input_new(&input);
  if (status == GRAFT_STATUS_OK) status = set_input(c, input);
  if (status == GRAFT_STATUS_OK) status = graft_request_submit(engine, input, options, queue, tag, request);
  graft_input_free(input);
  graft_request_options_free(options);
  return status;
}

graft_status pull(graft_request* request, Visit visit, void* state, Text* message) {
  graft_event* event = NULL;
  graft_status status = graft_event_new(&event), failure = GRAFT_STATUS_OK;
  while (status == GRAFT_STATUS_OK && (status = graft_request_next(request, 60000, event)) == GRAFT_STATUS_OK) {
    if (visit != NULL) visit(state, event);
    if (graft_event_kind(event) != GRAFT_EVENT_ERROR) continue;
    failure = graft_event_status(event);
    if (message != NULL) add(message, graft_event_message(event));
  }
  graft_event_free(event);
  return status == GRAFT_STATUS_END ? failure : status;
}

void write_tensor(const graft_tensor* tensor, Text* out) {
  static const char* const names[] = {"?",     "float32", "bfloat16", "float16", "int8",   "int4",
                                      "int32", "int64",   "uint8",    "boolean", "float64"};
  const unsigned char* bytes = graft_tensor_data(tensor);
  uint64_t hash = 0xCBF29CE484222325u;
  for (int64_t i = 0; i < graft_tensor_byte_size(tensor); ++i) hash = (hash ^ bytes[i]) * 0x100000001B3u;
  add_format(out, "%s [", names[graft_tensor_dtype(tensor)]);
  for (int32_t i = 0; i < graft_tensor_rank(tensor); ++i) {
    add_format(out, "%s%lld", i > 0 ? ", " : "", (long long)graft_tensor_shape(tensor)[i]);
  }
  add_format(out, "] %016llx", (unsigned long long)hash);
}

/* Who may be freed before whom, tensors read in place, failures of two threads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

static const char one_thread[] = "{\"threads\": 1}";

static graft_status open_own(const Case* c, graft_engine** engine) {
  const Text path = {(char*)c->session->paths[0], (int64_t)strlen(c->session->paths[0])};
  const Text options = {(char*)one_thread, (int64_t)sizeof one_thread - 1};
  return open_engine(&path, &options, engine);
}

static void take_text(void* state, const graft_event* event) {
  int64_t size = 0;
  const char* text = graft_event_text(event, &size);
  add_bytes(state, text, size);
}

/* In C "closed twice" is: freed, set to NULL, freed again. */
static void double_close(const Case* c, Text* out) {
  const char* of = text_value(c, "of");
  if (strcmp(of, "engine") == 0) {
    graft_engine* engine = NULL;
    if (failed(open_own(c, &engine), out)) return;
    graft_engine_free(engine);
    engine = NULL;
    graft_engine_free(engine);
  } else if (strcmp(of, "tokenizer") == 0) {
    graft_tokenizer* tokenizer = NULL;
    if (failed(graft_tokenizer_open(c->session->paths[0], -1, &tokenizer), out)) return;
    graft_tokenizer_free(tokenizer);
    tokenizer = NULL;
    graft_tokenizer_free(tokenizer);
  } else if (strcmp(of, "request") == 0) {
    const Case with_prompt = {c->session, {"prompt"}, {{"What is", 7}}, 1};
    graft_engine* engine = NULL;
    graft_request* request = NULL;
    if (failed(shared_engine(c->session, &engine), out)) return;
    if (failed(submit(&with_prompt, engine, NULL, 0, &request), out)) return;
    graft_request_free(request);
    request = NULL;
    graft_request_free(request);
  } else if (strcmp(of, "tensor") == 0) {
    const int64_t shape[] = {2};
    const float values[] = {1, 2};
    graft_tensor* tensor = NULL;
    if (failed(graft_tensor_new(GRAFT_DTYPE_FLOAT32, shape, 1, values, sizeof values, &tensor), out)) return;
    graft_tensor_free(tensor);
    tensor = NULL;
    graft_tensor_free(tensor);
  } else if (strcmp(of, "queue") == 0) {
    graft_queue* queue = NULL;
    if (failed(graft_queue_new(&queue), out)) return;
    graft_queue_free(queue);
    queue = NULL;
    graft_queue_free(queue);
  } else {
    add(out, "no such object");
    return;
  }
  add(out, "ok");
}

static void use_after_close(const Case* c, Text* out) {
  (void)c;
  add(out, "cannot be written");
}

static void engine_first(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  graft_request* request = NULL;
  if (failed(open_own(c, &engine), out)) return;
  const graft_status status = submit(c, engine, NULL, 0, &request);
  if (!failed(status, out)) {
    graft_engine_free(engine);
    pull(request, take_text, out, NULL);
    engine = NULL;
  }
  graft_request_free(request);
  graft_engine_free(engine);
}

static void tokenizer_first(const Case* c, Text* out) {
  graft_tokenizer* tokenizer = NULL;
  graft_decoder* decoder = NULL;
  int64_t ids[64];
  const int64_t count = numbers_value(c, "tokens", ids, 64);
  if (failed(graft_tokenizer_open(c->session->paths[0], -1, &tokenizer), out)) return;
  graft_status status = graft_decoder_new(tokenizer, 1, &decoder);
  graft_tokenizer_free(tokenizer);
  for (int64_t i = 0; i < count && status == GRAFT_STATUS_OK; ++i) {
    graft_string* text = NULL;
    status = graft_decoder_push(decoder, ids[i], &text);
    add_bytes(out, graft_string_data(text), graft_string_size(text));
    graft_string_free(text);
  }
  failed(status, out);
  graft_decoder_free(decoder);
}

static void write_result(graft_status status, graft_request* request, const char* name, int first_free, Text* out) {
  graft_tensor* tensor = NULL;
  if (failed(status, out)) return;
  if (!failed(graft_request_wait(request, -1), out) && !failed(graft_request_tensor(request, name, -1, &tensor), out)) {
    if (first_free) graft_request_free(request);
    write_tensor(tensor, out);
    if (first_free) request = NULL;
  }
  graft_tensor_free(tensor);
  graft_request_free(request);
}

static void request_first(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  graft_request* request = NULL;
  if (failed(open_own(c, &engine), out)) return;
  const graft_status status = submit(c, engine, NULL, 0, &request);
  if (failed(status, out)) return;
  graft_engine_free(engine);
  write_result(status, request, "logits", 1, out);
}

static void options_first(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  graft_request* request = NULL;
  if (failed(shared_engine(c->session, &engine), out)) return;
  if (!failed(submit(c, engine, NULL, 0, &request), out)) pull(request, take_text, out, NULL); /* submit frees them */
  graft_request_free(request);
}

static void parent_first(const Case* c, Text* out) {
  const char* of = text_value(c, "of");
  if (strcmp(of, "engine") == 0)
    engine_first(c, out);
  else if (strcmp(of, "tokenizer") == 0)
    tokenizer_first(c, out);
  else if (strcmp(of, "request") == 0)
    request_first(c, out);
  else if (strcmp(of, "options") == 0)
    options_first(c, out);
  else
    add(out, "no such parent");
}

/* C collects nothing: everything is freed in the order in which the other languages drop it. */
static void unreachable(const Case* c, Text* out) {
  const int64_t shape[] = {1};
  const float one = 1;
  graft_engine* engine = NULL;
  graft_tokenizer* tokenizer = NULL;
  graft_request* request = NULL;
  graft_tensor* tensor = NULL;
  graft_queue* queue = NULL;
  graft_event* event = NULL;
  if (failed(open_own(c, &engine), out) || failed(graft_engine_tokenizer(engine, &tokenizer), out) ||
      failed(submit(c, engine, NULL, 0, &request), out) || failed(graft_event_new(&event), out) ||
      failed(graft_request_next(request, -1, event), out) ||
      failed(graft_tensor_new(GRAFT_DTYPE_FLOAT32, shape, 1, &one, sizeof one, &tensor), out) ||
      failed(graft_queue_new(&queue), out)) {
    return;
  }
  graft_engine_free(engine);
  graft_tokenizer_free(tokenizer);
  graft_request_free(request);
  graft_tensor_free(tensor);
  graft_queue_free(queue);
  graft_event_free(event);
  for (const KindEntry* entry = generate_kinds; entry->name != NULL; ++entry) {
    if (strcmp(entry->name, "generate") == 0) entry->run(c, out);
  }
}

static void tensor(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  graft_request* request = NULL;
  if (failed(case_engine(c, &engine), out)) return;
  const graft_status status = submit(c, engine, NULL, 0, &request);
  write_result(status, request, text_value(c, "result"), 0, out);
  release_engine(c, engine);
}

static void embed(const Case* c, Text* out) {
  const Text path = {(char*)c->session->paths[1], (int64_t)strlen(c->session->paths[1])};
  const Text options = {(char*)one_thread, (int64_t)sizeof one_thread - 1};
  graft_request_options* wanted = NULL;
  graft_input* input = NULL;
  graft_request* request = NULL;
  graft_status status = GRAFT_STATUS_OK;
  if (c->session->embedder == NULL) status = open_engine(&path, &options, &c->session->embedder);
  if (status == GRAFT_STATUS_OK) status = make_options(c, &wanted);
  if (status == GRAFT_STATUS_OK) status = graft_request_options_set_kind(wanted, GRAFT_REQUEST_EMBED);
  if (status == GRAFT_STATUS_OK) status = graft_input_new(&input);
  if (status == GRAFT_STATUS_OK) status = graft_input_set_text(input, value(c, "text")->bytes, value(c, "text")->size);
  if (status == GRAFT_STATUS_OK) {
    status = graft_request_submit(c->session->embedder, input, wanted, NULL, 0, &request);
  }
  write_result(status, request, "embedding", 0, out);
  graft_input_free(input);
  graft_request_options_free(wanted);
}

static void tensor_new(const Case* c, Text* out) {
  int64_t shape[GRAFT_TENSOR_MAX_RANK];
  const int32_t rank = (int32_t)numbers_value(c, "shape", shape, GRAFT_TENSOR_MAX_RANK);
  const int64_t size = number_value(c, "bytes", 0);
  graft_tensor* made = NULL;
  void* bytes = calloc(1, (size_t)size + 1);
  if (!failed(graft_tensor_new((graft_dtype)number_value(c, "dtype", 0), shape, rank, bytes, size, &made), out)) {
    add(out, "ok");
  }
  free(bytes);
  graft_tensor_free(made);
}

static void input_tensor(const Case* c, Text* out) {
  const float zeros[64] = {0};
  int64_t shape[GRAFT_TENSOR_MAX_RANK], size = (int64_t)sizeof(float);
  const int32_t rank = (int32_t)numbers_value(c, "shape", shape, GRAFT_TENSOR_MAX_RANK);
  for (int32_t i = 0; i < rank; ++i) size *= shape[i];
  graft_engine* engine = NULL;
  graft_tensor* made = NULL;
  graft_input* input = NULL;
  graft_request* request = NULL;
  if (!failed(shared_engine(c->session, &engine), out) &&
      !failed(graft_tensor_new(GRAFT_DTYPE_FLOAT32, shape, rank, zeros, size, &made), out) &&
      !failed(graft_input_new(&input), out) &&
      !failed(graft_input_set_tensor(input, text_value(c, "result"), -1, made), out) &&
      !failed(graft_request_submit(engine, input, NULL, NULL, 0, &request), out)) {
    add(out, "ok");
  }
  graft_request_free(request);
  graft_input_free(input);
  graft_tensor_free(made);
}

typedef struct {
  const Case* c;
  pthread_barrier_t* barrier;
  Text first;
  int opens, mixed;
} Failing;

static void* fail_again(void* state) {
  Failing* failing = state;
  const Text* path = value(failing->c, "path");
  const Text* json = value(failing->c, "json");
  graft_engine_options* options = NULL;
  graft_engine_options_new(&options);
  for (int64_t i = 0; i < number_value(failing->c, "rounds", 1); ++i) {
    graft_engine* engine = NULL;
    Text text = {0};
    pthread_barrier_wait(failing->barrier);
    const graft_status status = failing->opens ? graft_engine_open(path->bytes, path->size, NULL, &engine)
                                               : graft_engine_options_set_json(options, json->bytes, json->size);
    pthread_barrier_wait(failing->barrier); /* both have failed before either reads its text */
    failed(status, &text);
    if (i == 0) failing->first = text;
    if (i == 0) continue;
    failing->mixed |= text.size != failing->first.size || memcmp(text.bytes, failing->first.bytes, text.size) != 0;
    clear(&text);
  }
  graft_engine_options_free(options);
  return NULL;
}

static void error_threads(const Case* c, Text* out) {
  pthread_barrier_t barrier;
  pthread_t thread;
  pthread_barrier_init(&barrier, NULL, 2);
  Failing here = {c, &barrier, {0}, 1, 0}, there = {c, &barrier, {0}, 0, 0};
  if (pthread_create(&thread, NULL, fail_again, &there) != 0) return;
  fail_again(&here);
  pthread_join(thread, NULL);
  if (here.mixed || there.mixed) {
    add(out, "mixed");
  } else {
    add_bytes(out, here.first.bytes, here.first.size);
    add(out, " || ");
    add_bytes(out, there.first.bytes, there.first.size);
  }
  clear(&here.first);
  clear(&there.first);
  pthread_barrier_destroy(&barrier);
}

const KindEntry lifetime_kinds[] = {{"double_close", double_close},
                                    {"use_after_close", use_after_close},
                                    {"parent_first", parent_first},
                                    {"unreachable", unreachable},
                                    {"tensor", tensor},
                                    {"embed", embed},
                                    {"tensor_new", tensor_new},
                                    {"input_tensor", input_tensor},
                                    {"error_threads", error_threads},
                                    {NULL, NULL}};

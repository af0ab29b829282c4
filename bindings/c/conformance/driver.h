/* What the cases of the C driver share: the case's values, the outcome that is written, handles of the model. */
#ifndef GRAFT_CONFORMANCE_DRIVER_H
#define GRAFT_CONFORMANCE_DRIVER_H

#include <graft/graft.h>

#include "text.h"

enum { most_keys = 12 };

/* The directories of the command line, and what is opened once. */
typedef struct {
  const char* names[3]; /* "${model}", ... */
  const char* paths[3];
  graft_engine* engine;
  graft_engine* embedder;
  graft_tokenizer* tokenizer;
} Session;

typedef struct {
  Session* session;
  const char* keys[most_keys];
  Text values[most_keys];
  int count;
} Case;

/* The outcome goes to `out`. */
typedef void (*Kind)(const Case* c, Text* out);

typedef struct {
  const char* name;
  Kind run;
} KindEntry;

/* Each file of cases has one table, ended by a NULL name. */
extern const KindEntry text_kinds[], generate_kinds[], lifetime_kinds[], option_kinds[], queue_kinds[];

/* The value of a key, or NULL. */
const Text* value(const Case* c, const char* key);
/* Its bytes; "" where it is not given. */
const char* text_value(const Case* c, const char* key);
int64_t number_value(const Case* c, const char* key, int64_t otherwise);
/* Numbers with a space between; returns how many. */
int64_t numbers_value(const Case* c, const char* key, int64_t* numbers, int64_t capacity);

/* Writes "STATUS text" of the failure that this thread's last call returned. True when it was one. */
int failed(graft_status status, Text* out);

/* A case's engine: of its own when it has the key `engine` (give it back with release_engine), else the shared one. */
graft_status case_engine(const Case* c, graft_engine** engine);
void release_engine(const Case* c, graft_engine* engine);
graft_status open_engine(const Text* path, const Text* json, graft_engine** engine);
graft_status shared_engine(Session* session, graft_engine** engine);
graft_status shared_tokenizer(Session* session, graft_tokenizer** tokenizer);

/* Submits the case's input with its options and `tag` to a queue or none. */
graft_status submit(const Case* c, graft_engine* engine, graft_queue* queue, int64_t tag, graft_request** request);
graft_status make_options(const Case* c, graft_request_options** options);

/* Pulls to the end; every event goes to `visit` first, which may be NULL. The status of a failed request, else OK; its
 * text is then in `message`. */
typedef void (*Visit)(void* state, const graft_event* event);
graft_status pull(graft_request* request, Visit visit, void* state, Text* message);

/* "float32 [2, 3] <hash>". */
void write_tensor(const graft_tensor* tensor, Text* out);

#endif

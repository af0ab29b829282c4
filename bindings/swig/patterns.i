// Which arguments and results of the headers are which entry of the catalogue (README.md). An argument that fits none
// stops the build of the glue: language.i gives `const char *` and `TYPE *` no other way in.

// Text in: UTF-8 and its length.
%apply (const char *TEXT, int64_t SIZE) {
  (const char *path, int64_t path_size),
  (const char *directory, int64_t directory_size),
  (const char *device, int64_t device_size),
  (const char *dtype, int64_t dtype_size),
  (const char *injection, int64_t injection_size),
  (const char *address, int64_t address_size),
  (const char *json, int64_t json_size),
  (const char *layer_class, int64_t layer_class_size),
  (const char *text, int64_t text_size),
  (const char *piece, int64_t piece_size),
  (const char *messages, int64_t messages_size),
  (const char *options, int64_t options_size),
  (const char *name, int64_t name_size),
  (const char *salt, int64_t salt_size)
};

// Arrays in.
%apply (const int64_t *NUMBERS, int64_t COUNT) {
  (const int64_t *tokens, int64_t token_count),
  (const int64_t *types, int64_t type_count)
};
%apply (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) {
  (const int64_t *tokens, const double *values, int64_t count)
};
%apply (const char *const *TEXTS, int64_t COUNT) { (const char *const *names, int64_t name_count) };
%apply (const int64_t *SHAPE, int32_t RANK) { (const int64_t *shape, int32_t rank) };
%apply (const void *BYTES, int64_t SIZE) { (const void *data, int64_t data_size) };

// Arrays out: the caller's buffer, and how many there are.
%apply (int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT) {
  (int64_t *out_tokens, int64_t capacity, int64_t *out_count)
};
%apply (double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) {
  (double *out_milliseconds, int64_t capacity, int64_t *out_count)
};
%apply (int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) {
  (int64_t *out_tokens, double *out_logprobs, int64_t capacity, int64_t *out_count)
};

// One result out.
%apply graft_string **OUT_TEXT { graft_string **out_json, graft_string **out_text, graft_string **out_piece };
%apply int64_t *OUT_NUMBER { int64_t *out_token };
%apply SWIGTYPE **OUT_HANDLE {
  graft_engine **out_engine, graft_engine_options **out_options, graft_request_options **out_options,
  graft_event **out_event, graft_input **out_input, graft_queue **out_queue, graft_request **out_request,
  graft_tensor **out_tensor, graft_tokenizer **out_tokenizer, graft_decoder **out_decoder,
  graft_policy **out_policy, graft_profile **out_profile
};

// Where TIMEOUT or END is an answer and no failure.
%apply graft_status POLL {
  graft_status graft_engine_close, graft_status graft_engine_wait, graft_status graft_request_next,
  graft_status graft_request_wait, graft_status graft_queue_next
};

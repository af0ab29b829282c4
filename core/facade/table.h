// The boundary between libgraft.so (C ABI, loader) and libgraft_core.so (everything that needs LibTorch): one versioned
// table of functions on plain structs. No std type, no exception and no RTTI crosses it; both sides compile this file
// and carry the same build hash, or the load is refused.
//
// Conventions. Strings are pointer + byte length, UTF-8, borrowed for the call. A function that can fail returns a
// graft_status number and writes the text into *error (NUL-terminated, truncated to its capacity). Objects of the core
// are opaque pointers with shared ownership inside: children keep parents alive, `*_free` never blocks and takes null.
// Every function may be called from any thread unless it says otherwise.
#pragma once

#include <cstdint>

namespace graft::facade {

inline constexpr int32_t table_version = 1;

struct Text {
  const char* data;
  int64_t size;
};

/// Caller-owned buffer for the message of a failure.
struct ErrorText {
  char* data;
  int64_t capacity;
};

/// Growable bytes that live on the caller's side: `reserve` makes data at least `capacity` bytes (null: out of memory).
struct Buffer {
  char* data;
  int64_t size;
  int64_t capacity;
  char* (*reserve)(Buffer* self, int64_t capacity);
};

struct Tensor {
  int32_t dtype;  ///< kernels::DType
  int32_t rank;
  int64_t shape[8];
  const void* data;  ///< contiguous, host memory
  int64_t byte_size;
  void* owner;  ///< kept until release(owner); null when the data is borrowed for the call
  void (*release)(void* owner);
};

/// A user's row-parallel plan for one layer class (injection mode 1).
struct RowParallel {
  Text layer_class;
  const Text* names;
  int64_t name_count;
};

struct EngineOptions {
  int64_t struct_size;
  Text device;                ///< "auto", "cpu", "cuda", "cuda:N"
  Text dtype;                 ///< "auto", "float32", "bfloat16", "float16", "int8", "int4"
  Text injection;             ///< "kernel", "auto", "none"; empty: "auto" with a row-parallel plan, else "kernel"
  int32_t quantization_bits;  ///< 0: none
  int64_t quantization_group;
  int64_t tensor_parallel;
  int64_t tensor_parallel_grain;
  int64_t expert_parallel;
  int64_t rank;  ///< -1: all ranks in this process
  int64_t world;
  Text address;
  int64_t port;
  int64_t timeout_ms;
  int32_t graph;          ///< 0 off, 1 on
  int64_t threads;        ///< 0: one per core
  int64_t context_limit;  ///< 0: the model's
  int64_t least_context;  ///< the context must not be shorter; 0: any
  int64_t max_sequences;  ///< 0: default
  int64_t max_queue;      ///< 0: default
  int64_t run_ahead_ms;   ///< 0: as little as can be
  int64_t memory_limit;   ///< bytes, 0: none
  int32_t read_weights;   ///< 0 map, 1 read
  const Text* policies;   ///< architectures given as JSON
  int64_t policy_count;
  const RowParallel* row_parallel;
  int64_t row_parallel_count;
  /// Load progress in [0, 1]; returning nonzero cancels the load. Called on the thread that opens. May be null.
  int32_t (*progress)(void* user, double fraction, const char* what);
  void* progress_user;
};

struct RequestOptions {
  int64_t struct_size;
  int32_t kind;        ///< 0 generate, 1 logits, 2 embed, 3 hidden
  int64_t max_tokens;  ///< -1: up to the context limit
  int64_t min_tokens;
  int32_t greedy;
  double temperature;
  int64_t top_k;  ///< 0: off
  double top_p;   ///< 1: off
  double min_p;
  double typical_p;
  double repetition_penalty;
  double frequency_penalty;
  double presence_penalty;
  int64_t penalty_window;
  int64_t no_repeat_ngram;
  int64_t seed;  ///< -1: drawn
  int32_t ignore_eos;
  int64_t num_beams;
  int64_t num_sequences;
  double length_penalty;
  int32_t pooling;
  int64_t top_logprobs;
  int64_t priority;
  int64_t deadline_ms;  ///< 0: none
  Text cache_salt;
  const Text* stop_strings;
  int64_t stop_string_count;
  const int64_t* stop_tokens;
  int64_t stop_token_count;
  const int64_t* bias_tokens;  ///< logit bias, pairs with bias_values
  const double* bias_values;
  int64_t bias_count;
  const int64_t* allowed_tokens;
  int64_t allowed_token_count;
  const int64_t* banned_tokens;
  int64_t banned_token_count;
};

struct NamedTensor {
  Text name;
  Tensor tensor;
};

struct Input {
  int64_t struct_size;
  int32_t has_text;
  Text text;
  int32_t has_tokens;
  const int64_t* tokens;
  int64_t token_count;
  int32_t has_chat;
  Text chat;  ///< messages as JSON
  const int64_t* decoder_tokens;
  int64_t decoder_token_count;
  const int64_t* token_types;
  int64_t token_type_count;
  const NamedTensor* tensors;
  int64_t tensor_count;
};

/// Refilled by request_next and queue_next. Buffers keep their capacity, so a stream of tokens allocates nothing.
struct Event {
  int32_t kind;  ///< 0 token, 1 text, 2 progress, 3 finished, 4 error
  int64_t tag;
  int64_t sequence;
  int64_t token;  ///< -1 when the event has none
  double logprob;
  int32_t finish_reason;  ///< 0 none, 1 stop, 2 length, 3 cancelled, 4 deadline, 5 error
  int64_t prompt_tokens;
  int64_t completion_tokens;
  int64_t cached_tokens;
  double progress;
  int32_t last;  ///< 1: nothing more will come of its request
  int32_t status;
  int64_t top_count;
  const int64_t* top_tokens;  ///< into `top`, valid until the event is refilled
  const double* top_logprobs;
  Buffer text;
  Buffer message;
  Buffer top;
};

struct Engine;
struct Tokenizer;
struct Decoder;
struct Request;
struct Queue;
struct Profile;

struct Table {
  int32_t version;
  const char* build_hash;

  // Log: level as in graft/log.h; message NUL-terminated. Called from any thread with no lock held.
  void (*log_set)(int32_t level, void (*write)(void* user, int32_t level, const char* message), void* user);
  /// JSON object: devices, LibTorch, kernel variants, CUDA plug-in or why not.
  int32_t (*doctor)(Buffer* out_json, ErrorText* error);

  int32_t (*engine_inspect)(Text path, const EngineOptions* options, Buffer* out_json, ErrorText* error);
  int32_t (*engine_open)(Text path, const EngineOptions* options, Engine** out, ErrorText* error);
  int32_t (*engine_tokenizer)(Engine* engine, Tokenizer** out, ErrorText* error);
  int32_t (*engine_info)(Engine* engine, Buffer* out_json, ErrorText* error);
  int32_t (*engine_stats)(Engine* engine, Buffer* out_json, ErrorText* error);
  int32_t (*engine_wait)(Engine* engine, int64_t timeout_ms, ErrorText* error);
  int32_t (*engine_close)(Engine* engine, int64_t timeout_ms, ErrorText* error);
  int32_t (*engine_save)(Engine* engine, Text directory, ErrorText* error);
  int32_t (*engine_profile)(Engine* engine, int32_t on, ErrorText* error);
  void (*engine_free)(Engine* engine);

  int32_t (*profile_take)(Engine* engine, Profile** out, ErrorText* error);
  int64_t (*profile_count)(const Profile* profile);
  int32_t (*profile_milliseconds)(const Profile* profile, double* out, int64_t capacity, int64_t* out_count,
                                  ErrorText* error);
  int32_t (*profile_table)(const Profile* profile, Buffer* out_json, ErrorText* error);
  void (*profile_free)(Profile* profile);

  int32_t (*tokenizer_open)(Text path, Tokenizer** out, ErrorText* error);
  /// Writes up to capacity ids; *out_count is the number needed; BUFFER_TOO_SMALL when it exceeds the capacity.
  int32_t (*tokenizer_encode)(Tokenizer* tokenizer, Text text, int32_t add_special, int64_t* out, int64_t capacity,
                              int64_t* out_count, ErrorText* error);
  int32_t (*tokenizer_decode)(Tokenizer* tokenizer, const int64_t* tokens, int64_t count, int32_t skip_special,
                              Buffer* out, ErrorText* error);
  int32_t (*tokenizer_piece)(Tokenizer* tokenizer, int64_t token, Buffer* out, ErrorText* error);
  int32_t (*tokenizer_id_of)(Tokenizer* tokenizer, Text piece, int64_t* out, ErrorText* error);
  int64_t (*tokenizer_vocab_size)(Tokenizer* tokenizer);
  int32_t (*tokenizer_apply_chat_template)(Tokenizer* tokenizer, Text messages_json, Text options_json, Buffer* out,
                                           ErrorText* error);
  void (*tokenizer_free)(Tokenizer* tokenizer);
  int32_t (*decoder_new)(Tokenizer* tokenizer, int32_t skip_special, Decoder** out, ErrorText* error);
  /// Whole characters that became complete with this token (may be empty); token -1 flushes. One thread at a time.
  int32_t (*decoder_push)(Decoder* decoder, int64_t token, Buffer* out, ErrorText* error);
  void (*decoder_free)(Decoder* decoder);

  int32_t (*request_submit)(Engine* engine, const Input* input, const RequestOptions* options, Queue* queue_or_null,
                            int64_t tag, Request** out, ErrorText* error);
  /// One thread at a time. timeout_ms < 0 waits for ever. TIMEOUT: poll again; END: nothing more will come.
  int32_t (*request_next)(Request* request, int64_t timeout_ms, Event* event, ErrorText* error);
  int32_t (*request_cancel)(Request* request, ErrorText* error);
  int32_t (*request_wait)(Request* request, int64_t timeout_ms, ErrorText* error);
  /// "logits", "hidden", "embedding" of a finished request.
  int32_t (*request_tensor)(Request* request, Text name, Tensor* out, ErrorText* error);
  /// Text of the failure, empty when there is none; valid until request_free.
  const char* (*request_error_message)(Request* request);
  void (*request_free)(Request* request);

  int32_t (*queue_new)(Queue** out, ErrorText* error);
  /// Any number of threads. CLOSED after queue_free on another thread, END never.
  int32_t (*queue_next)(Queue* queue, int64_t timeout_ms, Event* event, ErrorText* error);
  int32_t (*queue_wake)(Queue* queue, ErrorText* error);
  void (*queue_free)(Queue* queue);
};

/// The one symbol that libgraft_core.so exports.
using GetTable = const Table* (*)();
inline constexpr const char* get_table_symbol = "graft_core_table";

}  // namespace graft::facade

// C interface of the Rust static library in core/text/rust. Private to core/text: everyone else includes tokenizer.h.
//
// Every function returns a status with the numbers of graft::StatusCode (0 is success) and, where it fails, fills
// `error` with UTF-8 text. No panic leaves the library. Memory that it hands out is given back with the matching *_free
// function. Sizes are bytes or items, never negative. A pointer may be null only where its size is 0.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_text_tokenizer graft_text_tokenizer; /* immutable: any number of threads */
typedef struct graft_text_stream graft_text_stream;       /* one thread at a time; keeps its tokenizer alive */

/* Bytes and ids that the caller owns after a call. */
typedef struct graft_text_bytes {
  uint8_t* data;
  int64_t size;
} graft_text_bytes;

typedef struct graft_text_ids {
  uint32_t* data;
  int64_t size;
} graft_text_ids;

/* Bytes that belong to a stream, valid until its next call. */
typedef struct graft_text_view {
  const uint8_t* data;
  int64_t size;
} graft_text_view;

void graft_text_bytes_free(graft_text_bytes bytes);
void graft_text_ids_free(graft_text_ids ids);

/* `json`: the content of a tokenizer.json, at most 256 MiB. It is not kept. */
int32_t graft_text_open(const uint8_t* json, int64_t size, graft_text_tokenizer** out, graft_text_bytes* error);
void graft_text_free(graft_text_tokenizer* tokenizer);

/* Entries of the vocabulary, added tokens included. */
int64_t graft_text_vocab_size(const graft_text_tokenizer* tokenizer);
/* One more than the largest id. Above vocab_size where the vocabulary has holes. */
int64_t graft_text_id_bound(const graft_text_tokenizer* tokenizer);

/* `text`: UTF-8, at most 64 MiB. `add_special`: whether the post-processor adds its special tokens.
   `max_tokens`: the end of the text is cut off so that no more ids come out, special ones included; 0: all. */
int32_t graft_text_encode(const graft_text_tokenizer* tokenizer, const uint8_t* text, int64_t size, int32_t add_special,
                          int64_t max_tokens, graft_text_ids* out, graft_text_bytes* error);
/* Ids without a token are left out, as the Python package does. */
int32_t graft_text_decode(const graft_text_tokenizer* tokenizer, const uint32_t* ids, int64_t count,
                          int32_t skip_special, graft_text_bytes* out, graft_text_bytes* error);
/* The token as the vocabulary writes it. NOT_FOUND where the id has none. */
int32_t graft_text_piece(const graft_text_tokenizer* tokenizer, uint32_t id, graft_text_bytes* out,
                         graft_text_bytes* error);
/* NOT_FOUND where the vocabulary has no such token. */
int32_t graft_text_id_of(const graft_text_tokenizer* tokenizer, const uint8_t* piece, int64_t size, uint32_t* out,
                         graft_text_bytes* error);

/* Streaming decoder: what push and flush return, put together, is graft_text_decode of all ids. */
int32_t graft_text_stream_new(const graft_text_tokenizer* tokenizer, int32_t skip_special, graft_text_stream** out,
                              graft_text_bytes* error);
/* The whole characters that became certain with this id; may be empty. */
int32_t graft_text_stream_push(graft_text_stream* stream, uint32_t id, graft_text_view* out, graft_text_bytes* error);
/* What was held back. Afterwards the stream is as new. */
int32_t graft_text_stream_flush(graft_text_stream* stream, graft_text_view* out, graft_text_bytes* error);
void graft_text_stream_free(graft_text_stream* stream);

/* The text that a chat template makes of a conversation. All three are JSON in UTF-8:
   `setup`: {"templates": {name: text, ...}, "special": {name: token, ...}}; "default" is the name of the template
   that is taken where no other is asked for. `messages`: an array of objects. `options`: an object, or nothing. */
int32_t graft_text_render_chat(const uint8_t* setup, int64_t setup_size, const uint8_t* messages, int64_t messages_size,
                               const uint8_t* options, int64_t options_size, graft_text_bytes* out,
                               graft_text_bytes* error);

#ifdef __cplusplus
}
#endif

/**
 * Text to token ids and back. Send and Sync. It needs no weights and no engine.
 *
 * A graft_decoder turns a stream of ids into whole characters. Send, not Sync.
 */
#ifndef GRAFT_TOKENIZER_H
#define GRAFT_TOKENIZER_H

#include "export.h"
#include "status.h"
#include "string.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_tokenizer graft_tokenizer;
typedef struct graft_decoder graft_decoder;

/**
 * Opens the tokenizer of a model directory (tokenizer.json and its companions); loads no weights.
 *
 * path           a model directory, or a tokenizer.json; UTF-8.
 * out_tokenizer  caller owns; release with graft_tokenizer_free.
 * Thread         any.
 * Status         NOT_FOUND, CORRUPT_DATA, UNSUPPORTED, IO_ERROR, VERSION_MISMATCH.   Since ABI 1.
 */
GRAFT_API graft_status graft_tokenizer_open(const char* path, int64_t path_size, graft_tokenizer** out_tokenizer);

/** Releases the tokenizer; its decoders stay valid. NULL is fine. Thread: any. Since ABI 1. */
GRAFT_API void graft_tokenizer_free(graft_tokenizer* tokenizer);

/**
 * Text to ids.
 *
 * add_special  1 adds what the model expects around a text (for example a begin-of-sequence token), 0 does not.
 * out_tokens   caller's buffer of `capacity` ids; may be NULL with capacity 0.
 * out_count    number of ids needed; required.
 * Thread       any.
 * Status       BUFFER_TOO_SMALL (the first `capacity` ids were written), LIMIT_EXCEEDED (the text is too long).
 *              Since ABI 1.
 */
GRAFT_API graft_status graft_tokenizer_encode(graft_tokenizer* tokenizer, const char* text, int64_t text_size,
                                              int32_t add_special, int64_t* out_tokens, int64_t capacity,
                                              int64_t* out_count);

/**
 * Ids to text.
 *
 * skip_special  1 leaves special tokens out, 0 writes them.
 * out_text      caller owns; release with graft_string_free.
 * Thread        any.
 * Status        INVALID_ARGUMENT (an id outside the vocabulary).   Since ABI 1.
 */
GRAFT_API graft_status graft_tokenizer_decode(graft_tokenizer* tokenizer, const int64_t* tokens, int64_t token_count,
                                              int32_t skip_special, graft_string** out_text);

/**
 * The vocabulary entry of one id, as the vocabulary spells it (a piece need not be readable text).
 *
 * out_piece  caller owns; release with graft_string_free.
 * Thread     any.
 * Status     NOT_FOUND or INVALID_ARGUMENT (no such id).   Since ABI 1.
 */
GRAFT_API graft_status graft_tokenizer_piece(graft_tokenizer* tokenizer, int64_t token, graft_string** out_piece);

/**
 * The id of a vocabulary entry.
 *
 * out_token  the id; required.
 * Thread     any.
 * Status     NOT_FOUND.   Since ABI 1.
 */
GRAFT_API graft_status graft_tokenizer_id_of(graft_tokenizer* tokenizer, const char* piece, int64_t piece_size,
                                             int64_t* out_token);

/** Number of ids, special tokens included; 0 for NULL. Thread: any. Since ABI 1. */
GRAFT_API int64_t graft_tokenizer_vocab_size(const graft_tokenizer* tokenizer);

/**
 * Writes a conversation as the text the model was trained on, with the model's own template. The text holds the
 * special tokens: encode it with add_special 0.
 *
 * messages  JSON array of {"role": ..., "content": ...}, at most 8 MiB.
 * options   JSON object; size 0 = none. add_generation_prompt (true where it is not given), continue_final_message,
 *           tools, documents, chat_template (a name or a text) mean what they mean in Transformers; any other key is a
 *           variable of the template (for example {"enable_thinking": false}).
 * out_text  caller owns; release with graft_string_free.
 * Thread    any.
 * Status    UNSUPPORTED (the model has no template, or one that this release cannot run), INVALID_ARGUMENT (not such
 *           JSON, or the template refused, in its own words), CORRUPT_DATA (the template is broken), LIMIT_EXCEEDED
 *           (the template ran too long, or its text is over 16 MiB).   Since ABI 1.
 */
GRAFT_API graft_status graft_tokenizer_apply_chat_template(graft_tokenizer* tokenizer, const char* messages,
                                                           int64_t messages_size, const char* options,
                                                           int64_t options_size, graft_string** out_text);

/**
 * Makes a decoder for one stream of ids.
 *
 * skip_special  as for graft_tokenizer_decode.
 * out_decoder   caller owns; release with graft_decoder_free. It keeps the tokenizer alive.
 * Thread        any.
 * Status        OUT_OF_MEMORY.   Since ABI 1.
 */
GRAFT_API graft_status graft_decoder_new(graft_tokenizer* tokenizer, int32_t skip_special, graft_decoder** out_decoder);

/**
 * Feeds one id and gives the characters that became complete with it, often none.
 *
 * token     an id; -1 ends the stream and gives what is left.
 * out_text  caller owns; release with graft_string_free.
 * Thread    one at a time per decoder.
 * Status    INVALID_ARGUMENT (an id outside the vocabulary).   Since ABI 1.
 */
GRAFT_API graft_status graft_decoder_push(graft_decoder* decoder, int64_t token, graft_string** out_text);

/** Releases the decoder; NULL is fine. Thread: any. Since ABI 1. */
GRAFT_API void graft_decoder_free(graft_decoder* decoder);

#ifdef __cplusplus
}
#endif

#endif

/**
 * What a request is about: text, or token ids, or a conversation, and what else the model takes in. Send, not Sync:
 * fill it on one thread, then submit it any number of times. Submitting copies it.
 *
 * Exactly one of text, tokens and chat must be set when it is submitted; setting one again replaces it. A model of
 * images takes the tensor "pixel_values" instead (docs/images.md says how to make it). What this release or the model
 * does not take in makes graft_request_submit return GRAFT_STATUS_UNSUPPORTED with a text that names it.
 *
 * Every setter: Thread: one at a time per input. Status: INVALID_ARGUMENT, OUT_OF_MEMORY. Since ABI 1.
 */
#ifndef GRAFT_INPUT_H
#define GRAFT_INPUT_H

#include "export.h"
#include "status.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_input graft_input;

/**
 * Makes an empty input.
 *
 * out_input  caller owns; release with graft_input_free.
 * Thread     any.
 * Status     OUT_OF_MEMORY.   Since ABI 1.
 */
GRAFT_API graft_status graft_input_new(graft_input** out_input);

/** Releases the input; requests submitted with it are not touched. NULL is fine. Thread: any. Since ABI 1. */
GRAFT_API void graft_input_free(graft_input* input);

/** A text; the model's tokenizer encodes it, with the special tokens the model expects. */
GRAFT_API graft_status graft_input_set_text(graft_input* input, const char* text, int64_t text_size);

/** Token ids as they are, each at least 0; nothing is added. */
GRAFT_API graft_status graft_input_set_tokens(graft_input* input, const int64_t* tokens, int64_t token_count);

/**
 * A conversation: a JSON array of {"role": ..., "content": ...}, written out with the model's chat template, with the
 * start of the model's answer. Submit returns what graft_tokenizer_apply_chat_template (tokenizer.h) returns.
 */
GRAFT_API graft_status graft_input_set_chat(graft_input* input, const char* messages, int64_t messages_size);

/** Encoder-decoder models: ids that the decoder starts from, each at least 0. Count 0 = the model's start token. */
GRAFT_API graft_status graft_input_set_decoder_tokens(graft_input* input, const int64_t* tokens, int64_t token_count);

/** Models with segments: the segment of each token, each at least 0. Count 0 = all in the first. */
GRAFT_API graft_status graft_input_set_token_types(graft_input* input, const int64_t* types, int64_t type_count);

/**
 * A named tensor that the model takes in, for example "pixel_values" or "input_features"; the same name replaces it.
 *
 * name    UTF-8, not empty.
 * tensor  its storage is kept by reference; the handle may be freed. NULL removes the name.
 */
GRAFT_API graft_status graft_input_set_tensor(graft_input* input, const char* name, int64_t name_size,
                                              const graft_tensor* tensor);

#ifdef __cplusplus
}
#endif

#endif

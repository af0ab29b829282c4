/**
 * What a request wants, and how tokens are chosen. Everything has a default, and NULL options are all defaults: sample
 * from the model's distribution until it ends its answer or the context is full. Send, not Sync: set them up on one
 * thread, then submit any number of requests with them.
 *
 * Every setter: Thread: one at a time per options object. Status: INVALID_ARGUMENT (a NULL object, a value outside the
 * stated range, NaN), OUT_OF_MEMORY. After a failure the old value stands. Since ABI 1.
 *
 * Every setting can be made; one that this release, the model or the device does not offer makes graft_request_submit
 * return GRAFT_STATUS_UNSUPPORTED with a text that names it. Nothing asked for is ever left out silently.
 */
#ifndef GRAFT_REQUEST_OPTIONS_H
#define GRAFT_REQUEST_OPTIONS_H

#include "export.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_request_options graft_request_options;

/**
 * Makes options with every default.
 *
 * out_options  caller owns; release with graft_request_options_free.
 * Thread       any.
 * Status       OUT_OF_MEMORY.   Since ABI 1.
 */
GRAFT_API graft_status graft_request_options_new(graft_request_options** out_options);

/** Releases the options; requests submitted with them are not touched. NULL is fine. Thread: any. Since ABI 1. */
GRAFT_API void graft_request_options_free(graft_request_options* options);

/* --- What is wanted ----------------------------------------------------------------------------------------------- */

/** What a request yields. */
typedef int32_t graft_request_kind;

enum {
  GRAFT_REQUEST_GENERATE = 0, /**< default: tokens and text, one event after another */
  GRAFT_REQUEST_LOGITS = 1,   /**< graft_request_tensor "logits", float32 [tokens, vocabulary or labels] */
  GRAFT_REQUEST_EMBED = 2,    /**< graft_request_tensor "embedding", float32 [hidden] */
  GRAFT_REQUEST_HIDDEN = 3    /**< graft_request_tensor "hidden", float32 [tokens, hidden] */
};

/**
 * What the request yields; see graft_request_kind. A kind the model cannot give makes submit return UNSUPPORTED naming
 * the model's class. A sequence classifier gives one row of logits and "scores", float32 [labels]; its labels are in
 * graft_engine_info.
 */
GRAFT_API graft_status graft_request_options_set_kind(graft_request_options* options, graft_request_kind kind);

/** Most tokens to generate: 0 or more; -1 (default) = as many as the context holds. */
GRAFT_API graft_status graft_request_options_set_max_tokens(graft_request_options* options, int64_t tokens);

/** Fewest tokens to generate before the model may end its answer: 0 (default) or more. */
GRAFT_API graft_status graft_request_options_set_min_tokens(graft_request_options* options, int64_t tokens);

/** How an embedding is made of the hidden rows. */
typedef int32_t graft_pooling;

enum {
  GRAFT_POOLING_MODEL = 0, /**< default: as the files of sentence-transformers say; where there are none, the row of
                              the end of the text for CLIP's text model, pooler_output or image_embeds for its vision
                              model, else the mean */
  GRAFT_POOLING_MEAN = 1,
  GRAFT_POOLING_CLS = 2,  /**< the first row */
  GRAFT_POOLING_LAST = 3, /**< the last row */
  GRAFT_POOLING_NONE = 4  /**< all rows: [tokens, hidden] */
};

/** Pooling of GRAFT_REQUEST_EMBED; see graft_pooling. A model that scales its embeddings to length 1 does so with any.
 */
GRAFT_API graft_status graft_request_options_set_pooling(graft_request_options* options, graft_pooling pooling);

/* --- Choosing a token --------------------------------------------------------------------------------------------- */

/**
 * 1 takes the most likely token each time: temperature, top_k, top_p, min_p, typical_p and seed do nothing, penalties,
 * bias and bans still hold. 0 (default) samples.
 */
GRAFT_API graft_status graft_request_options_set_greedy(graft_request_options* options, int32_t enabled);

/** Divides the logits: 0 (the same as greedy) or more, finite; 1 by default. */
GRAFT_API graft_status graft_request_options_set_temperature(graft_request_options* options, double temperature);

/** Keeps the k most likely tokens: 1 or more; 0 (default) = all. */
GRAFT_API graft_status graft_request_options_set_top_k(graft_request_options* options, int64_t top_k);

/** Keeps the most likely tokens that together reach this probability: above 0, at most 1 (default = all). */
GRAFT_API graft_status graft_request_options_set_top_p(graft_request_options* options, double top_p);

/** Keeps tokens at least this likely relative to the most likely one: 0 (default = all) to 1. */
GRAFT_API graft_status graft_request_options_set_min_p(graft_request_options* options, double min_p);

/** Keeps the tokens of most typical surprise that reach this probability together: above 0, at most 1 (default). */
GRAFT_API graft_status graft_request_options_set_typical_p(graft_request_options* options, double typical_p);

/** Seed of the random choices: 0 or more repeats them; -1 (default) = drawn anew. */
GRAFT_API graft_status graft_request_options_set_seed(graft_request_options* options, int64_t seed);

/** Divides positive and multiplies negative logits of tokens of prompt and answer: above 0, finite; 1 (default) = off.
 */
GRAFT_API graft_status graft_request_options_set_repetition_penalty(graft_request_options* options, double penalty);

/** Subtracted from a logit once for each time its token was generated: finite; 0 (default) = off. */
GRAFT_API graft_status graft_request_options_set_frequency_penalty(graft_request_options* options, double penalty);

/** Subtracted from the logit of a token that was generated at all: finite; 0 (default) = off. */
GRAFT_API graft_status graft_request_options_set_presence_penalty(graft_request_options* options, double penalty);

/** How many last tokens the penalties look at: 1 or more; 0 (default) = all. */
GRAFT_API graft_status graft_request_options_set_penalty_window(graft_request_options* options, int64_t tokens);

/** No run of this many tokens occurs twice: 1 or more; 0 (default) = off. */
GRAFT_API graft_status graft_request_options_set_no_repeat_ngram(graft_request_options* options, int64_t length);

/** Added to the logits of single tokens: `count` ids, >= 0, and values, not NaN. Count 0 (default): none. */
GRAFT_API graft_status graft_request_options_set_logit_bias(graft_request_options* options, const int64_t* tokens,
                                                            const double* values, int64_t count);

/** Only these tokens may be chosen: ids, each at least 0. Count 0 (default) = all may. */
GRAFT_API graft_status graft_request_options_set_allowed_tokens(graft_request_options* options, const int64_t* tokens,
                                                                int64_t token_count);

/** These tokens are never chosen: ids, each at least 0. Count 0 (default) = none. */
GRAFT_API graft_status graft_request_options_set_banned_tokens(graft_request_options* options, const int64_t* tokens,
                                                               int64_t token_count);

/* --- Stopping ----------------------------------------------------------------------------------------------------- */

/** Ends the answer before this text, wherever it falls between tokens; not empty. May be called several times. */
GRAFT_API graft_status graft_request_options_add_stop(graft_request_options* options, const char* text,
                                                      int64_t text_size);

/** Ends the answer at any of these tokens, besides the model's own: ids, each at least 0. Count 0 (default) = none. */
GRAFT_API graft_status graft_request_options_set_stop_tokens(graft_request_options* options, const int64_t* tokens,
                                                             int64_t token_count);

/** 1 goes on when the model ends its answer; 0 (default) stops there. */
GRAFT_API graft_status graft_request_options_set_ignore_eos(graft_request_options* options, int32_t enabled);

/** Milliseconds from submit after which the request fails with DEADLINE_EXCEEDED; 0 (default) = none. */
GRAFT_API graft_status graft_request_options_set_deadline_ms(graft_request_options* options, int64_t milliseconds);

/* --- Several answers ---------------------------------------------------------------------------------------------- */

/**
 * Beam search over this many beams: 1 (default = none) or more. Takes the most likely answers, so the sampling settings
 * do nothing while penalties, bias and bans hold; answers come when the search has ended, the best first. Not together
 * with a stop text or top_logprobs (submit then returns UNSUPPORTED).
 */
GRAFT_API graft_status graft_request_options_set_num_beams(graft_request_options* options, int64_t beams);

/** Answers to give: 1 (default) or more; graft_event_sequence tells them apart. With beams, at most num_beams. */
GRAFT_API graft_status graft_request_options_set_num_sequences(graft_request_options* options, int64_t sequences);

/** Beam search: exponent of the length by which a score is divided; finite; 1 by default. */
GRAFT_API graft_status graft_request_options_set_length_penalty(graft_request_options* options, double penalty);

/* --- Reporting and scheduling ------------------------------------------------------------------------------------- */

/** How many of the most likely tokens each event reports (graft_event_top_logprobs): 0 (default) or more. */
GRAFT_API graft_status graft_request_options_set_top_logprobs(graft_request_options* options, int64_t count);

/** Requests of higher priority are started first; any number, 0 by default. */
GRAFT_API graft_status graft_request_options_set_priority(graft_request_options* options, int64_t priority);

/** Only requests with the same salt share cached prefixes; empty (default) = the common one. */
GRAFT_API graft_status graft_request_options_set_cache_salt(graft_request_options* options, const char* salt,
                                                            int64_t salt_size);

/**
 * Sets many options from a JSON object whose keys are the setters' names: {"kind": "generate", "max_tokens": 64,
 * "temperature": 0.7, "greedy": false, "stop": ["\n\n"], "stop_tokens": [2], "pooling": "mean",
 * "logit_bias": {"5": -1.5}}. "stop" is one text or an array and replaces what was there. An unknown key, a wrong type
 * or a value out of range is INVALID_ARGUMENT naming the key, and then nothing is set.
 *
 * json  UTF-8, at most 16 MiB and 64 levels deep.
 */
GRAFT_API graft_status graft_request_options_set_json(graft_request_options* options, const char* json,
                                                      int64_t json_size);

#ifdef __cplusplus
}
#endif

#endif

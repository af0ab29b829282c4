/**
 * An engine: one model, loaded, split over its devices, answering requests. Send and Sync: any thread may use it, and
 * any number of engines may live in one process.
 *
 *   graft_engine *engine = NULL;
 *   if (graft_engine_open("path/to/model", -1, NULL, &engine) != GRAFT_STATUS_OK) {
 *     fprintf(stderr, "%s\n", graft_last_error_message());
 *   }
 */
#ifndef GRAFT_ENGINE_H
#define GRAFT_ENGINE_H

#include "engine_options.h"
#include "export.h"
#include "status.h"
#include "string.h"
#include "tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_engine graft_engine;

/**
 * Opens a model: reads its configuration, loads the weights, injects, splits. Blocks until it can answer.
 *
 * path        a model directory (config.json, *.safetensors, tokenizer.json, ...); UTF-8. A single .gguf file is not in
 *             this release.
 * options     borrowed for the call; NULL = all defaults.
 * out_engine  caller owns; release with graft_engine_free.
 * Thread      any; the progress callback runs on the calling thread.
 * Status      NOT_FOUND (the path, or LibTorch), UNSUPPORTED (architecture, dtype, device), CORRUPT_DATA, IO_ERROR,
 *             OUT_OF_MEMORY, LIMIT_EXCEEDED (memory_limit), CANCELLED (by progress), COMM_ERROR (a rank did not come),
 *             VERSION_MISMATCH (a foreign LibTorch).   Since ABI 1.
 */
GRAFT_API graft_status graft_engine_open(const char* path, int64_t path_size, const graft_engine_options* options,
                                         graft_engine** out_engine);

/**
 * Releases the engine. Never blocks. Requests keep what they need of it: those in flight go on to their end, and the
 * engine's own thread clears up when the last of them is freed (graft_engine_close ends them at once). Queues,
 * tokenizers, tensors and profiles taken from it stay valid until their own *_free. NULL is fine.
 *
 * Thread  any, callbacks and finalisers included.   Since ABI 1.
 */
GRAFT_API void graft_engine_free(graft_engine* engine);

/**
 * Ends the engine in an orderly way: refuses new requests, cancels those in flight, and waits until its threads and
 * memory are released. The handle must still be freed.
 *
 * timeout_ms  how long to wait; 0 = do not wait, -1 = for ever.
 * Thread      any, except a callback of this engine.
 * Status      TIMEOUT (still closing; call again).   Since ABI 1.
 */
GRAFT_API graft_status graft_engine_close(graft_engine* engine, int64_t timeout_ms);

/**
 * Waits until the engine has ended: on rank 0 (or alone) until it was closed or failed; on another rank, whose work is
 * driven by rank 0, until rank 0 closes or a rank fails.
 *
 * timeout_ms  0 = look once, -1 = for ever.
 * Thread      any.
 * Status      TIMEOUT (still working), COMM_ERROR or DEVICE_ERROR (why it ended).   Since ABI 1.
 */
GRAFT_API graft_status graft_engine_wait(graft_engine* engine, int64_t timeout_ms);

/**
 * The model's tokenizer. It does not need the engine to stay open.
 *
 * out_tokenizer  caller owns; release with graft_tokenizer_free.
 * Thread         any.
 * Status         NOT_FOUND (the model has no tokenizer).   Since ABI 1.
 */
GRAFT_API graft_status graft_engine_tokenizer(graft_engine* engine, graft_tokenizer** out_tokenizer);

/**
 * What the engine is, as a JSON object: policy matched, dtype, devices, what was replaced, the split, context limit,
 * memory, whether graph replay is in force and why not; "head" and "labels" of a classifier; under "embedding" how it
 * makes embeddings: pooling, whether they get length 1, the longest input, and the prompts it was trained with.
 *
 * out_json  caller owns; release with graft_string_free.
 * Thread    any.
 * Status    OUT_OF_MEMORY.   Since ABI 1.
 */
GRAFT_API graft_status graft_engine_info(graft_engine* engine, graft_string** out_json);

/**
 * What the engine has done since it was opened, as a JSON object: requests, tokens, times, cache use.
 *
 * out_json  caller owns; release with graft_string_free.
 * Thread    any.
 * Status    OUT_OF_MEMORY.   Since ABI 1.
 */
GRAFT_API graft_status graft_engine_stats(graft_engine* engine, graft_string** out_json);

/**
 * Says what graft_engine_open would do with a model, as a JSON object: policy matched, module tree, what would be
 * replaced, the split over ranks, memory estimate. Loads no weights.
 *
 * path, options  as for graft_engine_open.
 * out_json       caller owns; release with graft_string_free.
 * Thread         any.
 * Status         NOT_FOUND, UNSUPPORTED, CORRUPT_DATA, IO_ERROR, VERSION_MISMATCH.   Since ABI 1.
 */
GRAFT_API graft_status graft_engine_inspect(const char* path, int64_t path_size, const graft_engine_options* options,
                                            graft_string** out_json);

/**
 * Writes the model as the engine holds it (quantised, for example) into a directory that loads by mapping.
 * Not in this release: returns GRAFT_STATUS_UNSUPPORTED.
 *
 * directory  UTF-8; created if absent, must be empty.
 * Thread     any.
 * Status     UNSUPPORTED, INVALID_STATE (the engine holds only one rank's share), IO_ERROR.   Since ABI 1.
 */
GRAFT_API graft_status graft_engine_save(graft_engine* engine, const char* directory, int64_t directory_size);

#ifdef __cplusplus
}
#endif

#endif

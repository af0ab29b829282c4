/**
 * A policy: what Graft does not know by itself about a model. Made once, given to engine options; it belongs to the
 * engines opened with those options and to no other. Send and Sync: it never changes.
 */
#ifndef GRAFT_POLICY_H
#define GRAFT_POLICY_H

#include "export.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_policy graft_policy;

/**
 * An architecture described by a JSON object: how its config becomes Graft's, and where its weights are
 * (docs/architecture-json.md states the form). What the object says is read when an engine is opened with it.
 *
 * json        UTF-8, at most 16 MiB and 64 levels deep; copied.
 * out_policy  caller owns; release with graft_policy_free.
 * Thread      any.
 * Status      INVALID_ARGUMENT (not a JSON object).   Since ABI 1.
 */
GRAFT_API graft_status graft_policy_from_json(const char* json, int64_t json_size, graft_policy** out_policy);

/**
 * An injection policy of the user: in every layer of this class, the named linears are row-parallel (their outputs are
 * summed over ranks) and all others column-parallel.
 *
 * layer_class  class name of the layer as the model prints it, for example "LlamaDecoderLayer"; copied.
 * names        name_count NUL-terminated names relative to the layer, for example "self_attn.o_proj"; copied.
 * out_policy   caller owns; release with graft_policy_free.
 * Thread       any.
 * Status       INVALID_ARGUMENT (an empty class, no name, an empty name).   Since ABI 1.
 */
GRAFT_API graft_status graft_policy_row_parallel(const char* layer_class, int64_t layer_class_size,
                                                 const char* const* names, int64_t name_count,
                                                 graft_policy** out_policy);

/** Releases the policy; options that it was added to keep their copy. NULL is fine. Thread: any. Since ABI 1. */
GRAFT_API void graft_policy_free(graft_policy* policy);

#ifdef __cplusplus
}
#endif

#endif

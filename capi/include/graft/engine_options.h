/**
 * How to open a model. Everything has a default, and NULL options are all defaults. Send, not Sync: set them up on one
 * thread, then open any number of engines; each engine copies what it needs.
 *
 * Every setter: Thread: one at a time per options object. Status: INVALID_ARGUMENT (a NULL object, a value outside the
 * stated range), OUT_OF_MEMORY. After a failure the old value stands. Since ABI 1.
 *
 * Every setting can be made; one that this release, the model or the machine does not offer makes graft_engine_open and
 * graft_engine_inspect return GRAFT_STATUS_UNSUPPORTED with a text that names it.
 */
#ifndef GRAFT_ENGINE_OPTIONS_H
#define GRAFT_ENGINE_OPTIONS_H

#include "export.h"
#include "policy.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_engine_options graft_engine_options;

/**
 * Makes options with every default.
 *
 * out_options  caller owns; release with graft_engine_options_free.
 * Thread       any.
 * Status       OUT_OF_MEMORY.   Since ABI 1.
 */
GRAFT_API graft_status graft_engine_options_new(graft_engine_options** out_options);

/** Releases the options; engines opened with them are not touched. NULL is fine. Thread: any. Since ABI 1. */
GRAFT_API void graft_engine_options_free(graft_engine_options* options);

/** "auto" (default: a CUDA device if one is usable, else the CPU), "cpu", "cuda" or "cuda:N". */
GRAFT_API graft_status graft_engine_options_set_device(graft_engine_options* options, const char* device,
                                                       int64_t device_size);

/**
 * Type of weights and arithmetic: "auto" (default: as stored), "float32", "bfloat16", "float16", "int8" or "int4". The
 * last two are weights of that many bits (set_quantization) over the arithmetic of the stored type.
 */
GRAFT_API graft_status graft_engine_options_set_dtype(graft_engine_options* options, const char* dtype,
                                                      int64_t dtype_size);

/**
 * Quantises the weights while loading, in groups along the input dimension.
 *
 * bits        0 (default: none), 4 or 8.
 * group_size  values that share one scale; 0 = the default of the format, else at least 1.
 */
GRAFT_API graft_status graft_engine_options_set_quantization(graft_engine_options* options, int32_t bits,
                                                             int64_t group_size);

/**
 * Over how many ranks each layer is split; 1 (default) or more. They are threads of this process, unless set_rank or
 * the environment says otherwise: with WORLD_SIZE above 1 this process is rank RANK of as many, and rank 0 listens at
 * MASTER_ADDR:MASTER_PORT (what torchrun and its like set).
 */
GRAFT_API graft_status graft_engine_options_set_tensor_parallel(graft_engine_options* options, int64_t ranks);

/** Over how many ranks the experts are shared out; 1 (default) or more; must divide tensor_parallel. */
GRAFT_API graft_status graft_engine_options_set_expert_parallel(graft_engine_options* options, int64_t ranks);

/**
 * Makes this process one rank of several, instead of all ranks living here.
 *
 * rank        this process: 0 to world - 1; -1 (default) = all ranks in this process, and world is then 0.
 * world       number of processes, at least 1 (0 only with rank -1).
 * address     host that rank 0 listens on; may be empty only with world 0 or 1.
 * port        0 to 65535; 0 only with world 0 or 1.
 * timeout_ms  after which a silent rank is an error on all others (COMM_ERROR); 0 = 60000, else at least 1.
 */
GRAFT_API graft_status graft_engine_options_set_rank(graft_engine_options* options, int64_t rank, int64_t world,
                                                     const char* address, int64_t address_size, int64_t port,
                                                     int64_t timeout_ms);

/**
 * "kernel" (default: fused layers), "auto" (only split over ranks; the default when a row-parallel policy is added) or
 * "none" (the plain model, op by op). "kernel" or "none" set together with a row-parallel policy, and "none" with more
 * than one rank, make graft_engine_open return INVALID_ARGUMENT.
 */
GRAFT_API graft_status graft_engine_options_set_injection(graft_engine_options* options, const char* injection,
                                                          int64_t injection_size);

/** Graph replay: 1 (default) records the step once and replays it, 0 runs it each time. */
GRAFT_API graft_status graft_engine_options_set_graph(graft_engine_options* options, int32_t enabled);

/** Kernel threads of the engine, all ranks of this process together; 0 (default) = one per core. */
GRAFT_API graft_status graft_engine_options_set_threads(graft_engine_options* options, int64_t threads);

/** Longest sequence, prompt and answer together, in tokens; 0 (default) = the model's own limit. */
GRAFT_API graft_status graft_engine_options_set_context_limit(graft_engine_options* options, int64_t tokens);

/** Sequences worked on at the same time; 0 (default) = the engine chooses. */
GRAFT_API graft_status graft_engine_options_set_max_sequences(graft_engine_options* options, int64_t sequences);

/** Requests that may wait; one more makes submit return GRAFT_STATUS_BUSY. 0 (default) = the engine chooses. */
GRAFT_API graft_status graft_engine_options_set_max_queue(graft_engine_options* options, int64_t requests);

/**
 * How far a GPU may run ahead of the host, in milliseconds of its work: 0 to 60000, 10 by default, and never more than
 * 31 tokens. Then the host spends less on each token, but hears of tokens, and the GPU of a new request, up to so much
 * later. 0 = of each token at once.
 */
GRAFT_API graft_status graft_engine_options_set_run_ahead_ms(graft_engine_options* options, int64_t milliseconds);

/** Bytes of memory on each device that the engine may use, weights included; 0 (default) = no limit of its own. */
GRAFT_API graft_status graft_engine_options_set_memory_limit(graft_engine_options* options, int64_t bytes);

/** How weight files are read. */
typedef int32_t graft_weights;

enum {
  GRAFT_WEIGHTS_MAP = 0, /**< default: mapped; a file that is shortened meanwhile can end the process */
  GRAFT_WEIGHTS_READ = 1 /**< copied into memory at load; safe whatever happens to the file */
};

/** Mapped or copied weights; see graft_weights. */
GRAFT_API graft_status graft_engine_options_set_weights(graft_engine_options* options, graft_weights weights);

/**
 * Directory to look for LibTorch in, before all others (library.h, graft_doctor): that of libtorch_cpu.so, or the
 * package directory above it. When LibTorch is not there, nothing else is tried. Only the first engine or tokenizer of
 * a process loads LibTorch; later values are not looked at. Empty (default) = none.
 */
GRAFT_API graft_status graft_engine_options_set_library_directory(graft_engine_options* options, const char* directory,
                                                                  int64_t directory_size);

/**
 * Told of the load's progress, on the thread inside graft_engine_open. It must neither throw nor unwind.
 *
 * user      as given to graft_engine_options_set_progress.
 * fraction  in [0, 1], never falling.
 * what      borrowed for the call; UTF-8, NUL-terminated: what is being done.
 * Returns   0 to go on; any other value cancels the load (graft_engine_open then returns CANCELLED).
 */
typedef int32_t (*graft_progress_callback)(void* user, double fraction, const char* what);

/** Sets the load's progress callback; NULL (default) = none. user is kept and handed back at each call. */
GRAFT_API graft_status graft_engine_options_set_progress(graft_engine_options* options,
                                                         graft_progress_callback callback, void* user);

/**
 * Adds a policy; may be called several times. The options keep their own copy.
 * An architecture is asked before those that Graft knows, in the order given.
 */
GRAFT_API graft_status graft_engine_options_add_policy(graft_engine_options* options, const graft_policy* policy);

/**
 * Sets many options from a JSON object whose keys are the setters' names: {"dtype": "bfloat16", "tensor_parallel": 2,
 * "quantization": {"bits": 4, "group_size": 64}, "rank": {"rank": 0, "world": 2, "address": "10.0.0.1", "port": 29500,
 * "timeout_ms": 60000}, "graph": true, "weights": "read"}. An unknown key, a wrong type or a value out of range is
 * INVALID_ARGUMENT naming the key, and then nothing is set. Progress and policies given as JSON have no form here.
 *
 * The keys of a DeepSpeed-Inference configuration are taken too, beside the others: {"replace_with_kernel_inject":
 * true, "tensor_parallel": {"tp_size": 2}, "max_out_tokens": 4096}. Two names of one thing with different values are
 * INVALID_ARGUMENT; a deprecated key warns through the log; a key that asks for what Graft does not do is UNSUPPORTED.
 * docs/deepspeed-config.md has every key.
 *
 * json  UTF-8, at most 16 MiB and 64 levels deep.
 */
GRAFT_API graft_status graft_engine_options_set_json(graft_engine_options* options, const char* json,
                                                     int64_t json_size);

#ifdef __cplusplus
}
#endif

#endif

/** The library itself: which version it is, and what it found on this machine. */
#ifndef GRAFT_LIBRARY_H
#define GRAFT_LIBRARY_H

#include "export.h"
#include "status.h"
#include "string.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The ABI these headers describe. Compare with graft_abi_version() after loading the library at run time. */
#define GRAFT_ABI_VERSION 1

/**
 * The ABI version of the loaded library. Functions are only added within one ABI version; a change that would break a
 * caller gets a new number and a new SONAME (libgraft.so.N).
 *
 * Thread  any.   Since ABI 1.
 */
GRAFT_API int32_t graft_abi_version(void);

/** The release, "MAJOR.MINOR.PATCH"; borrowed, valid for the life of the process. Thread: any. Since ABI 1. */
GRAFT_API const char* graft_version(void);

/**
 * Says what this machine offers, as a JSON object: versions; where LibTorch was looked for, which one was found, or why
 * none; whether libgraft_core.so was loaded, or why not ("loaded", "error"); and, when it was, the devices, kernel
 * variants and CUDA plug-in under "core". It works on a machine that has none of these: their absence is a line of the
 * answer, not a failure.
 *
 * The first call loads LibTorch (about a second). Whatever needs LibTorch looks for it in this order: the copy that the
 * process holds already; the directory of graft_engine_options_set_library_directory (doctor has no options); that of
 * the environment variable GRAFT_LIBTORCH; beside libgraft.so; the directory chosen when Graft was built; the loader's
 * own search path. The first three are the only answer when they are there.
 *
 * out_json  caller owns; release with graft_string_free.
 * Thread    any.
 * Status    OUT_OF_MEMORY.   Since ABI 1.
 */
GRAFT_API graft_status graft_doctor(graft_string** out_json);

#ifdef __cplusplus
}
#endif

#endif

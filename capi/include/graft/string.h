/** A text or JSON document that a call hands out. Send and Sync: it never changes. */
#ifndef GRAFT_STRING_H
#define GRAFT_STRING_H

#include "export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_string graft_string;

/**
 * The bytes: UTF-8, followed by a NUL that size does not count. Text may hold NUL bytes of its own.
 *
 * Returns  borrowed; valid until graft_string_free. "" for NULL.
 * Thread   any.   Since ABI 1.
 */
GRAFT_API const char* graft_string_data(const graft_string* string);

/** Number of bytes, without the final NUL; 0 for NULL. Thread: any. Since ABI 1. */
GRAFT_API int64_t graft_string_size(const graft_string* string);

/** Releases the string; NULL is fine. Thread: any. Since ABI 1. */
GRAFT_API void graft_string_free(graft_string* string);

#ifdef __cplusplus
}
#endif

#endif

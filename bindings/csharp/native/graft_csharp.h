/** What crosses the border between libgraft and C#: blittable, so that nothing is converted on the way. */
#ifndef GRAFT_CSHARP_H
#define GRAFT_CSHARP_H

#include <graft/graft.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** Memory of the other side: text, an array, bytes. */
typedef struct graft_csharp_span {
  void* data;
  int64_t size; /**< in elements */
} graft_csharp_span;

/** The caller's arrays, and how many elements there were to write. */
typedef struct graft_csharp_buffer {
  int64_t* numbers;
  double* values;
  int64_t capacity;
  int64_t count;
} graft_csharp_buffer;

/** How a call ended. The text is the receiver's, by graft_csharp_free; NULL where there is none to tell. */
typedef struct graft_csharp_result {
  char* text;
  int32_t status;
} graft_csharp_result;

/** A text made by a call. The receiver copies it and gives the string back to graft_csharp_string_free. */
typedef struct graft_csharp_text {
  const char* data;
  int64_t size;
  graft_string* string;
} graft_csharp_text;

/** All that an event says, so that one streamed token costs one call instead of a dozen. Borrowed as in event.h. */
typedef struct graft_csharp_event {
  const char* text;
  int64_t text_size;
  const char* message;
  int64_t tag;
  int64_t sequence;
  int64_t token;
  int64_t prompt_tokens;
  int64_t completion_tokens;
  int64_t cached_tokens;
  int64_t top_count;
  double logprob;
  double progress;
  int32_t kind;
  int32_t finish_reason;
  int32_t status;
  int32_t last;
} graft_csharp_event;

/** The text is taken here, in the call that failed: between two calls from C# the thread could make another one. */
static inline graft_csharp_result graft_csharp_check(graft_status status) {
  graft_csharp_result result = {NULL, status};
  if (status != GRAFT_STATUS_OK && status != GRAFT_STATUS_TIMEOUT && status != GRAFT_STATUS_END &&
      status != GRAFT_STATUS_BUFFER_TOO_SMALL) {
    result.text = strdup(graft_last_error_message());
  }
  return result;
}

static inline void graft_csharp_give(graft_string* string, graft_csharp_text* out) {
  out->data = graft_string_data(string);
  out->size = graft_string_size(string);
  out->string = string;
}

#endif

// Thunks of graft/string.h.
#include "graft/string.h"

#include "capi/src/private.h"

const char* graft_string_data(const graft_string* string) {
  return string != nullptr ? graft::capi::text_of(string->buffer) : "";
}

int64_t graft_string_size(const graft_string* string) { return string != nullptr ? string->buffer.size : 0; }

void graft_string_free(graft_string* string) { delete string; }

// Thunks of graft/status.h.
#include "graft/status.h"

#include "capi/src/error.h"

const char* graft_last_error_message(void) { return graft::capi::error_text(); }

const char* graft_status_name(graft_status status) {
  switch (status) {
    case GRAFT_STATUS_OK:
      return "OK";
    case GRAFT_STATUS_INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case GRAFT_STATUS_INVALID_STATE:
      return "INVALID_STATE";
    case GRAFT_STATUS_NOT_FOUND:
      return "NOT_FOUND";
    case GRAFT_STATUS_UNSUPPORTED:
      return "UNSUPPORTED";
    case GRAFT_STATUS_LIMIT_EXCEEDED:
      return "LIMIT_EXCEEDED";
    case GRAFT_STATUS_BUSY:
      return "BUSY";
    case GRAFT_STATUS_OUT_OF_MEMORY:
      return "OUT_OF_MEMORY";
    case GRAFT_STATUS_DEVICE_ERROR:
      return "DEVICE_ERROR";
    case GRAFT_STATUS_COMM_ERROR:
      return "COMM_ERROR";
    case GRAFT_STATUS_IO_ERROR:
      return "IO_ERROR";
    case GRAFT_STATUS_CORRUPT_DATA:
      return "CORRUPT_DATA";
    case GRAFT_STATUS_BUFFER_TOO_SMALL:
      return "BUFFER_TOO_SMALL";
    case GRAFT_STATUS_CANCELLED:
      return "CANCELLED";
    case GRAFT_STATUS_TIMEOUT:
      return "TIMEOUT";
    case GRAFT_STATUS_DEADLINE_EXCEEDED:
      return "DEADLINE_EXCEEDED";
    case GRAFT_STATUS_CLOSED:
      return "CLOSED";
    case GRAFT_STATUS_VERSION_MISMATCH:
      return "VERSION_MISMATCH";
    case GRAFT_STATUS_END:
      return "END";
    case GRAFT_STATUS_INTERNAL:
      return "INTERNAL";
  }
  return "UNKNOWN";
}

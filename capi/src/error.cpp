#include "capi/src/error.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "capi/src/utf8.h"

namespace graft::capi {
namespace {

constexpr int64_t error_capacity = 4096;

// Trivially initialised: a thread-local with a constructor misbehaves in libraries that a managed runtime loads late.
thread_local char error_storage[error_capacity];

void store(const char* format, va_list arguments) noexcept {
  const int needed = std::vsnprintf(error_storage, error_capacity, format, arguments);
  if (needed < 0) {
    std::strcpy(error_storage, "failure whose text could not be formed");
  }
  make_valid_utf8(error_storage);
}

}  // namespace

const char* error_text() noexcept { return error_storage; }

void clear_error() noexcept { error_storage[0] = '\0'; }

graft_status set_error(graft_status status, const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  store(format, arguments);
  va_end(arguments);
  return status;
}

void fail(graft_status status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  store(format, arguments);
  va_end(arguments);
  throw Failed{status};
}

facade::ErrorText core_error() noexcept {
  clear_error();
  return {error_storage, error_capacity};
}

graft_status core_status(int32_t status) noexcept {
  error_storage[error_capacity - 1] = '\0';
  if (status == GRAFT_STATUS_OK) {
    clear_error();
    return status;
  }
  if (status < GRAFT_STATUS_OK || status > GRAFT_STATUS_INTERNAL) {
    return set_error(GRAFT_STATUS_INTERNAL, "the core returned status %d, which does not exist",
                     static_cast<int>(status));
  }
  make_valid_utf8(error_storage);
  if (error_storage[0] == '\0') {
    set_error(status, "%s", graft_status_name(status));
  }
  return status;
}

}  // namespace graft::capi

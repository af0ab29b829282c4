// Failure inside libgraft.so: the thread's error text, and the one exception that thunks turn into a status.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>

#include "core/facade/table.h"
#include "graft/status.h"

namespace graft::capi {

/// Thrown by argument checks and the loader; the text is in the thread's error text already.
struct Failed {
  graft_status status;
};

/// The thread's error text: always NUL-terminated UTF-8.
const char* error_text() noexcept;
void clear_error() noexcept;

/// Stores a printf-formed text, cut at a character if it is too long, and returns the status.
[[gnu::format(printf, 2, 3)]] graft_status set_error(graft_status status, const char* format, ...) noexcept;

/// set_error, then throw.
[[noreturn, gnu::format(printf, 2, 3)]] void fail(graft_status status, const char* format, ...);

/// The thread's error text as the buffer that a core function writes into.
facade::ErrorText core_error() noexcept;

/// What a core function returned, made safe to hand out: OK leaves no text, a failure always has one.
graft_status core_status(int32_t status) noexcept;

/// The shape of every thunk that can fail: clear the error text, run, turn anything thrown into a status and a text.
template <class Body>
graft_status call(Body&& body) noexcept {
  clear_error();
  try {
    return body();
  } catch (const Failed& failed) {
    return failed.status;
  } catch (const std::bad_alloc&) {
    return set_error(GRAFT_STATUS_OUT_OF_MEMORY, "out of memory");
  } catch (const std::length_error&) {
    return set_error(GRAFT_STATUS_OUT_OF_MEMORY, "out of memory: a size is larger than any allocation can be");
  } catch (const std::exception& error) {
    return set_error(GRAFT_STATUS_INTERNAL, "unexpected failure: %s", error.what());
  } catch (...) {
    return set_error(GRAFT_STATUS_INTERNAL, "unexpected failure without a description");
  }
}

/// Runs a core function with the thread's error text as its error buffer.
template <class Body>
graft_status core_call(Body&& body) {
  facade::ErrorText error = core_error();
  return core_status(body(&error));
}

}  // namespace graft::capi

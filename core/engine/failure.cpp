#include "core/engine/failure.h"

#include <c10/util/Exception.h>

#include <new>

namespace graft {

void describe_failure(StatusCode& code, std::string& message) noexcept {
  code = StatusCode::internal;
  try {
    try {
      throw;
    } catch (const Error& error) {
      code = error.code();
      message = error.what();
    } catch (const std::bad_alloc&) {
      code = StatusCode::out_of_memory;
      message = "out of memory";
    } catch (const c10::OutOfMemoryError& error) {
      code = StatusCode::out_of_memory;
      message = error.what_without_backtrace();
    } catch (const c10::Error& error) {
      message = error.what_without_backtrace();
      // LibTorch's CPU allocator reports a failed allocation as a plain error.
      if (message.find("not enough memory") != std::string::npos) code = StatusCode::out_of_memory;
    } catch (const std::exception& error) {
      message = error.what();
    } catch (...) {
      message = "unknown exception";
    }
  } catch (...) {  // copying the text needed memory
    code = StatusCode::out_of_memory;
  }
}

}  // namespace graft

// Results that the core writes into buffers, as objects of this library.
#pragma once

#include <memory>

#include "capi/src/error.h"
#include "capi/src/private.h"

namespace graft::capi {

/// Runs a core function that fills a buffer; on OK the buffer becomes a graft_string.
template <class Body>
graft_status core_string(graft_string*& out, Body&& body) {
  auto string = std::make_unique<graft_string>();
  const graft_status status = core_call([&](facade::ErrorText* error) { return body(&string->buffer, error); });
  if (status != GRAFT_STATUS_OK) return status;
  terminate(string->buffer);
  out = string.release();
  return status;
}

/// Runs a core function that refills an event.
template <class Body>
graft_status core_event(graft_event& event, Body&& body) {
  const graft_status status = core_call([&](facade::ErrorText* error) { return body(&event.event, error); });
  terminate(event.event.text);
  terminate(event.event.message);
  return status;
}

}  // namespace graft::capi

// Thunks of graft/request.h.
#include "graft/request.h"

#include "capi/src/arguments.h"
#include "capi/src/convert.h"
#include "capi/src/loader.h"
#include "capi/src/private.h"
#include "capi/src/results.h"

using namespace graft::capi;
namespace facade = graft::facade;

graft_status graft_request_submit(graft_engine* engine, const graft_input* input, const graft_request_options* options,
                                  graft_queue* queue, int64_t tag, graft_request** out_request) {
  return call([&] {
    graft_request*& out = output_handle("out_request", out_request);
    required("engine", engine);
    const graft_input& asked = required("input", input);
    const graft_request_options defaults;
    const InputView input_view(asked);
    const RequestOptionsView options_view(options != nullptr ? *options : defaults);
    facade::Request* request = nullptr;
    const graft_status status = core_call([&](facade::ErrorText* error) {
      return core_table().request_submit(core_of(engine), input_view.get(), options_view.get(), core_of(queue), tag,
                                         &request, error);
    });
    out = handle_of(request);
    return status;
  });
}

graft_status graft_request_next(graft_request* request, int64_t timeout_ms, graft_event* event) {
  return call([&] {
    required("request", request);
    timeout(timeout_ms);
    return core_event(required("event", event), [&](facade::Event* refilled, facade::ErrorText* error) {
      return core_table().request_next(core_of(request), timeout_ms, refilled, error);
    });
  });
}

graft_status graft_request_cancel(graft_request* request) {
  return call([&] {
    required("request", request);
    return core_call([&](facade::ErrorText* error) { return core_table().request_cancel(core_of(request), error); });
  });
}

graft_status graft_request_wait(graft_request* request, int64_t timeout_ms) {
  return call([&] {
    required("request", request);
    timeout(timeout_ms);
    return core_call(
        [&](facade::ErrorText* error) { return core_table().request_wait(core_of(request), timeout_ms, error); });
  });
}

graft_status graft_request_tensor(graft_request* request, const char* name, int64_t name_size,
                                  graft_tensor** out_tensor) {
  return call([&] {
    graft_tensor*& out = output_handle("out_tensor", out_tensor);
    required("request", request);
    const std::string_view wanted = word("name", name, name_size);
    facade::Tensor tensor = {};
    const graft_status status = core_call([&](facade::ErrorText* error) {
      return core_table().request_tensor(core_of(request), core_text(wanted), &tensor, error);
    });
    if (status == GRAFT_STATUS_OK) out = adopt_tensor(tensor);
    return status;
  });
}

const char* graft_request_error_message(const graft_request* request) {
  if (request == nullptr) return "";
  const char* message = core_table().request_error_message(core_of(const_cast<graft_request*>(request)));
  return message != nullptr ? message : "";
}

void graft_request_free(graft_request* request) {
  if (request != nullptr) core_table().request_free(core_of(request));
}

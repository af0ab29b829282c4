// Thunks of graft/queue.h.
#include "graft/queue.h"

#include "capi/src/arguments.h"
#include "capi/src/loader.h"
#include "capi/src/private.h"
#include "capi/src/results.h"

using namespace graft::capi;
namespace facade = graft::facade;

graft_status graft_queue_new(graft_queue** out_queue) {
  return call([&] {
    graft_queue*& out = output_handle("out_queue", out_queue);
    const facade::Table& core = load_core({});
    facade::Queue* queue = nullptr;
    const graft_status status = core_call([&](facade::ErrorText* error) { return core.queue_new(&queue, error); });
    out = handle_of(queue);
    return status;
  });
}

graft_status graft_queue_next(graft_queue* queue, int64_t timeout_ms, graft_event* event) {
  return call([&] {
    required("queue", queue);
    timeout(timeout_ms);
    return core_event(required("event", event), [&](facade::Event* refilled, facade::ErrorText* error) {
      return core_table().queue_next(core_of(queue), timeout_ms, refilled, error);
    });
  });
}

graft_status graft_queue_wake(graft_queue* queue) {
  return call([&] {
    required("queue", queue);
    return core_call([&](facade::ErrorText* error) { return core_table().queue_wake(core_of(queue), error); });
  });
}

void graft_queue_free(graft_queue* queue) {
  if (queue != nullptr) core_table().queue_free(core_of(queue));
}

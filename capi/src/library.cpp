// Thunks of graft/library.h.
#include "graft/library.h"

#include <memory>
#include <new>

#include "capi/src/arguments.h"
#include "capi/src/json.h"
#include "capi/src/loader.h"
#include "capi/src/results.h"

namespace graft::capi {
namespace {

Json describe_torch(const TorchSearch& torch) {
  Json looked = Json::array();
  for (const TorchPlace& place : torch.looked) {
    looked.push_back({{"directory", place.directory}, {"origin", place.origin}, {"outcome", place.outcome}});
  }
  const bool found = torch.status == GRAFT_STATUS_OK;
  Json json = {{"required", GRAFT_TORCH_VERSION}, {"found", found}, {"looked", looked}};
  if (found) {
    json["directory"] = torch.directory;
    json["version"] = torch.version.empty() ? Json("unknown") : Json(torch.version);
    json["already_loaded"] = torch.already_loaded;
  }
  return json;
}

// The core's own part; a core that cannot answer is a line of the answer too.
Json ask_core() {
  graft_string* answer = nullptr;
  const graft_status status = core_string(
      answer, [](facade::Buffer* json, facade::ErrorText* error) { return core_table().doctor(json, error); });
  const std::unique_ptr<graft_string> owned(answer);
  if (status != GRAFT_STATUS_OK) return {{"error", error_text()}};
  Json json = Json::parse(text_of(owned->buffer), text_of(owned->buffer) + owned->buffer.size, nullptr, false);
  return json.is_discarded() ? Json{{"error", "the core's answer is not JSON"}} : json;
}

Json examine() {
  const LoadReport report = load_and_report();
  Json json = {{"version", GRAFT_VERSION},
               {"abi", GRAFT_ABI_VERSION},
               {"build_hash", GRAFT_BUILD_HASH},
               {"library", report.library},
               {"libtorch", describe_torch(report.torch)},
               {"loaded", report.failure.empty()}};
  if (!report.failure.empty()) {
    json["error"] = report.failure;
    return json;
  }
  json["core_library"] = report.core;
  json["core"] = ask_core();
  return json;
}

}  // namespace
}  // namespace graft::capi

using namespace graft::capi;

int32_t graft_abi_version(void) { return GRAFT_ABI_VERSION; }

const char* graft_version(void) { return GRAFT_VERSION; }

graft_status graft_doctor(graft_string** out_json) {
  return call([&] {
    graft_string*& out = output_handle("out_json", out_json);
    const std::string text = examine().dump(2, ' ', false, Json::error_handler_t::replace);
    clear_error();
    auto string = std::make_unique<graft_string>();
    const auto size = static_cast<int64_t>(text.size());
    if (string->buffer.reserve(&string->buffer, size) == nullptr) throw std::bad_alloc();
    text.copy(string->buffer.data, text.size());
    string->buffer.size = size;
    terminate(string->buffer);
    out = string.release();
    return GRAFT_STATUS_OK;
  });
}

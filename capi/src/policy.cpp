// Thunks of graft/policy.h.
#include "graft/policy.h"

#include <memory>

#include "capi/src/arguments.h"
#include "capi/src/json.h"
#include "capi/src/private.h"

using namespace graft::capi;

graft_status graft_policy_from_json(const char* json, int64_t json_size, graft_policy** out_policy) {
  return call([&] {
    graft_policy*& out = output_handle("out_policy", out_policy);
    const std::string_view document = text("json", json, json_size);
    const Json parsed = parse_json("json", document);
    if (!parsed.is_object()) fail_type("json", parsed, "an object");
    auto policy = std::make_unique<graft_policy>();
    policy->json = document;
    out = policy.release();
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_policy_row_parallel(const char* layer_class, int64_t layer_class_size, const char* const* names,
                                       int64_t name_count, graft_policy** out_policy) {
  return call([&] {
    graft_policy*& out = output_handle("out_policy", out_policy);
    auto policy = std::make_unique<graft_policy>();
    policy->layer_class = word("layer_class", layer_class, layer_class_size);
    integer("name_count", name_count, 1);
    array("names", names, name_count);
    for (int64_t i = 0; i < name_count; ++i) policy->names.emplace_back(word("names", names[i], -1));
    out = policy.release();
    return GRAFT_STATUS_OK;
  });
}

void graft_policy_free(graft_policy* policy) { delete policy; }

// Thunks of graft/profile.h.
#include "graft/profile.h"

#include "capi/src/arguments.h"
#include "capi/src/loader.h"
#include "capi/src/private.h"
#include "capi/src/results.h"

using namespace graft::capi;
namespace facade = graft::facade;

namespace {

facade::Profile* core_of_const(const graft_profile* profile) { return core_of(const_cast<graft_profile*>(profile)); }

}  // namespace

graft_status graft_engine_profile(graft_engine* engine, int32_t enabled) {
  return call([&] {
    required("engine", engine);
    flag("enabled", enabled);
    return core_call(
        [&](facade::ErrorText* error) { return core_table().engine_profile(core_of(engine), enabled, error); });
  });
}

graft_status graft_profile_take(graft_engine* engine, graft_profile** out_profile) {
  return call([&] {
    graft_profile*& out = output_handle("out_profile", out_profile);
    required("engine", engine);
    facade::Profile* profile = nullptr;
    const graft_status status = core_call(
        [&](facade::ErrorText* error) { return core_table().profile_take(core_of(engine), &profile, error); });
    out = handle_of(profile);
    return status;
  });
}

int64_t graft_profile_count(const graft_profile* profile) {
  return profile != nullptr ? core_table().profile_count(core_of_const(profile)) : 0;
}

graft_status graft_profile_milliseconds(const graft_profile* profile, double* out_milliseconds, int64_t capacity,
                                        int64_t* out_count) {
  return call([&] {
    required("profile", profile);
    array("out_milliseconds", out_milliseconds, capacity);
    output("out_count", out_count);
    return core_call([&](facade::ErrorText* error) {
      return core_table().profile_milliseconds(core_of_const(profile), out_milliseconds, capacity, out_count, error);
    });
  });
}

graft_status graft_profile_table(const graft_profile* profile, graft_string** out_json) {
  return call([&] {
    graft_string*& out = output_handle("out_json", out_json);
    required("profile", profile);
    return core_string(out, [&](facade::Buffer* json, facade::ErrorText* error) {
      return core_table().profile_table(core_of_const(profile), json, error);
    });
  });
}

void graft_profile_free(graft_profile* profile) {
  if (profile != nullptr) core_table().profile_free(core_of(profile));
}

// Thunks of graft/engine.h.
#include "graft/engine.h"

#include "capi/src/arguments.h"
#include "capi/src/convert.h"
#include "capi/src/loader.h"
#include "capi/src/private.h"
#include "capi/src/results.h"

using namespace graft::capi;
namespace facade = graft::facade;

namespace {

const graft_engine_options& or_default(const graft_engine_options* options, graft_engine_options& defaults) {
  return options != nullptr ? *options : defaults;
}

}  // namespace

graft_status graft_engine_open(const char* path, int64_t path_size, const graft_engine_options* options,
                               graft_engine** out_engine) {
  return call([&] {
    graft_engine*& out = output_handle("out_engine", out_engine);
    const std::string_view directory = word("path", path, path_size);
    graft_engine_options defaults;
    const graft_engine_options& chosen = or_default(options, defaults);
    const EngineOptionsView view(chosen);
    const facade::Table& core = load_core(chosen.library_directory);
    facade::Engine* engine = nullptr;
    const graft_status status = core_call(
        [&](facade::ErrorText* error) { return core.engine_open(core_text(directory), view.get(), &engine, error); });
    out = handle_of(engine);
    return status;
  });
}

void graft_engine_free(graft_engine* engine) {
  if (engine != nullptr) core_table().engine_free(core_of(engine));
}

graft_status graft_engine_close(graft_engine* engine, int64_t timeout_ms) {
  return call([&] {
    required("engine", engine);
    timeout(timeout_ms);
    return core_call(
        [&](facade::ErrorText* error) { return core_table().engine_close(core_of(engine), timeout_ms, error); });
  });
}

graft_status graft_engine_wait(graft_engine* engine, int64_t timeout_ms) {
  return call([&] {
    required("engine", engine);
    timeout(timeout_ms);
    return core_call(
        [&](facade::ErrorText* error) { return core_table().engine_wait(core_of(engine), timeout_ms, error); });
  });
}

graft_status graft_engine_tokenizer(graft_engine* engine, graft_tokenizer** out_tokenizer) {
  return call([&] {
    graft_tokenizer*& out = output_handle("out_tokenizer", out_tokenizer);
    required("engine", engine);
    facade::Tokenizer* tokenizer = nullptr;
    const graft_status status = core_call(
        [&](facade::ErrorText* error) { return core_table().engine_tokenizer(core_of(engine), &tokenizer, error); });
    out = handle_of(tokenizer);
    return status;
  });
}

graft_status graft_engine_info(graft_engine* engine, graft_string** out_json) {
  return call([&] {
    graft_string*& out = output_handle("out_json", out_json);
    required("engine", engine);
    return core_string(out, [&](facade::Buffer* json, facade::ErrorText* error) {
      return core_table().engine_info(core_of(engine), json, error);
    });
  });
}

graft_status graft_engine_stats(graft_engine* engine, graft_string** out_json) {
  return call([&] {
    graft_string*& out = output_handle("out_json", out_json);
    required("engine", engine);
    return core_string(out, [&](facade::Buffer* json, facade::ErrorText* error) {
      return core_table().engine_stats(core_of(engine), json, error);
    });
  });
}

graft_status graft_engine_inspect(const char* path, int64_t path_size, const graft_engine_options* options,
                                  graft_string** out_json) {
  return call([&] {
    graft_string*& out = output_handle("out_json", out_json);
    const std::string_view directory = word("path", path, path_size);
    graft_engine_options defaults;
    const graft_engine_options& chosen = or_default(options, defaults);
    const EngineOptionsView view(chosen);
    const facade::Table& core = load_core(chosen.library_directory);
    return core_string(out, [&](facade::Buffer* json, facade::ErrorText* error) {
      return core.engine_inspect(core_text(directory), view.get(), json, error);
    });
  });
}

graft_status graft_engine_save(graft_engine* engine, const char* directory, int64_t directory_size) {
  return call([&] {
    required("engine", engine);
    const std::string_view place = word("directory", directory, directory_size);
    return core_call(
        [&](facade::ErrorText* error) { return core_table().engine_save(core_of(engine), core_text(place), error); });
  });
}

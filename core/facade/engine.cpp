#include <nlohmann/json.hpp>

#include "core/base/quote.h"
#include "core/engine/cuda_plugin.h"
#include "core/engine/info.h"
#include "core/facade/objects.h"

namespace graft::facade {
namespace {

[[noreturn]] void not_yet(const char* what) { fail(StatusCode::unsupported, "{} is not in this release", what); }

InjectionMode read_injection(Text text) {
  const std::string_view name = view(text);
  if (name.empty() || name == "kernel") return InjectionMode::kernel;
  if (name == "none") return InjectionMode::none;
  // AutoTP over one rank changes nothing.
  if (name == "auto") return InjectionMode::none;
  fail(StatusCode::invalid_argument, "injection is {}, expected kernel, auto or none", quote(name));
}

// "auto" is the CPU until the device library has kernels; a CUDA device that is asked for by name is never replaced.
void check_device(std::string_view device) {
  if (device.empty() || device == "auto" || device == "cpu") return;
  if (device == "cuda" || device.starts_with("cuda:")) {
    const CudaPlugin cuda = find_cuda_plugin();
    if (cuda.plugin == nullptr) fail(cuda.code, "device {}: {}", quote(device), cuda.reason);
    not_yet("an engine on a CUDA device");
  }
  fail(StatusCode::invalid_argument, "device is {}, expected auto, cpu, cuda or cuda:N", quote(device));
}

graft::EngineOptions read_options(const EngineOptions* in) {
  graft::EngineOptions options;
  if (in == nullptr) return options;
  if (in->struct_size != static_cast<int64_t>(sizeof(EngineOptions))) {
    fail(StatusCode::version_mismatch, "engine options have {} bytes, expected {}", in->struct_size,
         sizeof(EngineOptions));
  }
  check_device(view(in->device));
  if (in->tensor_parallel > 1 || in->world > 1) not_yet("tensor parallelism");
  if (in->expert_parallel > 1) not_yet("expert parallelism");
  if (in->policy_count > 0) not_yet("a policy given as JSON");
  if (in->row_parallel_count > 0) not_yet("a row-parallel plan");
  if (in->dtype.size > 0) options.dtype = string(in->dtype);
  options.quantization = {in->quantization_bits, in->quantization_group};
  options.injection = read_injection(in->injection);
  options.graph = in->graph != 0;
  options.threads = in->threads;
  options.context_limit = in->context_limit;
  options.max_sequences = in->max_sequences;
  options.max_queue = in->max_queue;
  options.memory_limit = in->memory_limit;
  options.weights = in->read_weights != 0 ? WeightsMode::read : WeightsMode::map;
  return options;
}

int32_t inspect(Text path, const EngineOptions* in, Buffer* out, ErrorText* error) {
  return guarded(error, [&] {
    const graft::EngineOptions options = read_options(in);
    assign(*out, describe_plan(plan_model(string(path), options), options, /*loaded=*/false).dump());
  });
}

int32_t open(Text path, const EngineOptions* in, Engine** out, ErrorText* error) {
  return guarded(error, [&] {
    graft::Engine::Progress progress;
    if (in != nullptr && in->progress != nullptr) {
      progress = [call = in->progress, user = in->progress_user](double fraction) {
        return call(user, fraction, "weights") != 0;
      };
    }
    const graft::EngineOptions options = read_options(in);
    *out = new Engine{graft::Engine::open(string(path), options, progress)};
  });
}

int32_t tokenizer(Engine* self, Tokenizer** out, ErrorText* error) {
  return guarded(error, [&] {
    if (!self->engine->tokenizer()) fail(StatusCode::not_found, "{}", self->engine->tokenizer_problem());
    *out = new Tokenizer{self->engine->tokenizer(), self->engine->chat_template()};
  });
}

int32_t info(Engine* self, Buffer* out, ErrorText* error) {
  return guarded(error, [&] { assign(*out, self->engine->info_json()); });
}

int32_t stats(Engine* self, Buffer* out, ErrorText* error) {
  return guarded(error, [&] { assign(*out, self->engine->stats_json()); });
}

int32_t wait(Engine* self, int64_t timeout_ms, ErrorText* error) {
  return guarded(error, [&] {
    std::string message;
    const StatusCode code = self->engine->wait(timeout_ms, message);
    if (code == StatusCode::timeout) message = "the engine is still working";
    if (code != StatusCode::ok) throw Error(code, message);
  });
}

int32_t close(Engine* self, int64_t timeout_ms, ErrorText* error) {
  return guarded(error, [&] {
    if (!self->engine->close(timeout_ms)) fail(StatusCode::timeout, "the engine is still closing");
  });
}

int32_t save(Engine*, Text, ErrorText* error) {
  return guarded(error, [] { not_yet("saving an engine's weights"); });
}

int32_t profile(Engine*, int32_t, ErrorText* error) {
  return guarded(error, [] { not_yet("profiling"); });
}

void free_engine(Engine* self) { delete self; }

int32_t profile_take(Engine*, Profile**, ErrorText* error) {
  return guarded(error, [] { not_yet("profiling"); });
}

// No profile exists yet, so what follows is never reached with one; the entries keep the table whole.
int64_t profile_count(const Profile*) { return 0; }
int32_t profile_milliseconds(const Profile*, double*, int64_t, int64_t*, ErrorText* error) {
  return guarded(error, [] { not_yet("profiling"); });
}
int32_t profile_table(const Profile*, Buffer*, ErrorText* error) {
  return guarded(error, [] { not_yet("profiling"); });
}
void profile_free(Profile*) {}

}  // namespace

void fill_engine(Table& table) {
  table.engine_inspect = inspect;
  table.engine_open = open;
  table.engine_tokenizer = tokenizer;
  table.engine_info = info;
  table.engine_stats = stats;
  table.engine_wait = wait;
  table.engine_close = close;
  table.engine_save = save;
  table.engine_profile = profile;
  table.engine_free = free_engine;
  table.profile_take = profile_take;
  table.profile_count = profile_count;
  table.profile_milliseconds = profile_milliseconds;
  table.profile_table = profile_table;
  table.profile_free = profile_free;
}

}  // namespace graft::facade

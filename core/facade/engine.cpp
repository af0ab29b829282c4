#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/quote.h"
#include "core/engine/info.h"
#include "core/facade/objects.h"

namespace graft::facade {
namespace {

[[noreturn]] void not_yet(const char* what) { fail(StatusCode::unsupported, "{} is not in this release", what); }

InjectionMode read_injection(std::string_view name, bool user_policy) {
  if (name.empty()) return user_policy ? InjectionMode::automatic : InjectionMode::kernel;
  if (name == "auto") return InjectionMode::automatic;
  if (name == "kernel" || name == "none") {
    if (user_policy) {
      fail(StatusCode::invalid_argument,
           "a row-parallel policy and injection {} contradict each other, expected injection auto, or no policy",
           quote(name));
    }
    return name == "kernel" ? InjectionMode::kernel : InjectionMode::none;
  }
  fail(StatusCode::invalid_argument, "injection is {}, expected kernel, auto or none", quote(name));
}

int64_t least(const char* name, int64_t value, int64_t lowest) {
  if (value < lowest) fail(StatusCode::invalid_argument, "{} is {}, expected {} or more", name, value, lowest);
  return value;
}

// The types "int8" and "int4" are weights of that many bits over the arithmetic of the stored type.
void read_types(const EngineOptions& in, graft::EngineOptions& out) {
  if (in.dtype.size > 0) out.dtype = string(in.dtype);
  out.quantization = {in.quantization_bits, least("quantization group_size", in.quantization_group, 0)};
  if (out.dtype != "int8" && out.dtype != "int4") return;
  const int64_t bits = out.dtype == "int8" ? 8 : 4;
  if (out.quantization.bits != 0 && out.quantization.bits != bits) {
    fail(StatusCode::invalid_argument, "dtype {} and quantization of {} bits contradict each other", quote(out.dtype),
         out.quantization.bits);
  }
  out.quantization.bits = bits;
  out.dtype = "auto";
}

void read_policies(const EngineOptions& in, graft::EngineOptions& out) {
  for (int64_t i = 0; i < in.policy_count; ++i) out.architecture_policies.push_back(string(in.policies[i]));
  for (int64_t i = 0; i < in.row_parallel_count; ++i) {
    UserRowParallel& policy = out.user_policy.emplace_back();
    policy.layer_class = string(in.row_parallel[i].layer_class);
    for (int64_t j = 0; j < in.row_parallel[i].name_count; ++j) {
      policy.names.push_back(string(in.row_parallel[i].names[j]));
    }
  }
}

void read_ranks(const EngineOptions& in, graft::EngineOptions& out) {
  out.tensor_parallel = least("tensor_parallel", in.tensor_parallel, 1);
  out.tensor_parallel_grain = least("tensor_parallel_grain", in.tensor_parallel_grain, 1);
  out.expert_parallel = least("expert_parallel", in.expert_parallel, 1);
  out.rank = {in.rank, in.world, string(in.address), in.port, in.timeout_ms};
  if (out.tensor_parallel % out.expert_parallel != 0) {
    fail(StatusCode::invalid_argument, "expert_parallel is {}, expected a divisor of tensor_parallel {}",
         out.expert_parallel, out.tensor_parallel);
  }
  // AutoTP over one rank changes nothing; a user's policy is checked against the model all the same.
  const bool one_rank = out.tensor_parallel == 1 && out.rank.world <= 1;
  if (out.injection == InjectionMode::automatic && one_rank && out.user_policy.empty()) {
    out.injection = InjectionMode::none;
  }
  if (out.injection == InjectionMode::none && out.tensor_parallel > 1) {
    fail(StatusCode::invalid_argument, "injection none cannot split a model, but tensor_parallel is {}",
         out.tensor_parallel);
  }
}

graft::EngineOptions read_options(const EngineOptions* in) {
  graft::EngineOptions options;
  if (in == nullptr) return options;
  if (in->struct_size != static_cast<int64_t>(sizeof(EngineOptions))) {
    fail(StatusCode::version_mismatch, "engine options have {} bytes, expected {}", in->struct_size,
         sizeof(EngineOptions));
  }
  if (in->device.size > 0) options.device = string(in->device);
  read_types(*in, options);
  read_policies(*in, options);
  options.injection = read_injection(view(in->injection), !options.user_policy.empty());
  read_ranks(*in, options);
  options.graph = in->graph != 0;
  options.threads = in->threads;
  options.context_limit = in->context_limit;
  options.least_context = in->least_context;
  options.max_sequences = in->max_sequences;
  options.max_queue = in->max_queue;
  options.run_ahead_ms = in->run_ahead_ms;
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

int32_t profile(Engine* self, int32_t on, ErrorText* error) {
  return guarded(error, [&] { self->engine->profile(on != 0); });
}

void free_engine(Engine* self) { delete self; }

int32_t profile_take(Engine* self, Profile** out, ErrorText* error) {
  return guarded(error, [&] {
    auto taken = std::make_unique<Profile>();
    taken->profile = self->engine->take_profile();
    *out = taken.release();
  });
}

int64_t profile_count(const Profile* self) { return static_cast<int64_t>(self->profile.forwards.size()); }

int32_t profile_milliseconds(const Profile* self, double* out, int64_t capacity, int64_t* out_count, ErrorText* error) {
  return guarded(error, [&] {
    const std::vector<int64_t>& forwards = self->profile.forwards;
    *out_count = static_cast<int64_t>(forwards.size());
    const int64_t written = std::min(capacity, *out_count);
    for (int64_t i = 0; i < written; ++i) out[i] = static_cast<double>(forwards[static_cast<size_t>(i)]) * 1e-6;
    if (written < *out_count) {
      fail(StatusCode::buffer_too_small, "milliseconds: the buffer holds {} numbers, expected {}", capacity,
           *out_count);
    }
  });
}

int32_t profile_table(const Profile* self, Buffer* out, ErrorText* error) {
  return guarded(error, [&] { assign(*out, self->profile.table_json()); });
}

void profile_free(Profile* self) { delete self; }

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

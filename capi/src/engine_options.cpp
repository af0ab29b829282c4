// Thunks of graft/engine_options.h, without set_json.
#include "graft/engine_options.h"

#include <cctype>

#include "capi/src/arguments.h"
#include "capi/src/error.h"
#include "capi/src/private.h"

using namespace graft::capi;

namespace {

// "auto", "cpu", "cuda" or "cuda:N" with a number of at most four digits.
bool is_device(std::string_view device) {
  if (device == "auto" || device == "cpu" || device == "cuda") return true;
  if (device.substr(0, 5) != "cuda:" || device.size() < 6 || device.size() > 9) return false;
  for (const char digit : device.substr(5)) {
    if (digit < '0' || digit > '9') return false;
  }
  return true;
}

}  // namespace

graft_status graft_engine_options_new(graft_engine_options** out_options) {
  return call([&] {
    graft_engine_options*& out = output_handle("out_options", out_options);
    out = new graft_engine_options();
    return GRAFT_STATUS_OK;
  });
}

void graft_engine_options_free(graft_engine_options* options) { delete options; }

graft_status graft_engine_options_set_device(graft_engine_options* options, const char* device, int64_t device_size) {
  return call([&] {
    const std::string_view value = text("device", device, device_size);
    if (!is_device(value)) {
      fail(GRAFT_STATUS_INVALID_ARGUMENT, "device: found %s, expected 'auto', 'cpu', 'cuda' or 'cuda:N'",
           in_quotes(value).c_str());
    }
    required("options", options).device = value;
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_dtype(graft_engine_options* options, const char* dtype, int64_t dtype_size) {
  return call([&] {
    required("options", options).dtype =
        one_of("dtype", text("dtype", dtype, dtype_size), {"auto", "float32", "bfloat16", "float16", "int8", "int4"});
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_quantization(graft_engine_options* options, int32_t bits, int64_t group_size) {
  return call([&] {
    graft_engine_options& self = required("options", options);
    if (bits != 0 && bits != 4 && bits != 8) {
      fail(GRAFT_STATUS_INVALID_ARGUMENT, "quantization bits: found %d, expected 0, 4 or 8", static_cast<int>(bits));
    }
    self.quantization_group = integer("quantization group_size", group_size, 0);
    self.quantization_bits = bits;
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_tensor_parallel(graft_engine_options* options, int64_t ranks) {
  return call([&] {
    required("options", options).tensor_parallel = integer("tensor_parallel", ranks, 1);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_expert_parallel(graft_engine_options* options, int64_t ranks) {
  return call([&] {
    required("options", options).expert_parallel = integer("expert_parallel", ranks, 1);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_rank(graft_engine_options* options, int64_t rank, int64_t world,
                                           const char* address, int64_t address_size, int64_t port,
                                           int64_t timeout_ms) {
  return call([&] {
    graft_engine_options& self = required("options", options);
    const std::string_view host = text("address", address, address_size);
    integer("world", world, rank == -1 ? 0 : 1, rank == -1 ? 0 : INT64_MAX);
    integer("rank", rank, -1, rank == -1 ? -1 : world - 1);
    integer("port", port, world > 1 ? 1 : 0, 65535);
    integer("timeout_ms", timeout_ms, 0);
    if (world > 1) word("address", address, address_size);
    self.address = host;
    self.rank = rank;
    self.world = world;
    self.port = port;
    self.timeout_ms = timeout_ms;
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_injection(graft_engine_options* options, const char* injection,
                                                int64_t injection_size) {
  return call([&] {
    required("options", options).injection =
        one_of("injection", text("injection", injection, injection_size), {"kernel", "auto", "none"});
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_graph(graft_engine_options* options, int32_t enabled) {
  return call([&] {
    required("options", options).graph = flag("graph", enabled);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_threads(graft_engine_options* options, int64_t threads) {
  return call([&] {
    required("options", options).threads = integer("threads", threads, 0);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_context_limit(graft_engine_options* options, int64_t tokens) {
  return call([&] {
    required("options", options).context_limit = integer("context_limit", tokens, 0);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_max_sequences(graft_engine_options* options, int64_t sequences) {
  return call([&] {
    required("options", options).max_sequences = integer("max_sequences", sequences, 0);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_max_queue(graft_engine_options* options, int64_t requests) {
  return call([&] {
    required("options", options).max_queue = integer("max_queue", requests, 0);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_run_ahead_ms(graft_engine_options* options, int64_t milliseconds) {
  return call([&] {
    required("options", options).run_ahead_ms = integer("run_ahead_ms", milliseconds, 0, 60'000);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_memory_limit(graft_engine_options* options, int64_t bytes) {
  return call([&] {
    required("options", options).memory_limit = integer("memory_limit", bytes, 0);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_weights(graft_engine_options* options, graft_weights weights) {
  return call([&] {
    required("options", options).weights = choice("weights", weights, 2);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_library_directory(graft_engine_options* options, const char* directory,
                                                        int64_t directory_size) {
  return call([&] {
    graft_engine_options& self = required("options", options);
    const bool empty = text("library_directory", directory, directory_size).empty();
    self.library_directory = empty ? std::string_view() : word("library_directory", directory, directory_size);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_set_progress(graft_engine_options* options, graft_progress_callback callback,
                                               void* user) {
  return call([&] {
    graft_engine_options& self = required("options", options);
    self.progress = callback;
    self.progress_user = user;
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_engine_options_add_policy(graft_engine_options* options, const graft_policy* policy) {
  return call([&] {
    required("options", options).policies.push_back(required("policy", policy));
    return GRAFT_STATUS_OK;
  });
}

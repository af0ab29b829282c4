// What stands behind the handles, and the only casts between handles and objects.
//
// Light nouns are structs of this library. The handles of heavy nouns are the core's own pointers: the core shares
// ownership inside, so nothing needs to be wrapped.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "capi/src/bytes.h"
#include "core/facade/table.h"
#include "graft/graft.h"

struct graft_string {
  graft_string() = default;
  graft_string(const graft_string&) = delete;
  graft_string& operator=(const graft_string&) = delete;
  ~graft_string() { std::free(buffer.data); }

  graft::facade::Buffer buffer = graft::capi::empty_buffer();
};

struct graft_policy {
  std::string json;         // an architecture, or empty:
  std::string layer_class;  // a row-parallel plan
  std::vector<std::string> names;
};

struct graft_tensor {
  int32_t dtype = 0;
  int32_t rank = 0;
  int64_t shape[GRAFT_TENSOR_MAX_RANK] = {};
  const void* data = nullptr;
  int64_t byte_size = 0;
  std::shared_ptr<void> storage;  // releases data with its last reference
};

struct graft_input {
  bool has_text = false;
  std::string text;
  bool has_tokens = false;
  std::vector<int64_t> tokens;
  bool has_chat = false;
  std::string chat;
  std::vector<int64_t> decoder_tokens;
  std::vector<int64_t> token_types;
  std::map<std::string, graft_tensor> tensors;
};

struct graft_engine_options {
  std::string device = "auto";
  std::string dtype = "auto";
  std::string injection;  // empty: not set; a row-parallel policy contradicts "kernel" only where a caller said it
  int32_t quantization_bits = 0;
  int64_t quantization_group = 0;
  int64_t tensor_parallel = 1;
  int64_t tensor_parallel_grain = 64;
  int64_t expert_parallel = 1;
  int64_t rank = -1;
  int64_t world = 0;
  std::string address;
  int64_t port = 0;
  int64_t timeout_ms = 0;
  int32_t graph = 1;
  int64_t threads = 0;
  int64_t context_limit = 0;
  int64_t least_context = 0;
  int64_t max_sequences = 0;
  int64_t max_queue = 0;
  int64_t run_ahead_ms = 10;
  int64_t memory_limit = 0;
  int32_t weights = GRAFT_WEIGHTS_MAP;
  std::string library_directory;
  graft_progress_callback progress = nullptr;
  void* progress_user = nullptr;
  std::vector<graft_policy> policies;
};

struct graft_request_options {
  int32_t kind = GRAFT_REQUEST_GENERATE;
  int64_t max_tokens = -1;
  int64_t min_tokens = 0;
  int32_t greedy = 0;
  double temperature = 1;
  int64_t top_k = 0;
  double top_p = 1;
  double min_p = 0;
  double typical_p = 1;
  double repetition_penalty = 1;
  double frequency_penalty = 0;
  double presence_penalty = 0;
  int64_t penalty_window = 0;
  int64_t no_repeat_ngram = 0;
  int64_t seed = -1;
  int32_t ignore_eos = 0;
  int64_t num_beams = 1;
  int64_t num_sequences = 1;
  double length_penalty = 1;
  int32_t pooling = GRAFT_POOLING_MODEL;
  int64_t top_logprobs = 0;
  int64_t priority = 0;
  int64_t deadline_ms = 0;
  std::string cache_salt;
  std::vector<std::string> stop;
  std::vector<int64_t> stop_tokens;
  std::vector<int64_t> bias_tokens;
  std::vector<double> bias_values;
  std::vector<int64_t> allowed_tokens;
  std::vector<int64_t> banned_tokens;
};

struct graft_event {
  graft_event() {
    event.text = event.message = event.top = graft::capi::empty_buffer();
    event.kind = GRAFT_EVENT_NONE;
    event.token = -1;
  }
  graft_event(const graft_event&) = delete;
  graft_event& operator=(const graft_event&) = delete;
  ~graft_event() {
    std::free(event.text.data);
    std::free(event.message.data);
    std::free(event.top.data);
  }

  graft::facade::Event event = {};  // its buffers belong to this object and keep their memory from refill to refill
};

namespace graft::capi {

inline facade::Engine* core_of(graft_engine* handle) { return reinterpret_cast<facade::Engine*>(handle); }
inline facade::Tokenizer* core_of(graft_tokenizer* handle) { return reinterpret_cast<facade::Tokenizer*>(handle); }
inline facade::Decoder* core_of(graft_decoder* handle) { return reinterpret_cast<facade::Decoder*>(handle); }
inline facade::Request* core_of(graft_request* handle) { return reinterpret_cast<facade::Request*>(handle); }
inline facade::Queue* core_of(graft_queue* handle) { return reinterpret_cast<facade::Queue*>(handle); }
inline facade::Profile* core_of(graft_profile* handle) { return reinterpret_cast<facade::Profile*>(handle); }

inline graft_engine* handle_of(facade::Engine* object) { return reinterpret_cast<graft_engine*>(object); }
inline graft_tokenizer* handle_of(facade::Tokenizer* object) { return reinterpret_cast<graft_tokenizer*>(object); }
inline graft_decoder* handle_of(facade::Decoder* object) { return reinterpret_cast<graft_decoder*>(object); }
inline graft_request* handle_of(facade::Request* object) { return reinterpret_cast<graft_request*>(object); }
inline graft_queue* handle_of(facade::Queue* object) { return reinterpret_cast<graft_queue*>(object); }
inline graft_profile* handle_of(facade::Profile* object) { return reinterpret_cast<graft_profile*>(object); }

}  // namespace graft::capi

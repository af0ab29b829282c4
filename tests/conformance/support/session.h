// The public C interface as the tests use it: owned handles, and failures as exceptions that carry Graft's own text.
#pragma once

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <graft/graft.h>

#include "tests/conformance/support/cell.h"
#include "tests/conformance/support/device.h"
#include "tests/conformance/support/test_case.h"

namespace graft::conformance {

// A call that takes longer has hung.
inline constexpr int64_t timeout_ms = 120000;

inline void check(graft_status status, const std::string& what) {
  if (status == GRAFT_STATUS_OK) return;
  throw std::runtime_error(what + ": " + graft_status_name(status) + ": " + graft_last_error_message());
}

template <typename Handle, void (*release)(Handle*)>
struct Release {
  void operator()(Handle* handle) const { release(handle); }
};

using Engine = std::unique_ptr<graft_engine, Release<graft_engine, graft_engine_free>>;
using EngineOptions = std::unique_ptr<graft_engine_options, Release<graft_engine_options, graft_engine_options_free>>;
using Policy = std::unique_ptr<graft_policy, Release<graft_policy, graft_policy_free>>;
using Input = std::unique_ptr<graft_input, Release<graft_input, graft_input_free>>;
using RequestOptions =
    std::unique_ptr<graft_request_options, Release<graft_request_options, graft_request_options_free>>;
using Request = std::unique_ptr<graft_request, Release<graft_request, graft_request_free>>;
using Event = std::unique_ptr<graft_event, Release<graft_event, graft_event_free>>;
using Queue = std::unique_ptr<graft_queue, Release<graft_queue, graft_queue_free>>;
using Tensor = std::unique_ptr<graft_tensor, Release<graft_tensor, graft_tensor_free>>;

/// Options of a cell.
inline EngineOptions make_engine_options(const Cell& cell, const std::string& dtype) {
  graft_engine_options* made = nullptr;
  check(graft_engine_options_new(&made), "engine options");
  EngineOptions options(made);
  if (cell.cuda) prepare_cuda();
  check(graft_engine_options_set_device(made, cell.cuda ? "cuda" : "cpu", -1), "device");
  check(graft_engine_options_set_dtype(made, dtype.c_str(), -1), "dtype");
  check(graft_engine_options_set_tensor_parallel(made, cell.ranks), "ranks");
  check(graft_engine_options_set_graph(made, cell.graph ? 1 : 0), "graph");
  if (cell.injection != "policy") {
    check(graft_engine_options_set_injection(made, cell.injection.c_str(), -1), "injection");
    return options;
  }
  std::vector<const char*> names;
  for (const std::string& name : cell.names) names.push_back(name.c_str());
  graft_policy* policy = nullptr;
  check(graft_policy_row_parallel(cell.layer_class.c_str(), -1, names.data(), static_cast<int64_t>(names.size()),
                                  &policy),
        "policy");
  const Policy owner(policy);
  check(graft_engine_options_add_policy(made, policy), "add policy");
  return options;
}

inline Engine open_engine(const TestCase& test_case, const Cell& cell, const std::string& dtype) {
  const EngineOptions options = make_engine_options(cell, dtype);
  graft_engine_options* made = options.get();
  check(graft_engine_options_set_context_limit(made, test_case.context), "context limit");
  graft_engine* engine = nullptr;
  check(graft_engine_open(test_case.directory.c_str(), -1, made, &engine), "open " + test_case.directory.string());
  return Engine(engine);
}

inline RequestOptions make_options(graft_request_kind kind) {
  graft_request_options* made = nullptr;
  check(graft_request_options_new(&made), "request options");
  RequestOptions options(made);
  check(graft_request_options_set_kind(made, kind), "kind");
  return options;
}

/// `token_types`: as many as tokens, or none.
inline Request submit(graft_engine* engine, const Tokens& prompt, const graft_request_options* options,
                      graft_queue* queue = nullptr, int64_t tag = 0, const Tokens& token_types = {}) {
  graft_input* made = nullptr;
  check(graft_input_new(&made), "input");
  const Input input(made);
  check(graft_input_set_tokens(made, prompt.data(), static_cast<int64_t>(prompt.size())), "tokens");
  if (!token_types.empty()) {
    check(graft_input_set_token_types(made, token_types.data(), static_cast<int64_t>(token_types.size())),
          "token types");
  }
  graft_request* request = nullptr;
  check(graft_request_submit(engine, made, options, queue, tag, &request),
        "submit " + std::to_string(prompt.size()) + " tokens");
  return Request(request);
}

inline Request submit_text(graft_engine* engine, std::string_view text, const graft_request_options* options) {
  graft_input* made = nullptr;
  check(graft_input_new(&made), "input");
  const Input input(made);
  check(graft_input_set_text(made, text.data(), static_cast<int64_t>(text.size())), "text");
  graft_request* request = nullptr;
  check(graft_request_submit(engine, made, options, nullptr, 0, &request), "submit a text");
  return Request(request);
}

/// An image [channels * size, size] as `shape` says: "pixel_values" of a request.
inline Request submit_image(graft_engine* engine, const Matrix& pixels, const std::vector<int64_t>& shape,
                            const graft_request_options* options, const char* name = "pixel_values",
                            graft_dtype dtype = GRAFT_DTYPE_FLOAT32) {
  graft_tensor* tensor = nullptr;
  check(graft_tensor_new(dtype, shape.data(), static_cast<int32_t>(shape.size()), pixels.values.data(),
                         static_cast<int64_t>(pixels.values.size() * sizeof(float)), &tensor),
        "tensor");
  const Tensor owner(tensor);
  graft_input* made = nullptr;
  check(graft_input_new(&made), "input");
  const Input input(made);
  check(graft_input_set_tensor(made, name, -1, tensor), name);
  graft_request* request = nullptr;
  check(graft_request_submit(engine, made, options, nullptr, 0, &request), "submit an image");
  return Request(request);
}

/// Waits for a request's float32 result; a row vector counts as one row.
inline Matrix take_rows(graft_request* request, const char* name) {
  check(graft_request_wait(request, timeout_ms), std::string("wait for ") + name);
  graft_tensor* made = nullptr;
  check(graft_request_tensor(request, name, -1, &made), std::string("take ") + name);
  const Tensor tensor(made);
  const int64_t* shape = graft_tensor_shape(made);
  const int32_t rank = graft_tensor_rank(made);
  if (graft_tensor_dtype(made) != GRAFT_DTYPE_FLOAT32 || rank < 1 || rank > 2) {
    throw std::runtime_error(std::string(name) + ": expected a float32 vector or matrix");
  }
  Matrix matrix{rank == 2 ? shape[0] : 1, shape[rank - 1], {}};
  matrix.values.resize(static_cast<size_t>(matrix.rows * matrix.columns));
  if (graft_tensor_byte_size(made) != static_cast<int64_t>(matrix.values.size() * sizeof(float))) {
    throw std::runtime_error(std::string(name) + ": size and shape differ");
  }
  std::memcpy(matrix.values.data(), graft_tensor_data(made), matrix.values.size() * sizeof(float));
  return matrix;
}

/// Waits for a request of kind logits; the matrix must be float32 [rows, columns].
inline Matrix take_logits(graft_request* request, int64_t rows, int64_t columns) {
  Matrix matrix = take_rows(request, "logits");
  if (matrix.rows != rows || matrix.columns != columns) {
    throw std::runtime_error("logits: expected [" + std::to_string(rows) + ", " + std::to_string(columns) +
                             "], found [" + std::to_string(matrix.rows) + ", " + std::to_string(matrix.columns) + "]");
  }
  return matrix;
}

/// What came out of one generating request.
struct Generated {
  Tokens tokens;
  graft_finish_reason reason = GRAFT_FINISH_NONE;
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
};

/// Puts one event into the answer it belongs to; true when that answer is complete.
inline bool take_event(const graft_event* event, Generated& generated) {
  switch (graft_event_kind(event)) {
    case GRAFT_EVENT_TOKEN:
      generated.tokens.push_back(graft_event_token(event));
      return false;
    case GRAFT_EVENT_FINISHED:
      generated.reason = graft_event_finish_reason(event);
      generated.prompt_tokens = graft_event_usage(event, GRAFT_USAGE_PROMPT_TOKENS);
      generated.completion_tokens = graft_event_usage(event, GRAFT_USAGE_COMPLETION_TOKENS);
      return true;
    case GRAFT_EVENT_ERROR:
      throw std::runtime_error(std::string("request failed: ") + graft_event_message(event));
    default:
      return false;
  }
}

inline Event make_event() {
  graft_event* made = nullptr;
  check(graft_event_new(&made), "event");
  return Event(made);
}

inline Generated generate(graft_engine* engine, const Tokens& prompt, const graft_request_options* options) {
  const Request request = submit(engine, prompt, options);
  const Event event = make_event();
  Generated generated;
  do {
    check(graft_request_next(request.get(), timeout_ms, event.get()), "next event");
  } while (!take_event(event.get(), generated));
  const graft_status after = graft_request_next(request.get(), timeout_ms, event.get());
  if (after != GRAFT_STATUS_END) {
    throw std::runtime_error(std::string("after the last event: expected END, found ") + graft_status_name(after));
  }
  return generated;
}

/// All prompts in flight at once, their events in one queue.
inline std::vector<Generated> generate_together(graft_engine* engine, const std::vector<Tokens>& prompts,
                                                const graft_request_options* options) {
  graft_queue* made = nullptr;
  check(graft_queue_new(&made), "queue");
  const Queue queue(made);
  const Event event = make_event();
  std::vector<Generated> generated(prompts.size());
  std::vector<Request> requests;
  for (size_t i = 0; i < prompts.size(); ++i) {
    requests.push_back(submit(engine, prompts[i], options, made, static_cast<int64_t>(i)));
  }
  for (size_t open = prompts.size(); open > 0;) {
    check(graft_queue_next(made, timeout_ms, event.get()), "next event of the queue");
    if (take_event(event.get(), generated.at(static_cast<size_t>(graft_event_tag(event.get()))))) --open;
  }
  return generated;
}

}  // namespace graft::conformance

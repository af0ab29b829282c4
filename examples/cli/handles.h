// Graft's handles as unique_ptrs, and `make`, which calls a function whose last argument hands one out.
#pragma once

#include <graft/graft.h>

#include <memory>
#include <string>

#include "errors.h"

namespace cli {

template <auto free_function>
struct Release {
  template <typename T>
  void operator()(T* handle) const {
    free_function(handle);
  }
};

using String = std::unique_ptr<graft_string, Release<graft_string_free>>;
using Policy = std::unique_ptr<graft_policy, Release<graft_policy_free>>;
using EngineOptions = std::unique_ptr<graft_engine_options, Release<graft_engine_options_free>>;
using Engine = std::unique_ptr<graft_engine, Release<graft_engine_free>>;
using Tokenizer = std::unique_ptr<graft_tokenizer, Release<graft_tokenizer_free>>;
using Input = std::unique_ptr<graft_input, Release<graft_input_free>>;
using RequestOptions = std::unique_ptr<graft_request_options, Release<graft_request_options_free>>;
using Request = std::unique_ptr<graft_request, Release<graft_request_free>>;
using Queue = std::unique_ptr<graft_queue, Release<graft_queue_free>>;
using Event = std::unique_ptr<graft_event, Release<graft_event_free>>;
using Tensor = std::unique_ptr<graft_tensor, Release<graft_tensor_free>>;
using Profile = std::unique_ptr<graft_profile, Release<graft_profile_free>>;

/// make<Event>(graft_event_new), make<Engine>(graft_engine_open, path, -1, options): the handle, or Failure.
template <typename Handle, typename Function, typename... Arguments>
Handle make(Function function, Arguments... arguments) {
  typename Handle::pointer handle = nullptr;
  check(function(arguments..., &handle));
  return Handle(handle);
}

inline std::string to_string(const String& text) {
  return std::string(graft_string_data(text.get()), static_cast<size_t>(graft_string_size(text.get())));
}

}  // namespace cli

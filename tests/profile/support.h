// Profiles as the tests see them, through the public C interface.
#pragma once

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/conformance/support/session.h"

namespace graft::conformance {

using Profile = std::unique_ptr<graft_profile, Release<graft_profile, graft_profile_free>>;

inline Engine open_example(const char* injection, bool graph = true) {
  graft_engine_options* made = nullptr;
  check(graft_engine_options_new(&made), "options");
  const EngineOptions options(made);
  check(graft_engine_options_set_device(made, "cpu", -1), "device");
  check(graft_engine_options_set_injection(made, injection, -1), "injection");
  check(graft_engine_options_set_graph(made, graph ? 1 : 0), "graph");
  check(graft_engine_options_set_threads(made, 1), "threads");
  graft_engine* engine = nullptr;
  const char* model = std::getenv("GRAFT_TEST_MODEL");
  check(graft_engine_open(model != nullptr ? model : "GRAFT_TEST_MODEL-is-not-set", -1, made, &engine), "open");
  return Engine(engine);
}

inline RequestOptions make_greedy(int64_t tokens) {
  RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  check(graft_request_options_set_max_tokens(options.get(), tokens), "max tokens");
  check(graft_request_options_set_ignore_eos(options.get(), 1), "ignore eos");
  check(graft_request_options_set_greedy(options.get(), 1), "greedy");
  return options;
}

/// One prompt of four tokens, alone in the engine: as many forward passes as tokens. The passes are over before the
/// answer's last event comes.
inline void decode(graft_engine* engine, int64_t tokens) {
  const RequestOptions options = make_greedy(tokens);
  const Generated generated = generate(engine, {1, 5, 9, 2}, options.get());
  if (static_cast<int64_t>(generated.tokens.size()) != tokens) {
    throw std::runtime_error("expected " + std::to_string(tokens) + " tokens, found " +
                             std::to_string(generated.tokens.size()));
  }
}

inline Profile take_profile(graft_engine* engine) {
  graft_profile* profile = nullptr;
  check(graft_profile_take(engine, &profile), "take the profile");
  return Profile(profile);
}

inline std::vector<double> milliseconds(const graft_profile* profile) {
  std::vector<double> times(static_cast<size_t>(graft_profile_count(profile)));
  int64_t count = 0;
  check(graft_profile_milliseconds(profile, times.data(), static_cast<int64_t>(times.size()), &count), "milliseconds");
  times.resize(static_cast<size_t>(count));
  return times;
}

inline nlohmann::json table(const graft_profile* profile) {
  graft_string* text = nullptr;
  check(graft_profile_table(profile, &text), "table");
  const std::unique_ptr<graft_string, Release<graft_string, graft_string_free>> owned(text);
  return nlohmann::json::parse(graft_string_data(text));
}

}  // namespace graft::conformance

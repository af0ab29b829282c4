// Engines on a CUDA device of any kind, as the tests of this folder open and close them: the stand-in, the emulated
// kernels behind it, or the machine's own.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/conformance/support/session.h"
#include "tests/device/stand_in.h"

namespace graft::conformance {

/// Whether the device is one that counts what it does and fails on demand.
inline bool has_faults() { return prepare_cuda() != nullptr; }

/// Only where has_faults().
inline stand_in::Faults& faults() {
  static stand_in::Faults* const found = [] {
    const auto get = reinterpret_cast<stand_in::GetFaults>(dlsym(prepare_cuda(), stand_in::get_faults_symbol));
    if (get == nullptr) throw std::runtime_error(dlerror());
    return get();
  }();
  return *found;
}

inline RequestOptions options_of(const std::string& json) {
  RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
  check(graft_request_options_set_json(options.get(), json.c_str(), -1), "options");
  return options;
}

/// The tokens of each answer of a request, until it has ended.
inline std::vector<Tokens> answers_of(graft_request* request) {
  std::vector<Tokens> answers;
  const Event event = make_event();
  for (;;) {
    const graft_status status = graft_request_next(request, timeout_ms, event.get());
    if (status == GRAFT_STATUS_END) return answers;
    check(status, "next event");
    if (graft_event_kind(event.get()) == GRAFT_EVENT_ERROR) throw std::runtime_error(graft_event_message(event.get()));
    if (graft_event_kind(event.get()) != GRAFT_EVENT_TOKEN) continue;
    const auto sequence = static_cast<size_t>(graft_event_sequence(event.get()));
    if (answers.size() <= sequence) answers.resize(sequence + 1);
    answers[sequence].push_back(graft_event_token(event.get()));
  }
}

class AnyDevice : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_faults()) return;
    faults().devices = 2;
    regions_ = faults().regions();
  }
  void TearDown() override {
    if (!has_faults() || IsSkipped()) return;
    faults().allocations = faults().launches = faults().copies = faults().losses = 0;
    faults().lost = false;
    faults().too_old = -1;
    faults().memory_bytes = int64_t{4} << 30;
    EXPECT_EQ(faults().regions(), regions_) << "memory of the device that was not given back";
    EXPECT_EQ(faults().graphs, 0) << "captured steps that were not given back";
    EXPECT_EQ(faults().early_releases.exchange(0), 0) << "given back while the device worked on it";
    EXPECT_EQ(faults().strange_releases.exchange(0), 0) << "given back twice";
  }

  /// Null where the engine could not be opened; then `failure` is Graft's text.
  Engine open(const char* device, bool graph = true, const char* dtype = "float32", const char* injection = "kernel",
              int64_t ranks = 1, int64_t rank_timeout_ms = 0) {
    Cell cell{injection, ranks, graph, "", {}, /*cuda=*/true};
    const EngineOptions options = make_engine_options(cell, dtype);
    check(graft_engine_options_set_device(options.get(), device, -1), "device");
    check(graft_engine_options_set_rank(options.get(), -1, 0, "", 0, 0, rank_timeout_ms), "time-out");
    check(graft_engine_options_set_context_limit(options.get(), context_limit), "context limit");
    check(graft_engine_options_set_max_sequences(options.get(), max_sequences), "sequences");
    check(graft_engine_options_set_run_ahead_ms(options.get(), run_ahead_ms), "running ahead");
    graft_engine* engine = nullptr;
    status = graft_engine_open(model.c_str(), -1, options.get(), &engine);
    failure = status == GRAFT_STATUS_OK ? "" : graft_last_error_message();
    return Engine(engine);
  }

  /// Ended, with all memory given back, when it returns.
  static void close(Engine& engine) {
    check(graft_engine_close(engine.get(), timeout_ms), "close");
    engine.reset();
  }

  static Tokens answer(graft_engine* engine, const Tokens& prompt) {
    const RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
    check(graft_request_options_set_greedy(options.get(), 1), "greedy");
    check(graft_request_options_set_max_tokens(options.get(), 24), "tokens");
    check(graft_request_options_set_ignore_eos(options.get(), 1), "end tokens");
    return generate(engine, prompt, options.get()).tokens;
  }

  static Matrix logits(graft_engine* engine, const Tokens& prompt) {
    const Request request = submit(engine, prompt, make_options(GRAFT_REQUEST_LOGITS).get());
    return take_rows(request.get(), "logits");
  }

  /// The answers of requests of all sorts that are under way at once and end one after another, some where nobody could
  /// know it, while others come, and one is cancelled. [request][answer]
  static std::vector<std::vector<Tokens>> many_answers(graft_engine* engine) {
    const auto submit_one = [&](const Tokens& own, const std::string& json) {
      const RequestOptions options = make_options(GRAFT_REQUEST_GENERATE);
      check(graft_request_options_set_json(options.get(), json.data(), static_cast<int64_t>(json.size())), "options");
      return submit(engine, own, options.get());
    };
    const Request cancelled = submit_one({1, 2, 3}, R"({"max_tokens":100,"ignore_eos":true})");
    std::vector<Request> requests;
    for (int64_t i = 0; i < 12; ++i) {
      Tokens own = {20, 9, 14, 31, 7, 55, 12, 3, 40, 18, 22};
      own.resize(static_cast<size_t>(i == 5 ? 1 : 3 + i * 5), i + 1);
      requests.push_back(
          submit_one(own, R"({"seed":)" + std::to_string(i) + R"(,"max_tokens":)" + std::to_string(5 + i * 4) +
                              (i % 3 == 0 ? R"(,"greedy":true)" : R"(,"temperature":3)") + R"(,"ignore_eos":)" +
                              (i % 2 == 0 ? "true" : "false") + (i % 4 == 1 ? R"(,"presence_penalty":0.5)" : "") +
                              (i % 3 == 1 ? R"(,"stop_tokens":[7,30,41,52])" : "") +
                              (i == 8 ? R"(,"num_sequences":3)" : "") + "}"));
    }
    check(graft_request_cancel(cancelled.get()), "cancel");
    std::vector<std::vector<Tokens>> all;
    for (const Request& request : requests) all.push_back(answers_of(request.get()));
    return all;
  }

  std::string info(graft_engine* engine) {
    graft_string* text = nullptr;
    check(graft_engine_info(engine, &text), "info");
    std::string copy(graft_string_data(text), static_cast<size_t>(graft_string_size(text)));
    graft_string_free(text);
    return copy;
  }

  graft_status status = GRAFT_STATUS_OK;
  std::string failure;
  // Of engines opened from now on.
  std::string model = std::getenv("GRAFT_TEST_MODEL");
  int64_t context_limit = 128;
  int64_t max_sequences = 0;     ///< 0: as many as by default
  int64_t run_ahead_ms = 60000;  ///< as many steps as there can be, however slow the machine that stands in

 private:
  int64_t regions_ = 0;
};

/// On a device that fails on demand and counts.
class OnDevice : public AnyDevice {
 protected:
  void SetUp() override {
    if (!has_faults()) GTEST_SKIP() << "a device of its own does not fail on demand";
    AnyDevice::SetUp();
  }
};

inline const Tokens prompt = {20, 9, 14, 31, 7, 55, 12, 3, 40, 18, 22};

}  // namespace graft::conformance

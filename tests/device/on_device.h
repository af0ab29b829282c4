// Engines on the stand-in for a CUDA device, as the tests of this folder open and close them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/conformance/support/session.h"
#include "tests/device/stand_in.h"

namespace graft::conformance {

inline stand_in::Faults& faults() {
  static stand_in::Faults* const found = [] {
    const auto get = reinterpret_cast<stand_in::GetFaults>(dlsym(prepare_cuda(), stand_in::get_faults_symbol));
    if (get == nullptr) throw std::runtime_error(dlerror());
    return get();
  }();
  return *found;
}

class OnDevice : public testing::Test {
 protected:
  void SetUp() override {
    if (prepare_cuda() == nullptr) GTEST_SKIP() << "a device of its own does not fail on demand";
    faults().devices = 2;
    regions_ = faults().regions();
  }
  void TearDown() override {
    if (IsSkipped()) return;
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
    status = graft_engine_open(std::getenv("GRAFT_TEST_MODEL"), -1, options.get(), &engine);
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
  int64_t context_limit = 128;
  int64_t max_sequences = 0;     ///< 0: as many as by default
  int64_t run_ahead_ms = 60000;  ///< as many steps as there can be, however slow the machine that stands in

 private:
  int64_t regions_ = 0;
};

inline const Tokens prompt = {20, 9, 14, 31, 7, 55, 12, 3, 40, 18, 22};

}  // namespace graft::conformance

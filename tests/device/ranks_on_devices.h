// Engines of several ranks on the stand-ins for devices and for NCCL.
#pragma once

#include <chrono>
#include <string>

#include "tests/device/on_device.h"
#include "tests/device/stand_in_nccl.h"

namespace graft::conformance {

using Clock = std::chrono::steady_clock;

inline stand_in::NcclFaults& nccl() {
  static stand_in::NcclFaults* const found = [] {
    void* library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_NOLOAD);
    const auto get = reinterpret_cast<stand_in::GetNcclFaults>(dlsym(library, stand_in::get_nccl_faults_symbol));
    if (get == nullptr) throw std::runtime_error(dlerror());
    return get();
  }();
  return *found;
}

/// Without peer memory: all sums are NCCL's.
class RanksOnDevices : public OnDevice {
 protected:
  explicit RanksOnDevices(bool peers = false) : with_peers(peers) {}

  void SetUp() override {
    OnDevice::SetUp();
    if (IsSkipped()) return;
    faults().devices = 4;
    faults().peers = with_peers;
  }
  void TearDown() override {
    if (IsSkipped()) return;
    nccl().absent = -1;
    nccl().async_error = 0;
    nccl().failing = -1;
    nccl().aborts_hang = false;
    faults().peers = true;
    faults().wrong_sums = false;
    faults().absent = -1;
    faults().faulty = -1;
    faults().captures = faults().launch_losses = 0;
    EXPECT_EQ(nccl().communicators, 0) << "communicators that were not given back";
    OnDevice::TearDown();
  }

  Engine open_ranks(int64_t ranks, const char* device = "cuda", bool graph = true, int64_t rank_timeout_ms = 0,
                    const char* dtype = "float32") {
    return open(device, graph, dtype, "kernel", ranks, rank_timeout_ms);
  }

  std::string sums(graft_engine* engine) {
    const std::string text = info(engine), key = R"("sums_of_ranks":")";
    const size_t at = text.find(key);
    if (at == std::string::npos) return text;
    return text.substr(at + key.size(), text.find('"', at + key.size()) - at - key.size());
  }

  /// Runs a step that is to fail; the text of its failure. Seconds that it took in `took`.
  std::string failing_step(graft_engine* engine, graft_status expected, const Tokens& tokens = prompt) {
    const auto begin = Clock::now();
    const Request request = submit(engine, tokens, make_options(GRAFT_REQUEST_LOGITS).get());
    EXPECT_EQ(graft_request_wait(request.get(), timeout_ms), expected);
    std::string text = graft_request_error_message(request.get());
    EXPECT_NE(graft_engine_wait(engine, timeout_ms), GRAFT_STATUS_OK);
    took = std::chrono::duration<double>(Clock::now() - begin).count();
    return text;
  }

  /// Rank 1 fails in the step of this request: the request and the engine, which has then ended, both say so.
  void expect_reason(graft_engine* engine, const Request& request, const std::string& text) {
    const auto begin = Clock::now();
    EXPECT_EQ(graft_request_wait(request.get(), timeout_ms), GRAFT_STATUS_DEVICE_ERROR);
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(50)) << "not by the time-out, which is a minute";
    const std::string told = graft_request_error_message(request.get());
    EXPECT_TRUE(told.starts_with("rank 1: ") && told.find(text) != std::string::npos) << told;
    nccl().aborts_hang = false;
    EXPECT_EQ(graft_engine_wait(engine, timeout_ms), GRAFT_STATUS_DEVICE_ERROR);
    EXPECT_EQ(graft_last_error_message(), told);
  }

  /// Rank 1's device is lost while both are in a sum, which rank 0's never begins.
  void lose_a_device_in_a_sum(const Tokens& tokens) {
    Engine engine = open_ranks(2);
    ASSERT_TRUE(engine) << failure;
    if (with_peers) {
      faults().absent = 0;
    } else {
      nccl().absent = 0;
    }
    faults().faulty = 1;
    const int64_t launched = faults().graph_launches + 2;
    const Request request = submit(engine.get(), tokens, make_options(GRAFT_REQUEST_LOGITS).get());
    while (faults().graph_launches < launched && graft_request_wait(request.get(), 1) == GRAFT_STATUS_TIMEOUT) {
    }
    faults().lost = true;
    expect_reason(engine.get(), request, "the device is lost");
  }

  const bool with_peers;
  double took = 0;
};

}  // namespace graft::conformance

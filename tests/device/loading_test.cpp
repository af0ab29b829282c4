// Weights on their way to a device: what fails or is given up in the middle is told, and nothing is left behind.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "tests/device/on_device.h"

namespace graft::conformance {
namespace {

namespace fs = std::filesystem;

class Loading : public OnDevice {
 protected:
  void SetUp() override {
    OnDevice::SetUp();
    if (IsSkipped()) return;
    directory_ = fs::path(testing::TempDir()) / ("graft_loading_" + std::to_string(getpid()));
    fs::remove_all(directory_);
    fs::copy(std::getenv("GRAFT_TEST_MODEL"), directory_, fs::copy_options::recursive);
  }
  void TearDown() override {
    if (!directory_.empty()) fs::remove_all(directory_);
    OnDevice::TearDown();
  }

  /// As open(), of a copy of the model, with `progress` called now and then; it says whether to go on.
  Engine load(const std::function<bool(double)>& progress, const char* dtype = "auto", bool read = false) {
    Cell cell{"kernel", 1, true, "", {}, /*cuda=*/true};
    const EngineOptions options = make_engine_options(cell, dtype);
    check(graft_engine_options_set_device(options.get(), "cuda", -1), "device");
    check(graft_engine_options_set_context_limit(options.get(), 128), "context limit");
    check(graft_engine_options_set_weights(options.get(), read ? GRAFT_WEIGHTS_READ : GRAFT_WEIGHTS_MAP), "weights");
    const auto call = [](void* user, double fraction, const char*) -> int32_t {
      return (*static_cast<const std::function<bool(double)>*>(user))(fraction) ? 0 : 1;
    };
    check(graft_engine_options_set_progress(options.get(), call, const_cast<std::function<bool(double)>*>(&progress)),
          "progress");
    graft_engine* engine = nullptr;
    status = graft_engine_open(directory_.c_str(), -1, options.get(), &engine);
    failure = status == GRAFT_STATUS_OK ? "" : graft_last_error_message();
    return Engine(engine);
  }

  fs::path weights() const {
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (entry.path().extension() == ".safetensors") return entry.path();
    }
    return {};
  }

  fs::path directory_;
};

TEST_F(Loading, EveryCopyMayFail) {
  int64_t failed = 0;
  for (int64_t n = 1;; n += 7) {
    faults().copies = n;
    Engine engine = load([](double) { return true; });
    if (engine) {
      close(engine);
      break;
    }
    ++failed;
    EXPECT_EQ(status, GRAFT_STATUS_DEVICE_ERROR) << n << ": " << failure;
    EXPECT_NE(failure.find("a copy that was to fail"), std::string::npos) << failure;
  }
  EXPECT_GT(failed, 3);
}

// Progress is told by another thread than the one that loads, so what is done then may come too late: each case is
// tried until it was in time, and whatever the outcome, nothing is left behind (TearDown).
constexpr int tries = 20;

TEST_F(Loading, ADeviceThatIsLostIsTold) {
  bool told = false;
  for (int i = 0; i < tries && !told; ++i) {
    Engine engine = load([&](double) { return faults().lost = true, true; });
    told = status == GRAFT_STATUS_DEVICE_ERROR && failure.find("the device is lost") != std::string::npos;
    EXPECT_TRUE(engine || told) << failure;
    if (engine) graft_engine_close(engine.get(), timeout_ms);
    engine.reset();
    faults().lost = false;
  }
  EXPECT_TRUE(told);
}

TEST_F(Loading, ItCanBeGivenUp) {
  for (const char* dtype : {"float32", "int4"}) {
    int given_up = 0;
    for (int i = 0; i < tries; ++i) {
      int calls = 0;
      Engine engine = load([&](double) { return ++calls <= i / 4; }, dtype);
      if (engine) {
        close(engine);
        continue;
      }
      EXPECT_EQ(status, GRAFT_STATUS_CANCELLED) << failure;
      ++given_up;
    }
    EXPECT_GT(given_up, 0);
  }
}

TEST_F(Loading, AFileThatShrinksIsNamed) {
  const auto whole = fs::file_size(weights());
  for (const bool read : {false, true}) {
    for (const char* dtype : {"float32", "bfloat16", "int8"}) {
      bool told = false;
      for (int i = 0; i < tries && !told; ++i) {
        fs::remove(weights());
        fs::copy(std::getenv("GRAFT_TEST_MODEL"), directory_,
                 fs::copy_options::recursive | fs::copy_options::skip_existing);
        int calls = 0;
        Engine engine = load(
            [&](double) {
              if (++calls == 1) fs::resize_file(weights(), whole / 5);
              return true;
            },
            dtype, read);
        told = status == GRAFT_STATUS_IO_ERROR && failure.find(".safetensors") != std::string::npos;
        EXPECT_TRUE(engine || told) << failure;
        if (engine) close(engine);
      }
      EXPECT_TRUE(told) << dtype;
    }
  }
}

}  // namespace
}  // namespace graft::conformance

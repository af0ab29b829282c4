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

  /// As open(), of a copy of the model, with `progress` called after every module; it says whether to go on.
  Engine load(const std::function<bool(double)>& progress, const char* dtype = "auto", int64_t ranks = 1,
              bool read = false) {
    Cell cell{"kernel", ranks, true, "", {}, /*cuda=*/true};
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

TEST_F(Loading, ADeviceThatIsLostIsTold) {
  int64_t calls = 0;
  EXPECT_FALSE(load([&](double) {
    if (++calls == 8) faults().lost = true;
    return true;
  }));
  EXPECT_EQ(status, GRAFT_STATUS_DEVICE_ERROR) << failure;
  EXPECT_NE(failure.find("the device is lost"), std::string::npos) << failure;
  faults().lost = false;
}

TEST_F(Loading, ItCanBeGivenUpAfterEveryModule) {
  for (const char* dtype : {"float32", "int4"}) {
    int64_t most = 0, given_up = 0;
    double last = 0;
    Engine engine = load([&](double fraction) { return ++most, last = fraction, true; }, dtype);
    ASSERT_TRUE(engine) << failure;
    EXPECT_EQ(last, 1.0);
    close(engine);
    for (int64_t n = 1; n <= most; n += 5) {
      int64_t calls = 0;
      EXPECT_FALSE(load([&](double) { return ++calls < n; }, dtype));
      EXPECT_EQ(status, GRAFT_STATUS_CANCELLED) << failure;
      ++given_up;
    }
    EXPECT_GT(given_up, 2);
  }
}

TEST_F(Loading, AFileThatShrinksIsNamed) {
  const auto whole = fs::file_size(weights());
  for (const bool read : {false, true}) {
    for (const char* dtype : {"float32", "bfloat16", "int8"}) {
      for (const double keep : {0.2, 0.6}) {
        fs::remove(weights());
        fs::copy(std::getenv("GRAFT_TEST_MODEL"), directory_,
                 fs::copy_options::recursive | fs::copy_options::skip_existing);
        int64_t calls = 0;
        EXPECT_FALSE(load(
            [&](double) {
              if (++calls == 1) fs::resize_file(weights(), static_cast<uintmax_t>(static_cast<double>(whole) * keep));
              return true;
            },
            dtype, 1, read))
            << dtype << " " << keep;
        EXPECT_EQ(status, GRAFT_STATUS_IO_ERROR) << failure;
        EXPECT_NE(failure.find(".safetensors"), std::string::npos) << failure;
      }
    }
  }
}

}  // namespace
}  // namespace graft::conformance

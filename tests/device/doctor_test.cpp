// What `graft doctor` says of devices and of the libraries that they use, on stand-ins for both. Libraries that are not
// there are hidden by tests/cuda/missing_libraries.
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "tests/device/on_device.h"

namespace graft::conformance {
namespace {

/// Warnings of the process while it lives. At most one at a time.
class Warnings {
 public:
  Warnings() {
    std::lock_guard lock(mutex);
    lines.clear();
    graft_log_set_callback(take, nullptr);
  }
  ~Warnings() { graft_log_set_callback(nullptr, nullptr); }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;

  static std::vector<std::string> all() {
    std::lock_guard lock(mutex);
    return lines;
  }

 private:
  static void take(void*, graft_log_level level, const char* message) {
    std::lock_guard lock(mutex);
    if (level == GRAFT_LOG_WARNING) lines.emplace_back(message);
  }

  inline static std::mutex mutex;
  inline static std::vector<std::string> lines;
};

class Doctor : public OnDevice {
 protected:
  void TearDown() override {
    if (!IsSkipped()) faults().no_library = false;
    OnDevice::TearDown();
  }

  static std::string answer() {
    graft_string* text = nullptr;
    check(graft_doctor(&text), "doctor");
    std::string copy(graft_string_data(text), static_cast<size_t>(graft_string_size(text)));
    graft_string_free(text);
    return copy;
  }

  static bool says(const std::string& line) { return answer().find(line) != std::string::npos; }
};

TEST_F(Doctor, FindsWhatSeveralDevicesUse) {
  EXPECT_TRUE(says(R"("cuda": "found")")) << answer();
  EXPECT_TRUE(says(R"("cublas_lt": "found, version 1.2.3")")) << answer();
  EXPECT_TRUE(says(R"("nccl": "found, version 2.28.9")")) << answer();
  EXPECT_FALSE(says("not_used")) << answer();
}

TEST_F(Doctor, LooksForNcclOnMachinesThatDoNotUseIt) {
  const std::string line = R"("nccl": "found, version 2.28.9; not used: fewer than two usable CUDA devices")";
  faults().devices = 1;
  EXPECT_TRUE(says(line)) << answer();
  faults().devices = 2;
  faults().too_old = 1;
  EXPECT_TRUE(says(line)) << answer();
  faults().devices = 0;
  EXPECT_TRUE(says(line)) << answer();
  EXPECT_TRUE(says(R"("cublas_lt": "found, version 1.2.3; not used: no usable CUDA device")")) << answer();
}

TEST_F(Doctor, SaysWhyOneDeviceOfTwoIsNotUsed) {
  faults().too_old = 0;
  const std::string reason = "stand-in has compute capability 7.5, expected 8.0 or later";
  EXPECT_TRUE(says(R"("not_used": ")" + reason + '"')) << answer();
  EXPECT_TRUE(says(R"("cuda": "found")")) << answer();
  EXPECT_FALSE(open("cuda:0"));
  EXPECT_EQ(status, GRAFT_STATUS_UNSUPPORTED);
  EXPECT_NE(failure.find(reason), std::string::npos) << failure;
}

TEST_F(Doctor, ALibraryThatIsMissingIsTold) {
  faults().no_library = true;
  EXPECT_TRUE(says(R"("cublas_lt": "not usable: no library of the stand-in; )"
                   R"(matrix products are left to Graft's own kernels")"))
      << answer();
}

TEST_F(Doctor, AnEngineWithoutTheLibraryWarnsOnce) {
  const auto warnings = [&] {
    const Warnings heard;
    Engine engine = open("cuda:1");
    EXPECT_TRUE(engine) << failure;
    EXPECT_EQ(OnDevice::answer(engine.get(), prompt).size(), 24u);
    close(engine);
    return Warnings::all();
  };
  EXPECT_EQ(warnings(), std::vector<std::string>()) << "the stand-in's kernels need none";
  faults().no_library = true;
  EXPECT_EQ(warnings(),
            std::vector<std::string>{"device cuda:1: cuBLASLt is not used, products are left to Graft's own "
                                     "kernels: no library of the stand-in"});
}

}  // namespace
}  // namespace graft::conformance

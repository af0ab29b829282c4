// How LibTorch and the core are found, and what is said when they are not.
#include "tests/capi/scenario.h"

#include <atomic>
#include <thread>
#include <vector>

namespace graft::test {
namespace {

// Less than what is loaded of a library, however much debug information may follow that.
constexpr std::uintmax_t cut_size = 8192;

class Loading : public Scenario {
 protected:
  // Opens an engine in a fresh process and expects a status and words of its text.
  void expect_open(graft_status expected, std::initializer_list<std::string> words,
                   const std::string& option_directory = {}) {
    in_process([&] {
      void* library = open_library();
      graft_engine_options* options = nullptr;
      GRAFT_OF(library, graft_engine_options_new)(&options);
      GRAFT_OF(library, graft_engine_options_set_library_directory)(options, option_directory.c_str(), -1);
      graft_engine* engine = nullptr;
      EXPECT_EQ(GRAFT_OF(library, graft_engine_open)("model", -1, options, &engine), expected);
      const std::string text = GRAFT_OF(library, graft_last_error_message)();
      for (const std::string& word : words) EXPECT_NE(text.find(word), std::string::npos) << text << " lacks " << word;
      EXPECT_EQ(engine != nullptr, expected == GRAFT_STATUS_OK);
      GRAFT_OF(library, graft_engine_free)(engine);
      GRAFT_OF(library, graft_engine_options_free)(options);
    });
  }
};

TEST(Doctor, AnswersWithoutLibTorch) {
  in_process([] {
    setenv("GRAFT_LIBTORCH", "/nonexistent/libtorch", 1);
    graft_string* json = nullptr;
    ASSERT_EQ(graft_doctor(&json), GRAFT_STATUS_OK);
    const std::string text(graft_string_data(json), static_cast<std::size_t>(graft_string_size(json)));
    for (const char* word : {"\"abi\": 1", "\"loaded\": false", "\"found\": false", "/nonexistent/libtorch",
                             "\"error\"", "GRAFT_LIBTORCH", "holds no libtorch_cpu.so"}) {
      EXPECT_NE(text.find(word), std::string::npos) << text << " lacks " << word;
    }
    graft_string_free(json);
    graft_engine* engine = nullptr;
    EXPECT_EQ(graft_engine_open("model", -1, nullptr, &engine), GRAFT_STATUS_NOT_FOUND);
    EXPECT_EQ(engine, nullptr);
    graft_tokenizer* tokenizer = nullptr;
    EXPECT_EQ(graft_tokenizer_open("model", -1, &tokenizer), GRAFT_STATUS_NOT_FOUND);
    graft_queue* queue = nullptr;
    EXPECT_EQ(graft_queue_new(&queue), GRAFT_STATUS_NOT_FOUND);
    EXPECT_EQ(graft_doctor(nullptr), GRAFT_STATUS_INVALID_ARGUMENT);
  });
}

TEST_F(Loading, ByOptionPackageOrLibraryDirectory) {
  const std::string torch = make_torch("torch", "2.11.0+cu130");
  expect_open(GRAFT_STATUS_OK, {}, torch);
  expect_open(GRAFT_STATUS_OK, {}, torch + "/lib");
}

TEST_F(Loading, ByEnvironment) {
  setenv("GRAFT_LIBTORCH", make_torch("torch", "2.11.0").c_str(), 1);
  expect_open(GRAFT_STATUS_OK, {});
}

TEST_F(Loading, BesideTheLibrary) {
  make_torch("torch", "2.11.0+cpu");
  std::filesystem::create_directories(root_ / "site");
  std::filesystem::rename(root_ / "graft", root_ / "site/lib");  // LibTorch is at ../../torch/lib from there
  in_process([&] {
    void* library = dlopen((root_ / "site/lib/libgraft.so.1").c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr);
    graft_queue* queue = nullptr;
    EXPECT_EQ(GRAFT_OF(library, graft_queue_new)(&queue), GRAFT_STATUS_OK)
        << GRAFT_OF(library, graft_last_error_message)();
    GRAFT_OF(library, graft_queue_free)(queue);
  });
}

TEST_F(Loading, AnExplicitDirectoryIsTheOnlyAnswer) {
  setenv("GRAFT_LIBTORCH", make_torch("torch", "2.11.0").c_str(), 1);
  expect_open(GRAFT_STATUS_NOT_FOUND, {"/no/torch", "library_directory", "holds no libtorch_cpu.so", "2.11.0"},
              "/no/torch");
}

TEST_F(Loading, AnotherVersionIsRefusedUnloaded) {
  const std::string torch = make_torch("torch", "2.10.0+cu128");
  std::ofstream(torch + "/lib/libtorch_cpu.so", std::ios::trunc) << "loading this would fail otherwise";
  expect_open(GRAFT_STATUS_VERSION_MISMATCH, {"2.10.0", "expected 2.11.0", torch}, torch);
}

TEST_F(Loading, VersionFilesOfAnArchive) {
  const std::string torch = make_torch("libtorch", "2.11.0");
  std::filesystem::remove(torch + "/version.py");
  std::ofstream(torch + "/build-version") << "2.9.1+cpu\n";
  expect_open(GRAFT_STATUS_VERSION_MISMATCH, {"2.9.1"}, torch);
  std::filesystem::remove(torch + "/build-version");
  std::filesystem::create_directories(torch + "/share/cmake/Torch");
  std::ofstream(torch + "/share/cmake/Torch/TorchConfigVersion.cmake") << "set(PACKAGE_VERSION \"2.8.0\")\n";
  expect_open(GRAFT_STATUS_VERSION_MISMATCH, {"2.8.0"}, torch);
}

TEST_F(Loading, DamagedLibTorch) {
  const std::string torch = make_torch("torch", "2.11.0"), library = torch + "/lib/libtorch_cpu.so";
  std::filesystem::resize_file(library, cut_size);
  expect_open(GRAFT_STATUS_IO_ERROR, {torch, "file too short"}, torch);
  std::ofstream(library, std::ios::trunc) << "not a library";
  expect_open(GRAFT_STATUS_IO_ERROR, {torch, "could not be loaded"}, torch);
}

TEST_F(Loading, CoreMissingDamagedOrForeign) {
  const std::string torch = make_torch("torch", "2.11.0");
  const std::string core = (root_ / "graft/libgraft_core.so").string();
  setenv("GRAFT_FAKE_HASH", "other-build", 1);
  expect_open(GRAFT_STATUS_VERSION_MISMATCH, {core, "other-build", build_hash()}, torch);
  setenv("GRAFT_FAKE_HASH", build_hash().c_str(), 1);
  setenv("GRAFT_FAKE_VERSION", "7", 1);
  expect_open(GRAFT_STATUS_VERSION_MISMATCH, {core, "table version 7", "expected 1"}, torch);
  unsetenv("GRAFT_FAKE_VERSION");
  unsetenv("GRAFT_FAKE_HASH");
  expect_open(GRAFT_STATUS_VERSION_MISMATCH, {core, "build hash none"}, torch);
  std::filesystem::remove(core);
  std::filesystem::copy_file(library_under_test(), core);
  expect_open(GRAFT_STATUS_VERSION_MISMATCH, {core, "graft_core_table"}, torch);
  std::filesystem::resize_file(core, cut_size);
  expect_open(GRAFT_STATUS_IO_ERROR, {core, "file too short"}, torch);
  std::ofstream(core, std::ios::trunc) << "not a library";
  expect_open(GRAFT_STATUS_IO_ERROR, {core, "could not be loaded"}, torch);
  std::filesystem::remove(core);
  expect_open(GRAFT_STATUS_NOT_FOUND, {core, "was not found", "beside libgraft.so"}, torch);
}

// A host that holds LibTorch already, as Python's torch does. It is known by its SONAME, so fake_core.cc is linked with
// that of libtorch_cpu.so.
TEST_F(Loading, TheOneInTheProcessIsTheOnlyCandidate) {
  const std::string torch = make_torch("torch", "2.11.0");
  const std::string other = make_torch("other", "2.5.0");
  const auto open_with = [&](const std::string& held, graft_status expected, const std::string& word) {
    in_process([&] {
      setenv("GRAFT_LIBTORCH", torch.c_str(), 1);
      void* library = open_library();
      ASSERT_NE(dlopen((held + "/lib/libtorch_cpu.so").c_str(), RTLD_NOW | RTLD_LOCAL), nullptr) << dlerror();
      ASSERT_NE(dlopen("libtorch_cpu.so", RTLD_NOW | RTLD_NOLOAD), nullptr) << "the fake core lacks the SONAME";
      graft_queue* queue = nullptr;
      EXPECT_EQ(GRAFT_OF(library, graft_queue_new)(&queue), expected);
      const std::string text = GRAFT_OF(library, graft_last_error_message)();
      EXPECT_NE(text.find(word), std::string::npos) << text;
      GRAFT_OF(library, graft_queue_free)(queue);
    });
  };
  open_with(torch, GRAFT_STATUS_OK, "");
  open_with(other, GRAFT_STATUS_VERSION_MISMATCH, "already");
}

TEST_F(Loading, ManyThreadsAtOnce) {
  setenv("GRAFT_LIBTORCH", make_torch("torch", "2.11.0").c_str(), 1);
  in_process([&] {
    void* library = open_library();
    std::vector<std::thread> threads;
    std::atomic<int> opened = 0;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        graft_queue* queue = nullptr;
        if (i % 2 == 0) GRAFT_OF(library, graft_log_set_level)(i % 5);
        opened += GRAFT_OF(library, graft_queue_new)(&queue) == GRAFT_STATUS_OK;
        GRAFT_OF(library, graft_queue_free)(queue);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(opened, 8);
  });
}

TEST_F(Loading, AFailureIsNotKept) {
  const std::string torch = make_torch("torch", "2.11.0");
  in_process([&] {
    void* library = open_library();
    graft_queue* queue = nullptr;
    setenv("GRAFT_LIBTORCH", "/nowhere", 1);
    EXPECT_EQ(GRAFT_OF(library, graft_queue_new)(&queue), GRAFT_STATUS_NOT_FOUND);
    setenv("GRAFT_LIBTORCH", torch.c_str(), 1);
    EXPECT_EQ(GRAFT_OF(library, graft_queue_new)(&queue), GRAFT_STATUS_OK);
    GRAFT_OF(library, graft_queue_free)(queue);
    setenv("GRAFT_LIBTORCH", "/nowhere", 1);  // a success is
    graft_string* json = nullptr;
    EXPECT_EQ(GRAFT_OF(library, graft_log_set_level)(GRAFT_LOG_DEBUG), GRAFT_STATUS_OK);
    EXPECT_EQ(GRAFT_OF(library, graft_doctor)(&json), GRAFT_STATUS_OK);
    const std::string text = GRAFT_OF(library, graft_string_data)(json);
    for (const char* word : {"\"loaded\": true", "\"fake\": true", "\"log_level\": 4", "\"version\": \"2.11.0\""}) {
      EXPECT_NE(text.find(word), std::string::npos) << text << " lacks " << word;
    }
    GRAFT_OF(library, graft_string_free)(json);
  });
}

}  // namespace
}  // namespace graft::test

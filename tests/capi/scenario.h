// A place with a copy of libgraft.so, a fake core beside it and a fake LibTorch, used from a process of its own, since
// a library that was loaded once stays.
//
// GRAFT_TEST_FAKE_CORE names the library built from fake_core.cc; tests that need it are skipped without.
#pragma once

#include <dlfcn.h>
#include <graft/graft.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace graft::test {

/// A function of the copied library, called like the one of the header.
#define GRAFT_OF(library, name) reinterpret_cast<decltype(&::name)>(dlsym(library, #name))

/// Runs a body in a child process; its failed expectations become the test's.
template <class Body>
void in_process(Body&& body) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    body();
    std::fflush(nullptr);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "the process was ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

inline std::string library_under_test() {
  Dl_info info = {};
  dladdr(dlsym(RTLD_DEFAULT, "graft_abi_version"), &info);
  return info.dli_fname != nullptr ? info.dli_fname : "";
}

class Scenario : public testing::Test {
 protected:
  void SetUp() override {
    const char* fake = std::getenv("GRAFT_TEST_FAKE_CORE");
    if (fake == nullptr) GTEST_SKIP() << "GRAFT_TEST_FAKE_CORE is not set";
    fake_ = fake;
    char place[] = "/tmp/graft-capi-XXXXXX";
    ASSERT_NE(mkdtemp(place), nullptr);
    root_ = place;
    std::filesystem::create_directories(root_ / "graft");
    std::filesystem::copy_file(library_under_test(), root_ / "graft/libgraft.so.1");
    std::filesystem::copy_file(fake_, root_ / "graft/libgraft_core.so");
    unsetenv("GRAFT_LIBTORCH");
    unsetenv("GRAFT_FAKE_VERSION");
    setenv("GRAFT_FAKE_HASH", build_hash().c_str(), 1);
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }

  /// A LibTorch: two libraries that load, and the file that tells the version.
  std::string make_torch(const std::string& name, const std::string& version) {
    const std::filesystem::path package = root_ / name;
    std::filesystem::create_directories(package / "lib");
    for (const char* library : {"libc10.so", "libtorch_cpu.so"})
      std::filesystem::copy_file(fake_, package / "lib" / library);
    std::ofstream(package / "version.py") << "from typing import Optional\n__version__ = '" << version << "'\n";
    return package.string();
  }

  /// The build hash of the library under test, as it tells itself.
  static std::string build_hash() {
    static const std::string hash = [] {
      setenv("GRAFT_LIBTORCH", "/nonexistent", 1);
      graft_string* json = nullptr;
      graft_doctor(&json);
      const std::string text = graft_string_data(json);
      graft_string_free(json);
      unsetenv("GRAFT_LIBTORCH");
      const std::string key = "\"build_hash\": \"";
      const std::size_t at = text.find(key) + key.size();
      return text.substr(at, text.find('"', at) - at);
    }();
    return hash;
  }

  void* open_library() const {
    void* library = dlopen((root_ / "graft/libgraft.so.1").c_str(), RTLD_NOW | RTLD_LOCAL);
    EXPECT_NE(library, nullptr) << dlerror();
    return library;
  }

  std::filesystem::path root_;
  std::string fake_;
};

}  // namespace graft::test

#include "core/base/library_file.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace graft {
namespace {

class LibraryFile : public testing::Test {
 protected:
  void SetUp() override {
    char place[] = "/tmp/graft-library-XXXXXX";
    ASSERT_NE(mkdtemp(place), nullptr);
    folder_ = place;
    Dl_info info{};
    ASSERT_NE(dladdr(reinterpret_cast<const void*>(&std::malloc), &info), 0);
    std::filesystem::copy_file(std::filesystem::canonical(info.dli_fname), copy());  // the C library, or a sanitizer's
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string copy() const { return folder_ / "copy.so"; }

 private:
  std::filesystem::path folder_;
};

TEST_F(LibraryFile, WholeOnesAreFine) {
  EXPECT_EQ(library_file_problem(copy()), "");
  EXPECT_EQ(library_file_problem(std::filesystem::canonical("/proc/self/exe")), "");
}

TEST_F(LibraryFile, OneCutAnywhereIsTold) {
  // Beyond the last loaded byte are only what debuggers read: the loader does not miss it.
  uintmax_t needed = std::filesystem::file_size(copy());
  while (library_file_problem(copy()).empty()) std::filesystem::resize_file(copy(), needed -= 512);
  EXPECT_GT(needed, 4096u);
  for (uintmax_t bytes = needed; bytes >= sizeof(Elf64_Ehdr); bytes = bytes * 7 / 8) {
    std::filesystem::resize_file(copy(), bytes);
    const std::string problem = library_file_problem(copy());
    EXPECT_NE(problem.find("file too short: it has " + std::to_string(bytes)), std::string::npos) << problem;
  }
}

TEST_F(LibraryFile, WhatTheLoaderRefusesItselfIsLeftToIt) {
  EXPECT_EQ(library_file_problem("/nowhere/at/all.so"), "");
  EXPECT_EQ(library_file_problem("/tmp"), "");
  std::filesystem::resize_file(copy(), 20);
  EXPECT_EQ(library_file_problem(copy()), "");
  std::ofstream(copy(), std::ios::trunc) << "not a library";
  EXPECT_EQ(library_file_problem(copy()), "");
}

TEST_F(LibraryFile, HeadersThatPromiseTheImpossibleAreTold) {
  std::fstream file(copy(), std::ios::in | std::ios::out | std::ios::binary);
  const uint64_t far = UINT64_MAX - 8;
  file.seekp(offsetof(Elf64_Ehdr, e_phoff));
  file.write(reinterpret_cast<const char*>(&far), sizeof far);
  file.close();
  EXPECT_NE(library_file_problem(copy()).find("file too short"), std::string::npos);
}

}  // namespace
}  // namespace graft

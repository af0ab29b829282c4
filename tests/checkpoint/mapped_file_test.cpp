#include "core/checkpoint/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

#include <cstring>
#include <utility>

#include "tests/checkpoint/files.h"

namespace graft {
namespace {

using test::expect_error;

class MappedFileTest : public testing::TestWithParam<WeightsMode> {
 protected:
  test::TemporaryDirectory directory_;
};

TEST_P(MappedFileTest, HoldsTheBytes) {
  std::string content(100'003, '\0');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7);
  const auto file = MappedFile::open(directory_.write("a.bin", content), GetParam());
  ASSERT_EQ(file->size(), 100'003);
  EXPECT_EQ(std::memcmp(file->data(), content.data(), content.size()), 0);
  EXPECT_EQ(file->bytes().size(), content.size());
  EXPECT_EQ(file->path(), directory_.path("a.bin"));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file->data()) % 4096, 0u);
}

TEST_P(MappedFileTest, OutlivesTheNameOfTheFile) {
  const auto file = MappedFile::open(directory_.write("a.bin", "abc"), GetParam());
  std::filesystem::remove(directory_.path("a.bin"));
  EXPECT_EQ(static_cast<char>(file->data()[2]), 'c');
}

TEST_P(MappedFileTest, HintsOutsideTheFileAreHarmless) {
  const auto file = MappedFile::open(directory_.write("a.bin", std::string(10'000, 'x')), GetParam());
  constexpr int64_t largest = INT64_MAX;
  for (const AccessHint hint :
       {AccessHint::sequential, AccessHint::random, AccessHint::will_need, AccessHint::not_needed}) {
    for (const auto& [offset, size] : std::initializer_list<std::pair<int64_t, int64_t>>{
             {0, 10'000}, {5'000, largest}, {-1, 5}, {10'000, 1}, {largest, largest}, {3, -1}, {3, 0}}) {
      file->advise(hint, offset, size);
    }
  }
  EXPECT_EQ(static_cast<char>(file->data()[9'999]), 'x');
}

TEST_P(MappedFileTest, MissingFile) {
  expect_error([&] { MappedFile::open(directory_.path("none.bin"), GetParam()); }, StatusCode::not_found,
               {"none.bin", "does not exist"});
  const std::string file = directory_.write("a.bin", "abc");
  expect_error([&] { MappedFile::open(file + "/inner.bin", GetParam()); }, StatusCode::not_found, {"a.bin/inner.bin"});
}

TEST_P(MappedFileTest, DirectoryAsFile) {
  expect_error([&] { MappedFile::open(directory_.path(), GetParam()); }, StatusCode::io_error,
               {directory_.path(), "is a directory"});
}

TEST_P(MappedFileTest, FifoDoesNotHang) {
  ASSERT_EQ(::mkfifo(directory_.path("pipe").c_str(), 0600), 0);
  expect_error([&] { MappedFile::open(directory_.path("pipe"), GetParam()); }, StatusCode::io_error,
               {"pipe", "not a regular file"});
}

TEST_P(MappedFileTest, EmptyFile) {
  expect_error([&] { MappedFile::open(directory_.write("a.bin", ""), GetParam()); }, StatusCode::corrupt_data,
               {"a.bin", "empty"});
}

TEST_P(MappedFileTest, LargerThanAllowed) {
  const std::string path = directory_.write("a.bin", "12345");
  EXPECT_EQ(MappedFile::open(path, GetParam(), 5)->size(), 5);
  expect_error([&] { MappedFile::open(path, GetParam(), 4); }, StatusCode::limit_exceeded,
               {"a.bin", "5 bytes", "at most 4"});
}

TEST_P(MappedFileTest, ForbiddenFile) {
  const std::string path = directory_.write("secret.bin", "abc");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
  // Root may read everything, so this thread's file access becomes nobody's for a moment.
  const bool root = ::geteuid() == 0;
  if (root) ::setfsuid(65534);
  const bool readable = ::access(path.c_str(), R_OK) == 0 && !root;
  if (readable) GTEST_SKIP() << "file permissions do not bind this user";
  expect_error([&] { MappedFile::open(path, GetParam()); }, StatusCode::io_error, {"secret.bin", "Permission denied"});
  if (root) ::setfsuid(0);
}

TEST_P(MappedFileTest, PathWithNul) {
  expect_error([&] { MappedFile::open(std::string("a\0b", 3), GetParam()); }, StatusCode::invalid_argument,
               {"a\\x00b"});
}

TEST(MappedFileReadTest, HugeSparseFileIsAnError) {
  test::TemporaryDirectory directory;
  const std::string path = directory.write("huge.bin", "x");
  if (::truncate(path.c_str(), off_t{1} << 43) != 0) GTEST_SKIP() << "the file system has no sparse files of 8 TiB";
  expect_error([&] { MappedFile::open(path, WeightsMode::read); }, StatusCode::out_of_memory,
               {"huge.bin", "8796093022208"});
}

INSTANTIATE_TEST_SUITE_P(Modes, MappedFileTest, testing::Values(WeightsMode::map, WeightsMode::read),
                         [](const auto& test) { return test.param == WeightsMode::map ? "map" : "read"; });

}  // namespace
}  // namespace graft

// The ring over a space of the test's own: a device whose copies are done only when they are waited for.
#include "core/containers/upload_ring.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "core/base/status.h"
#include "tests/containers/late_space.h"

namespace graft {
namespace {

using test::LateSpace;

std::vector<std::byte> some_bytes(int64_t count, int seed) {
  std::vector<std::byte> bytes(static_cast<size_t>(count));
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>((i * 131 + i / 251 + seed) & 255);
  return bytes;
}

class UploadRingTest : public testing::Test {
 protected:
  void TearDown() override {
    EXPECT_EQ(space_.pieces(), 0) << "memory that was not given back";
    EXPECT_EQ(space_.early_releases(), 0) << "given back while it was copied to or from";
  }

  // A file whose bytes are read, not taken from its mapping.
  std::shared_ptr<const MappedFile> file_of(const std::vector<std::byte>& bytes) {
    path_ = std::filesystem::path(testing::TempDir()) / ("upload_ring_" + std::to_string(getpid()));
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return MappedFile::open(path_, WeightsMode::parts);
  }
  ~UploadRingTest() override {
    if (!path_.empty()) std::filesystem::remove(path_);
  }

  LateSpace space_;
  std::filesystem::path path_;
};

TEST_F(UploadRingTest, LimitsFitWhatThereIs) {
  const UploadLimits tiny = upload_limits(1000, 8), large = upload_limits(int64_t{16} << 30, 64);
  EXPECT_EQ(tiny.chunks, 2);
  EXPECT_EQ(tiny.readers, 1);
  EXPECT_EQ(tiny.chunk_bytes, 64 << 10);
  EXPECT_EQ(large.chunk_bytes * large.chunks, int64_t{64} << 20);
  EXPECT_EQ(large.readers, 8);
  EXPECT_EQ(upload_limits(int64_t{16} << 30, 3).readers, 3);
  EXPECT_EQ(upload_limits(0, 0).readers, 1);
}

// Far more tensors than slots, from empty ones to ones of many chunks, by one reader and by several.
TEST_F(UploadRingTest, EveryTensorArrives) {
  for (const int64_t readers : {0, 1, 4}) {
    for (const int64_t chunks : {1, 2, 5}) {
      const std::vector<std::byte> stored = some_bytes(3'000'000, 7);
      const auto file = file_of(stored);
      UploadRing ring(space_, {file}, {.chunk_bytes = 70'000, .chunks = chunks, .readers = readers});
      struct Sent {
        std::vector<std::byte> bytes;
        SpaceMemory memory;
      };
      std::vector<Sent> all;
      int64_t at = 0;
      for (const int64_t size : {0, 1, 69'999, 70'000, 70'001, 1'500'000, 5, 140'000, 33'000, 3, 200'000, 90'000}) {
        all.push_back({{stored.begin() + at, stored.begin() + at + size}, SpaceMemory(space_, size, "test")});
        ring.copy({{file->data() + at, size, 0, 1}}, all.back().memory.data(), file);
        const auto own = std::make_shared<std::vector<std::byte>>(some_bytes(size, 11));  // gone once it is read
        all.push_back({*own, SpaceMemory(space_, size, "test")});
        ring.copy({{own->data(), size, 0, 1}}, all.back().memory.data(), own);
        at += size;
      }
      ring.finish();
      for (const Sent& sent : all) EXPECT_EQ(space_.read(sent.memory), sent.bytes) << readers << " " << chunks;
    }
  }
}

TEST_F(UploadRingTest, RunsAreJoinedAcrossChunks) {
  const std::vector<std::byte> stored = some_bytes(400'000, 3);
  const auto file = file_of(stored);
  // 90 columns of a matrix, then rows from two places.
  const UploadSource source = {
      {file->data() + 13, 90, 300, 1000}, {file->data() + 350'000, 777, 1001, 20}, {file->data(), 50'001, 0, 1}};
  std::vector<std::byte> expected;
  for (const ByteRuns& runs : source) {
    for (int64_t r = 0; r < runs.count; ++r) {
      const std::byte* from = runs.data + r * runs.stride;
      expected.insert(expected.end(), from, from + runs.bytes);
    }
  }
  UploadRing ring(space_, {file}, {.chunk_bytes = 40'003, .chunks = 3, .readers = 2});
  const SpaceMemory to(space_, static_cast<int64_t>(expected.size()), "test");
  ring.copy(source, to.data(), file);
  ring.finish();
  EXPECT_EQ(space_.read(to), expected);
}

TEST_F(UploadRingTest, WhatIsGivenIsFollowedByWorkOnIt) {
  const std::vector<std::byte> stored = some_bytes(500'000, 5);
  const auto file = file_of(stored);
  UploadRing ring(space_, {file}, {.chunk_bytes = 50'000, .chunks = 3, .readers = 2});
  const auto source = std::make_shared<const UploadSource>(UploadSource{{file->data(), 500'000, 0, 1}});
  const SpaceMemory to(space_, 500'000, "test");
  for (int64_t begin = 0; begin < 500'000; begin += 40'000) {
    const int64_t bytes = std::min<int64_t>(40'000, 500'000 - begin);
    ring.give(
        source, begin, bytes,
        [&, begin, bytes](SideStream& stream, const void* raw) {
          stream.copy(static_cast<std::byte*>(to.data()) + begin, raw, bytes);
        },
        file);
  }
  ring.finish();
  EXPECT_EQ(space_.read(to), stored);
}

TEST_F(UploadRingTest, WithLessPinnedMemoryItIsShorter) {
  const std::vector<std::byte> stored = some_bytes(1'000'000, 9);
  const auto file = file_of(stored);
  for (const int64_t most : {500'000, 70'000, 0}) {
    space_.most_staging = most;
    UploadRing ring(space_, {file}, {.chunk_bytes = 64'000, .chunks = 8, .readers = 2});
    EXPECT_EQ(ring.chunks(), most == 500'000 ? 4 : most == 70'000 ? 1 : 4);
    const SpaceMemory to(space_, 1'000'000, "test");
    ring.copy({{file->data(), 1'000'000, 0, 1}}, to.data(), file);
    ring.finish();
    EXPECT_EQ(space_.read(to), stored);
  }
}

TEST_F(UploadRingTest, GivingUpInTheMiddleWaitsForTheCopies) {
  const std::vector<std::byte> stored = some_bytes(2'000'000, 1);
  const auto file = file_of(stored);
  const SpaceMemory to(space_, 2'000'000, "test");
  UploadRing ring(space_, {file}, {.chunk_bytes = 64'000, .chunks = 4, .readers = 2});
  ring.copy({{file->data(), 2'000'000, 0, 1}}, to.data(), file);
}

TEST_F(UploadRingTest, AFailedCopyIsTold) {
  const std::vector<std::byte> stored = some_bytes(2'000'000, 1);
  const auto file = file_of(stored);
  for (const int64_t failing : {1, 3, 20}) {
    const SpaceMemory to(space_, 2'000'000, "test");
    UploadRing ring(space_, {file}, {.chunk_bytes = 64'000, .chunks = 4, .readers = 2});
    space_.fail_copy = failing;
    try {
      ring.copy({{file->data(), 2'000'000, 0, 1}}, to.data(), file);
      ring.finish();
      ADD_FAILURE() << failing;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), StatusCode::device_error) << error.what();
    }
  }
}

TEST_F(UploadRingTest, AFileThatShrinksIsNamed) {
  for (const int64_t readers : {0, 3}) {
    const std::vector<std::byte> stored = some_bytes(2'000'000, 1);
    const auto file = file_of(stored);
    std::filesystem::resize_file(path_, 1'000'000);
    const SpaceMemory to(space_, 2'000'000, "test");
    UploadRing ring(space_, {file}, {.chunk_bytes = 64'000, .chunks = 4, .readers = readers});
    try {
      ring.copy({{file->data(), 2'000'000, 0, 1}}, to.data(), file);
      ring.finish();
      ADD_FAILURE() << readers;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), StatusCode::io_error);
      EXPECT_NE(std::string(error.what()).find(path_.filename()), std::string::npos) << error.what();
    }
  }
}

TEST_F(UploadRingTest, AnUnusedRingEnds) {
  UploadRing never(space_, {}, {});
  UploadRing empty(space_, {}, {});
  empty.finish();
}

}  // namespace
}  // namespace graft

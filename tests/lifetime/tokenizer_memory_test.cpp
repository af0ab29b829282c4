// What a thread encoded with a tokenizer that is gone stays nowhere.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>

#include "tests/conformance/support/session.h"

namespace graft::conformance {
namespace {

[[maybe_unused]] void open_and_encode() {
  graft_tokenizer* tokenizer = nullptr;
  check(graft_tokenizer_open(std::getenv("GRAFT_TEST_MODEL"), -1, &tokenizer), "tokenizer");
  int64_t ids[64], count = 0;
  const char* text = "How do you write two hundred and forty-five in digits?";
  check(graft_tokenizer_encode(tokenizer, text, -1, 1, ids, 64, &count), "encode");
  graft_tokenizer_free(tokenizer);
}

TEST(TokenizerMemory, IsGivenBack) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has an allocator of its own, which mallinfo2 does not see";
#else
  constexpr int settled = 200, cycles = 1000;
  for (int i = 0; i < settled; ++i) open_and_encode();
  const size_t before = mallinfo2().uordblks;
  for (int i = 0; i < cycles; ++i) open_and_encode();
  const auto grown = static_cast<int64_t>(mallinfo2().uordblks) - static_cast<int64_t>(before);
  EXPECT_LT(grown / cycles, 32) << "bytes for each tokenizer that came and went";
#endif
}

}  // namespace
}  // namespace graft::conformance

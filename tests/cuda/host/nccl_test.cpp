// What core/parallel/nccl.h says without the library's header, beside that header and the library itself, where the
// machine has them.
#include "core/parallel/nccl.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/status.h"

#if __has_include(<nccl.h>)
#include <nccl.h>

#include <type_traits>

namespace graft {
namespace {

static_assert(sizeof(NcclId) == sizeof(ncclUniqueId) && std::is_same_v<NcclComm, void*>);
static_assert(offsetof(NcclConfig, size) == offsetof(ncclConfig_t, size));
static_assert(offsetof(NcclConfig, magic) == offsetof(ncclConfig_t, magic));
static_assert(offsetof(NcclConfig, version) == offsetof(ncclConfig_t, version));
static_assert(offsetof(NcclConfig, blocking) == offsetof(ncclConfig_t, blocking));
static_assert(sizeof(NcclConfig) <= sizeof(ncclConfig_t));

/// A function of the table takes as many arguments as the library's, each as large and passed the same way.
template <class... Ours, class Result, class... Theirs>
constexpr bool alike(int (*)(Ours...), Result (*)(Theirs...)) {
  if constexpr (sizeof...(Ours) == sizeof...(Theirs)) {
    return sizeof(Result) == sizeof(int) &&
           ((sizeof(Ours) == sizeof(Theirs) && std::is_pointer_v<Ours> == std::is_pointer_v<Theirs>)&&...);
  }
  return false;
}
constexpr NcclTable none{};
static_assert(alike(none.get_unique_id, &ncclGetUniqueId));
static_assert(alike(none.comm_init_rank_config, &ncclCommInitRankConfig));
static_assert(alike(none.comm_get_async_error, &ncclCommGetAsyncError));
static_assert(alike(none.comm_abort, &ncclCommAbort));
static_assert(alike(none.all_reduce, &ncclAllReduce));
// Results and types that nccl.cpp names by number.
static_assert(ncclSuccess == 0 && ncclInProgress == 7 && ncclFloat32 == 7 && ncclSum == 0);

}  // namespace
}  // namespace graft
#endif

namespace graft {
namespace {

// On a machine without a device the real library starts, fails, and says so; nothing waits for the time-out or ends the
// process.
TEST(NcclLibrary, WithoutADeviceFailsInItsOwnWords) {
  NcclTable table{};
  try {
    table = load_nccl();
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_STREQ(table.get_error_string(0), "no error");
  for (int again = 0; again < 2; ++again) {
    const auto host = make_single_communicator();
    try {
      const NcclCommunicator comm(table, *host, 60000);
      GTEST_SKIP() << "this machine has a device";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), StatusCode::comm_error);
      const std::string text = error.what();
      EXPECT_NE(text.find("nccl group: rank 0 of 1 in "), std::string::npos) << text;
      EXPECT_EQ(text.find("not done after"), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace graft

#include "kernels/cpu/select.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "kernels/spec/isa_names.h"
#include "kernels/spec/linear.h"
#include "tests/kernels/support.h"

namespace graft::kernels::testing {
namespace {

LinearArgs linear_args(int64_t capacity, DType dtype) {
  LinearArgs args = {};
  args.capacity = capacity;
  args.in_features = 64;
  args.segments[0] = {nullptr, nullptr, dtype, DType::float32, 64};
  args.segment_count = 1;
  return args;
}

// The variable is read once in a process, so each value is tried in a new one: this same test, told by
// GRAFT_KERNELS_CHILD what must hold there. True when it held.
bool holds_in_new_process(const char* value, const char* expectation) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("GRAFT_KERNELS", value, 1);
    setenv("GRAFT_KERNELS_CHILD", expectation, 1);
    unsetenv("GTEST_OUTPUT");
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, 1);
    execl("/proc/self/exe", "kernels_test", "--gtest_filter=Select.EnvironmentLimitsTheInstructionSet",
          static_cast<char*>(nullptr));
    _exit(99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void expect_in_child(const std::string& expectation) {
  const LinearArgs args = linear_args(4, DType::float32);
  const Isa best = machine_has(Isa::avx2) ? Isa::avx2 : Isa::reference;
  if (expectation == "reference") {
    EXPECT_EQ(select(Op::linear, &args)->isa, Isa::reference);
    EXPECT_EQ(forced_isa_problem(), nullptr);
    setenv("GRAFT_KERNELS", "avx2", 1);  // too late
    EXPECT_EQ(select(Op::linear, &args)->isa, Isa::reference);
  } else if (expectation == "avx2") {
    EXPECT_EQ(select(Op::linear, &args)->isa, best);
    EXPECT_EQ(forced_isa_problem(), nullptr);
  } else if (expectation == "a device's") {
    EXPECT_EQ(forced_isa_problem(), nullptr);
    EXPECT_GE(select(Op::linear, &args)->isa, best);
  } else {
    EXPECT_STREQ(forced_isa_problem(), "warp");
    EXPECT_GE(select(Op::linear, &args)->isa, best);
  }
}

TEST(Select, EnvironmentLimitsTheInstructionSet) {
  if (const char* expectation = getenv("GRAFT_KERNELS_CHILD")) return expect_in_child(expectation);
  EXPECT_TRUE(holds_in_new_process("reference", "reference"));
  EXPECT_TRUE(holds_in_new_process("avx2", "avx2"));
  EXPECT_TRUE(holds_in_new_process("sm90", "a device's"));
  EXPECT_TRUE(holds_in_new_process("warp", "ignored"));
  EXPECT_FALSE(holds_in_new_process("avx2", "ignored")) << "the outcome of the new process is not seen";
}

TEST(Select, NamesOfInstructionSets) {
  for (const IsaName& entry : isa_names) {
    ASSERT_NE(find_isa(entry.name), nullptr) << entry.name;
    EXPECT_EQ(find_isa(entry.name)->isa, entry.isa);
    EXPECT_EQ(is_device_isa(entry.isa), entry.name[0] == 's');
  }
  for (const char* name : {"", "avx", "avx2x", "AVX2"}) EXPECT_EQ(find_isa(name), nullptr) << name;
}

TEST(Select, EveryOpHasAReferenceAndNamesAreUnique) {
  std::set<std::string> names;
  const VariantTable& table = variant_table();
  for (int64_t i = 0; i < table.count; ++i)
    EXPECT_TRUE(names.insert(table.variants[i]->name).second) << table.variants[i]->name;
  for (int32_t op = 0; op < static_cast<int32_t>(Op::all_reduce); ++op) {
    const Variant* reference = reference_of(static_cast<Op>(op));
    ASSERT_NE(reference, nullptr) << op;
    EXPECT_EQ(reference->accepts, nullptr) << op << ": the reference takes everything";
  }
}

TEST(Select, CapacityPicksTheShapeClass) {
  if (!machine_has(Isa::avx2)) GTEST_SKIP() << "no AVX2 here";
  if (getenv("GRAFT_KERNELS") != nullptr) GTEST_SKIP() << "GRAFT_KERNELS is set";
  for (const auto& [capacity, name] : {std::pair{1, "gemv"}, {8, "gemv"}, {9, "gemm"}, {4096, "gemm"}}) {
    const LinearArgs args = linear_args(capacity, DType::bfloat16);
    EXPECT_NE(std::string(select(Op::linear, &args)->name).find(name), std::string::npos) << capacity;
  }
}

}  // namespace
}  // namespace graft::kernels::testing

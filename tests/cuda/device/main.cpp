// The tests on a device, or what one of them has another process do (other_process.h).
#include <gtest/gtest.h>

#include "tests/cuda/device/other_process.h"

int main(int argc, char** argv) {
  const int played = graft::kernels::testing::play_role(argc, argv);
  if (played >= 0) return played;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

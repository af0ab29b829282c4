// The tests, or one of their children: "ranks_tests --follow RANK WORLD PORT TIMEOUT_MS DEVICE DEVICES".
#include <gtest/gtest.h>

#include <string_view>

#include "tests/ranks/processes.h"

int main(int argc, char** argv) {
  if (argc == 8 && std::string_view(argv[1]) == "--follow") std::_Exit(graft::ranks::follow(argv + 2));
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

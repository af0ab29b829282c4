// What tests have another process do with a device's memory: this program once more, in one of these roles.
#pragma once

#include <string>

#include "kernels/spec/device_plugin.h"

namespace graft::kernels::testing {

/// Memory by its name, as an argument of a program.
std::string text_of(const SharedMemory& shared);

/// The command of a program in a role; `argument` may be empty. Its exit code is 0 where all went as it should.
std::string other_process(const std::string& role, const std::string& argument);

/// --change MEMORY: expects 1, 2, 3 there and makes them 10, 20, 30.
/// --own: shares memory, says its name and the process's number on one line, and waits to be killed.
/// --outlive: writes to the memory of a process in that role, kills it, goes on writing and says how that ends.
/// -1: the arguments name none of them.
int play_role(int argc, char** argv);

}  // namespace graft::kernels::testing

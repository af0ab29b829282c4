// The CUDA device of the tests: the machine's own where GRAFT_TEST_CUDA is set, else the stand-in of tests/device.
#pragma once

#include <dlfcn.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace graft::conformance {

/// Loads a stand-in, which Graft finds under the name of the device library: the first one asked for is the process's.
/// Before the first engine. Null where the machine's own device is used.
inline void* prepare_cuda(const char* variable = "GRAFT_TEST_STAND_IN_PLUGIN") {
  if (std::getenv("GRAFT_TEST_CUDA") != nullptr) return nullptr;
  static void* const library = [variable] {
    const char* path = std::getenv(variable);
    void* loaded = dlopen(path != nullptr ? path : variable, RTLD_NOW | RTLD_LOCAL);
    if (loaded == nullptr) throw std::runtime_error(dlerror());
    // Without it sums of ranks go through the host.
    const char* nccl = std::getenv("GRAFT_TEST_STAND_IN_NCCL");
    if (nccl != nullptr && *nccl != '\0' && dlopen(nccl, RTLD_NOW | RTLD_LOCAL) == nullptr) {
      throw std::runtime_error(dlerror());
    }
    return loaded;
  }();
  return library;
}

}  // namespace graft::conformance

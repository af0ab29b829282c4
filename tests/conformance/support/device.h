// The CUDA device of the tests: the machine's own where GRAFT_TEST_CUDA is set, else the stand-in of tests/device.
#pragma once

#include <dlfcn.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace graft::conformance {

/// Loads the stand-in, which Graft finds under the name of the device library. Once, before the first engine.
inline void* prepare_cuda() {
  if (std::getenv("GRAFT_TEST_CUDA") != nullptr) return nullptr;
  static void* const library = [] {
    const char* path = std::getenv("GRAFT_TEST_STAND_IN_PLUGIN");
    void* loaded = dlopen(path != nullptr ? path : "GRAFT_TEST_STAND_IN_PLUGIN is not set", RTLD_NOW | RTLD_LOCAL);
    if (loaded == nullptr) throw std::runtime_error(dlerror());
    return loaded;
  }();
  return library;
}

}  // namespace graft::conformance

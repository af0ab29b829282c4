// The LibTorch wheel has ProcessGroupGloo.hpp but not the headers it includes. Written for LibTorch 2.11: look again at
// every upgrade.
#pragma once
#include <chrono>
namespace gloo {
/// Never made or copied by us. Both members are exported by libtorch_cpu and not virtual.
class Context {
 public:
  void closeConnections();
  void setTimeout(std::chrono::milliseconds timeout);
};
}  // namespace gloo

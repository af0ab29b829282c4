// The LibTorch wheel has ProcessGroupGloo.hpp but not the headers it includes. Written for LibTorch 2.11: look again at
// every upgrade. Held by shared_ptr and unique_ptr only: names are enough.
#pragma once
namespace gloo::transport {
class Device;
class UnboundBuffer;
}  // namespace gloo::transport

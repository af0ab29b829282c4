#include "core/engine/device.h"
#include "kernels/cpu/select.h"

namespace graft {

CpuDevice::CpuDevice(int32_t threads) : pool_(threads) { context_.parallel = pool_.parallel_for(); }

const kernels::Variant* CpuDevice::select(kernels::Op op, const void* args) const { return kernels::select(op, args); }

}  // namespace graft

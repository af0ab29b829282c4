#include "core/containers/op_list.h"

#include <algorithm>

#include "core/base/status.h"

namespace graft {

const kernels::Variant* OpList::choose(kernels::Op op, const void* args) const {
  const kernels::Variant* variant = select_(op, args);
  if (variant == nullptr) fail(StatusCode::internal, "no kernel for op {} with these arguments", static_cast<int>(op));
  return variant;
}

void* OpList::scratch(int64_t bytes) {
  scratch_bytes_ = std::max(scratch_bytes_, bytes);
  return scratch_;
}

void* OpList::staging(int64_t bytes) {
  staging_bytes_ = std::max(staging_bytes_, bytes);
  return staging_;
}

void OpList::store(const kernels::Variant* variant, const void* args, int64_t bytes, bool kernel) {
  Call call{variant, std::make_unique<std::byte[]>(static_cast<size_t>(bytes)), kernel};
  std::memcpy(call.args.get(), args, static_cast<size_t>(bytes));
  calls_.push_back(std::move(call));
}

void OpList::run(const kernels::Context& context) const {
  for (const Call& call : calls_) call.variant->run(call.args.get(), context);
}

void OpList::run_kernels(const kernels::Context& context) const {
  for (const Call& call : calls_) {
    if (call.kernel) call.variant->run(call.args.get(), context);
  }
}

void OpList::run(const kernels::Context& context, OpTimer& timer) const {
  timer.start();
  for (const Call& call : calls_) {
    call.variant->run(call.args.get(), context);
    space_->synchronize();
    timer.lap(call.variant->name);
  }
}

}  // namespace graft

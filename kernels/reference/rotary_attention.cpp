#include "kernels/spec/rotary_attention.h"

#include "kernels/spec/variant.h"

namespace graft::kernels {

extern const Variant kernel_reference_rotary_cache;
extern const Variant kernel_reference_attention;

namespace {

void run(const void* args, const Context& context) {
  const auto& a = *static_cast<const RotaryAttentionArgs*>(args);
  kernel_reference_rotary_cache.run(&a.rotary, context);
  AttentionArgs attention = a.attention;
  attention.scratch = a.scratch;
  kernel_reference_attention.run(&attention, context);
}

int64_t scratch_bytes(const void* args, int32_t workers) {
  const auto& a = *static_cast<const RotaryAttentionArgs*>(args);
  return kernel_reference_attention.scratch_bytes(&a.attention, workers);
}

}  // namespace

extern const Variant kernel_reference_rotary_attention;
const Variant kernel_reference_rotary_attention = {
    Op::rotary_attention, Isa::reference, "rotary_attention.reference", nullptr, scratch_bytes, run};

}  // namespace graft::kernels

#include "kernels/cpu/select.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "kernels/spec/isa_names.h"

namespace graft::kernels {
namespace {

struct Forced {
  Isa highest = Isa::avx512;
  char unknown[64] = {};
};

Forced read_environment() {
  Forced forced;
  const char* value = getenv("GRAFT_KERNELS");
  if (value == nullptr || value[0] == '\0') return forced;
  if (const IsaName* known = find_isa(value)) {
    if (!is_device_isa(known->isa)) forced.highest = known->isa;  // what a device library reads is no limit here
    return forced;
  }
  strncpy(forced.unknown, value, sizeof forced.unknown - 1);
  return forced;
}

const Forced& forced() {
  static const Forced once = read_environment();
  return once;
}

}  // namespace

#if defined(__x86_64__)
// Not every compiler's __builtin_cpu_supports knows half precision: leaf 1, ecx bit 29. AVX2 tells of the system's
// part.
static bool has_f16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx >> 29 & 1) != 0;
}
#endif

bool machine_has(Isa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  if (isa == Isa::avx2) return avx2;
  if (isa == Isa::avx512) {
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  }
#endif
  return isa <= Isa::baseline;
}

const Variant* select(Op op, const void* args) {
  const VariantTable& table = variant_table();
  const Variant* best = nullptr;
  for (int64_t i = 0; i < table.count; ++i) {
    const Variant* variant = table.variants[i];
    if (variant->op != op || variant->isa > forced().highest || !machine_has(variant->isa)) continue;
    if (best != nullptr && variant->isa <= best->isa) continue;
    if (variant->accepts == nullptr || variant->accepts(args)) best = variant;
  }
  return best;
}

const char* forced_isa_problem() { return forced().unknown[0] != '\0' ? forced().unknown : nullptr; }

}  // namespace graft::kernels

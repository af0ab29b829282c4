// The names of instruction sets, as GRAFT_KERNELS takes them.
#pragma once

#include "kernels/spec/variant.h"

namespace graft::kernels {

struct IsaName {
  const char* name;
  Isa isa;
};

inline constexpr IsaName isa_names[] = {{"reference", Isa::reference}, {"baseline", Isa::baseline}, {"avx2", Isa::avx2},
                                        {"avx512", Isa::avx512},       {"sm80", Isa::sm80},         {"sm90", Isa::sm90},
                                        {"sm100", Isa::sm100}};

/// The entry of `name`; null when there is none.
constexpr const IsaName* find_isa(const char* name) {
  for (const IsaName& entry : isa_names) {
    const char *one = name, *other = entry.name;
    while (*one != '\0' && *one == *other) ++one, ++other;
    if (*one == *other) return &entry;
  }
  return nullptr;
}

/// Those of devices come after all of the CPU's.
constexpr bool is_device_isa(Isa isa) { return isa >= Isa::sm80; }

}  // namespace graft::kernels

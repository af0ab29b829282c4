// SplitMix64 backwards, for draws that land exactly where a test wants them.
#pragma once

#include <cstdint>

namespace graft::kernels::testing {

/// The state of the generator whose next number is u = share * 2^-53.
inline uint64_t state_before(uint64_t share) {
  const auto unshift = [](uint64_t z, int by) {  // undoes z ^= z >> by
    uint64_t back = z;
    for (int done = by; done < 64; done += by) back = z ^ (back >> by);
    return back;
  };
  const auto inverse = [](uint64_t odd) {  // modulo 2^64, by Newton's method
    uint64_t x = odd;
    for (int i = 0; i < 6; ++i) x *= 2 - odd * x;
    return x;
  };
  uint64_t z = unshift(share << 11, 31);
  z = unshift(z * inverse(0x94d049bb133111ebu), 27);
  z = unshift(z * inverse(0xbf58476d1ce4e5b9u), 30);
  return z - 0x9e3779b97f4a7c15u;
}

}  // namespace graft::kernels::testing

// How fast this machine reads memory: the roof that decoding runs into, since every step reads all weights once.
#pragma once

#include <cstdint>

namespace cli {

/// Bytes a second that `threads` threads read with a plain loop from a buffer larger than the caches, best of several
/// passes; 0 when the buffer cannot be had. Takes about a second.
double measure_read_bandwidth(int64_t threads);

}  // namespace cli

// One tensor of a checkpoint: where its bytes are, not a copy of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/dtype.h"
#include "core/checkpoint/mapped_file.h"

namespace graft {

/// For element types that a format knows and Graft has no number for (8-bit floats, I16, ...).
inline constexpr DType other_dtype = DType{0};

/// What every format reader produces. Immutable; any thread. Copies share the file.
struct TensorEntry {
  std::string name;
  DType dtype = other_dtype;   ///< other_dtype: Checkpoint::find and require refuse this tensor
  std::string dtype_name;      ///< as the file spells it: "BF16", "F8_E4M3"
  std::vector<int64_t> shape;  ///< row-major, outermost first; empty for a scalar; entries may be 0
  int64_t elements = 0;        ///< product of the shape
  const std::byte* data =
      nullptr;  ///< into `file`, little-endian, contiguous; alignment is up to the file, see is_aligned
  int64_t byte_size = 0;
  std::shared_ptr<const MappedFile> file;  ///< keeps `data` alive

  /// True when data can be read as elements in place; files exist whose data area starts at an odd byte.
  bool is_aligned(int64_t alignment) const noexcept {
    return alignment > 0 && reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(alignment) == 0;
  }
};

/// "[32000, 4096]"
std::string to_string(const std::vector<int64_t>& shape);

}  // namespace graft

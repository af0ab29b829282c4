// Weights on their way to where the kernels read them: the last step of the container pipeline.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/memory_space.h"
#include "core/containers/layer_tensors.h"
#include "core/containers/upload_ring.h"

namespace graft {

/// Puts tensors into a space. In host memory they stay where they are and nothing is ever deferred. Elsewhere they get
/// memory of their own and are copied by an UploadRing while the caller goes on; their addresses are for kernels alone,
/// and no ATen operator reads them. For the space's thread; the space outlives it and the tensors.
class WeightPlacement {
 public:
  /// `files`: those of the weights. The ring of other than host memory is made for `limits`. Throws as UploadRing.
  explicit WeightPlacement(MemorySpace& space, UploadRing::Files files = {}, const UploadLimits& limits = {});
  /// Waits for the copies under way, so that what was placed may be given back.
  ~WeightPlacement();

  /// Whether weights come as they are stored, with steps deferred.
  bool is_deferred() const { return ring_ != nullptr; }

  /// The tensor with its bytes in the space, contiguous and, where that is given, in the type `as`; undefined where it
  /// is undefined. What was copied from is kept until it has been read. Throws OUT_OF_MEMORY, IO_ERROR, DEVICE_ERROR.
  at::Tensor placed(const at::Tensor& tensor, std::optional<DType> as = std::nullopt);
  at::Tensor placed(const std::vector<float>& values);
  NormTensors placed(const NormTensors& norm);
  /// With what was deferred done.
  LinearTensors placed(LinearTensors linear);

  /// A tensor that is to be worked on here, read from its file rather than from the mapping, which may shrink.
  at::Tensor on_host(const at::Tensor& tensor) const;

  /// Step 5 of a layer, after which the host's tensors are given back.
  void place(LayerTensors& tensors);

  /// Waits until all that was placed can be used, and gives the ring back; nothing is placed afterwards. Throws what
  /// failed on the way, and CORRUPT_DATA naming a tensor that was to be quantised and is not finite.
  void finish();

 private:
  /// Some rows of a matrix in memory of the device: [r, i] is element r * row_stride + i * column_stride of `raw`.
  struct RowChunk {
    int64_t first, rows;
    const void* raw;
    int64_t row_stride, column_stride;
  };
  using RowWork = std::function<void(SideStream& stream, const RowChunk& chunk)>;
  using Parts = std::vector<at::Tensor>;  ///< of a matrix, rows after one another

  at::Tensor allocate(at::IntArrayRef sizes, at::ScalarType type);
  bool fits(const at::Tensor& matrix) const;
  void copy(const Parts& parts, const at::Tensor& to);
  void give_rows(const Parts& parts, const RowWork& work);
  void convert(const Parts& parts, const at::Tensor& to);
  void quantize(const Parts& parts, const DeferredSteps& steps, LinearTensors& linear);
  void place_weight(LinearTensors& linear);

  MemorySpace& space_;
  std::vector<std::shared_ptr<SpaceMemory>> under_way_;  ///< not given back while something is copied there
  SpaceMemory unfit_;               ///< a number of the device: of a quantised tensor that is not finite, 0: of none
  std::vector<std::string> names_;  ///< of the quantised tensors, number 1 first
  std::unique_ptr<UploadRing> ring_;
};

}  // namespace graft

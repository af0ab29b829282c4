// A CUDA device behind the plug-in's table: one stream of its own, on which everything is done.
#pragma once

#include "core/engine/device.h"
#include "kernels/spec/device_plugin.h"

namespace graft {

class CudaDevice final : public Device {
 public:
  /// Makes the device the calling thread's. The plug-in stays loaded for ever. Without the library that kernels would
  /// leave products to there is a warning in the log. Throws DEVICE_ERROR.
  CudaDevice(const kernels::DevicePlugin& plugin, int32_t index);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  bool is_host() const override { return false; }
  void* allocate(int64_t bytes, const char* what) override;
  void release(void* memory, int64_t bytes) noexcept override;
  void* allocate_staging(int64_t bytes, const char* what) override;
  void release_staging(void* memory, int64_t bytes) noexcept override;
  void copy(void* to, const void* from, int64_t bytes) override;
  void copy_rows(void* to, int64_t to_stride, const void* from, int64_t from_stride, int64_t row_bytes,
                 int64_t rows) override;
  void clear(void* to, int64_t bytes) override;
  void synchronize() override;
  void drain() noexcept override;
  bool is_done() override;
  std::unique_ptr<SideStream> new_side_stream() override;
  void wait_by(Wait wait) override { wait_ = std::move(wait); }

  const kernels::Variant* select(kernels::Op op, const void* args) const override;
  int32_t workers() const override { return context_.parallel.workers; }
  const kernels::Context& context() const override { return context_; }
  std::unique_ptr<DeviceMark> make_mark() override;
  std::unique_ptr<DeviceGraph> capture(const std::function<void()>& give) override;

 private:
  const kernels::DevicePlugin& plugin_;
  int32_t index_;
  kernels::Context context_{};
  Wait wait_;
};

}  // namespace graft

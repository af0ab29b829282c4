#include "core/engine/cuda_device.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/base/quote.h"
#include "core/base/status.h"
#include "core/containers/plugin_call.h"

namespace graft {
namespace {

class CudaGraph final : public DeviceGraph {
 public:
  CudaGraph(const kernels::DevicePlugin& plugin, void* graph, void* stream)
      : plugin_(plugin), graph_(graph), stream_(stream) {}
  ~CudaGraph() override { plugin_.graph_free(graph_); }
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  void launch() override { plugin_call(plugin_.graph_launch, "captured step", graph_, stream_); }

 private:
  const kernels::DevicePlugin& plugin_;
  void* graph_;
  void* stream_;
};

class CudaMark final : public DeviceMark {
 public:
  CudaMark(const kernels::DevicePlugin& plugin, int32_t device, void* stream, const Device::Wait& wait)
      : plugin_(plugin), stream_(stream), wait_(wait) {
    plugin_call(plugin_.event_new, "mark", device, false, &event_);
  }
  ~CudaMark() override { plugin_.event_free(event_); }
  CudaMark(const CudaMark&) = delete;
  CudaMark& operator=(const CudaMark&) = delete;

  void set() override { plugin_call(plugin_.event_record, "mark", event_, stream_); }
  void wait() override {
    if (wait_) wait_([this] { return is_reached(); });
    plugin_call(plugin_.event_synchronize, "step", event_);
  }

 private:
  bool is_reached() {
    bool reached = false;
    plugin_call(plugin_.event_query, "step", event_, &reached);
    return reached;
  }

  const kernels::DevicePlugin& plugin_;
  void* stream_;
  const Device::Wait& wait_;
  void* event_ = nullptr;
};

class CudaSideStream final : public SideStream {
 public:
  CudaSideStream(const kernels::DevicePlugin& plugin, int32_t index, const kernels::Context& context)
      : plugin_(plugin), index_(index), context_(context) {
    plugin_call(plugin_.stream_new, "side stream", index_, &context_.stream);
  }
  ~CudaSideStream() override {
    drain();
    for (void* event : events_) plugin_.event_free(event);
    plugin_.stream_free(index_, context_.stream);
  }
  CudaSideStream(const CudaSideStream&) = delete;
  CudaSideStream& operator=(const CudaSideStream&) = delete;

  void copy(void* to, const void* from, int64_t bytes) override {
    if (bytes > 0) plugin_call(plugin_.copy, "copy", context_.stream, to, from, bytes);
  }
  void run(kernels::Op op, const void* args) override {
    const kernels::Variant* variant = plugin_.select(index_, op, args);
    if (variant == nullptr) fail(StatusCode::unsupported, "the device has no kernel for op {}", static_cast<int>(op));
    variant->run(args, context_);
  }
  void mark(int64_t index) override {
    const auto place = static_cast<size_t>(index);
    if (events_.size() <= place) events_.resize(place + 1, nullptr);
    if (events_[place] == nullptr) plugin_call(plugin_.event_new, "event", index_, false, &events_[place]);
    plugin_call(plugin_.event_record, "event", events_[place], context_.stream);
  }
  void wait(int64_t index) override {
    plugin_call(plugin_.event_synchronize, "copy", events_[static_cast<size_t>(index)]);
  }
  void synchronize() override { plugin_call(plugin_.synchronize, "copy", context_.stream); }
  void drain() noexcept override { plugin_.synchronize(context_.stream, nullptr); }

 private:
  const kernels::DevicePlugin& plugin_;
  int32_t index_;
  kernels::Context context_;
  std::vector<void*> events_;
};

// As the table's function, with the reason where it gives none and that is no failure.
int32_t open_library(const kernels::DevicePlugin* plugin, int32_t index, void** out_handle, std::string* out_reason,
                     kernels::PluginError* error) {
  const int32_t status = plugin->library_handle_new(index, out_handle, error);
  if (*out_handle == nullptr) *out_reason = printable(error->text, most_of_path);
  return status;
}

}  // namespace

CudaDevice::CudaDevice(const kernels::DevicePlugin& plugin, int32_t index) : plugin_(plugin), index_(index) {
  const std::string name = "device cuda:" + std::to_string(index);
  plugin_call(plugin_.make_current, name, index_);
  kernels::DeviceInfo info{};
  plugin_call(plugin_.device_info, name, index_, &info);
  context_.parallel.workers = info.multiprocessors;
  plugin_call(plugin_.stream_new, name, index_, &context_.stream);
  std::string reason;
  try {
    plugin_call(open_library, name, &plugin_, index_, &context_.library_handle, &reason);
  } catch (...) {
    plugin_.stream_free(index_, context_.stream);
    throw;
  }
  if (!reason.empty()) {
    log(LogLevel::warning, "{}: cuBLASLt is not used, products are left to Graft's own kernels: {}", name, reason);
  }
}

CudaDevice::~CudaDevice() {
  plugin_.library_handle_free(index_, context_.library_handle);
  plugin_.stream_free(index_, context_.stream);
}

void* CudaDevice::allocate(int64_t bytes, const char* what) {
  void* memory = nullptr;
  plugin_call(plugin_.allocate, fmt::format("{}, {} bytes", what, bytes), index_, std::max<int64_t>(bytes, 1), &memory);
  return memory;
}

void CudaDevice::release(void* memory, int64_t) noexcept { plugin_.release(index_, memory); }

void* CudaDevice::allocate_staging(int64_t bytes, const char* what) {
  void* memory = nullptr;
  plugin_call(plugin_.host_allocate, fmt::format("{}, {} bytes", what, bytes), std::max<int64_t>(bytes, 1), &memory);
  return memory;
}

void CudaDevice::release_staging(void* memory, int64_t) noexcept { plugin_.host_release(memory); }

void CudaDevice::copy(void* to, const void* from, int64_t bytes) {
  if (bytes > 0) plugin_call(plugin_.copy, "copy", context_.stream, to, from, bytes);
}

void CudaDevice::copy_rows(void* to, int64_t to_stride, const void* from, int64_t from_stride, int64_t row_bytes,
                           int64_t rows) {
  if (rows < 1 || row_bytes < 1) return;
  plugin_call(plugin_.copy_2d, "copy of rows", context_.stream, to, to_stride, from, from_stride, row_bytes, rows);
}

void CudaDevice::clear(void* to, int64_t bytes) {
  if (bytes > 0) plugin_call(plugin_.fill, "clear", context_.stream, to, uint8_t{0}, bytes);
}

void CudaDevice::synchronize() {
  if (wait_) wait_([this] { return is_done(); });
  plugin_call(plugin_.synchronize, "step", context_.stream);  // also tells what failed
}

void CudaDevice::drain() noexcept { plugin_.synchronize(context_.stream, nullptr); }

bool CudaDevice::is_done() {
  bool done = false;
  plugin_call(plugin_.stream_query, "step", context_.stream, &done);
  return done;
}

std::unique_ptr<SideStream> CudaDevice::new_side_stream() {
  return std::make_unique<CudaSideStream>(plugin_, index_, context_);
}

const kernels::Variant* CudaDevice::select(kernels::Op op, const void* args) const {
  return plugin_.select(index_, op, args);
}

std::unique_ptr<DeviceMark> CudaDevice::make_mark() {
  return std::make_unique<CudaMark>(plugin_, index_, context_.stream, wait_);
}

std::unique_ptr<DeviceGraph> CudaDevice::capture(const std::function<void()>& give) {
  plugin_call(plugin_.capture_begin, "capture", context_.stream);
  void* graph = nullptr;
  try {
    give();
  } catch (...) {  // the stream is used again
    if (plugin_.capture_end(context_.stream, &graph, nullptr) == kernels::plugin_ok) plugin_.graph_free(graph);
    throw;
  }
  plugin_call(plugin_.capture_end, "capture", context_.stream, &graph);
  return std::make_unique<CudaGraph>(plugin_, graph, context_.stream);
}

}  // namespace graft

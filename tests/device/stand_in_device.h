// A device library without a device, for tests of everything above the table. Its memory cannot be touched by the host,
// its work is done when it is waited for, and it refuses what a device would not survive: arguments that point to the
// host's memory, a copy or a wait in a capture, a thread without a current device. Which kernels it runs is said by the
// file that includes it.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "kernels/spec/device_plugin.h"
#include "tests/device/stand_in.h"
#include "tests/device/stand_in_addresses.h"
#include "tests/device/stand_in_peers.h"
#include "tests/device/stand_in_stream.h"

namespace graft::stand_in {
namespace {

using namespace kernels;

// Defined by the including file.
const Variant* find_kernel(Op op, const void* args);  // null when there is none
int32_t kernel_workers();                             // what scratch sizes depend on, and the device's multiprocessors
// The reason of a failure, or nothing.
std::string run_kernel(const Variant& variant, const void* args, void* library_handle);
void* new_library_handle();  // null: there is no library
void free_library_handle(void* handle);

// Never destroyed: a process may end while engines run.
Memory& device_memory = *new Memory(/*host=*/false);
Memory& pinned_memory = *new Memory(/*host=*/true);
Arrivals& arrivals = *new Arrivals(device_memory);
Faults faults;
thread_local int32_t current = -1;

int32_t say(const std::string& text, PluginError* error, int32_t status = plugin_failed) {
  if (text.empty()) return plugin_ok;
  if (error != nullptr && error->text != nullptr)
    std::snprintf(error->text, static_cast<size_t>(error->capacity), "%s", text.c_str());
  return status;
}

bool is_faulty(int32_t device) { return faults.faulty < 0 || faults.faulty == device; }
bool due(std::atomic<int64_t>& countdown, int32_t device = current) {
  return is_faulty(device) && countdown.load() > 0 && countdown.fetch_sub(1) == 1;
}
// Whatever needs a device asks this first.
bool is_lost(int32_t device = current) { return faults.lost && is_faulty(device); }
bool is_lost_by(std::atomic<int64_t>& countdown) {
  if (due(countdown)) faults.lost = true;
  return is_lost();
}
int32_t say_lost(PluginError* error) { return say("the device is lost", error, plugin_device_lost); }

// --- kernels, on copies of the arguments

std::string check_addresses(const std::vector<const void*>& addresses, const char* name) {
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (addresses[i] == nullptr || device_memory.holds(addresses[i])) continue;
    return std::string(name) + ": address " + std::to_string(i) + " of its arguments points to host memory";
  }
  return {};
}

template <Op op, class Args>
struct Recorded {
  static int64_t scratch_bytes(const void* args, int32_t workers) {
    const Variant* variant = find_kernel(op, args);
    return variant->scratch_bytes != nullptr ? variant->scratch_bytes(args, workers) : 0;
  }
  static void run(const void* args, const Context& context) {
    auto* stream = static_cast<Stream*>(context.stream);
    const Args copy = *static_cast<const Args*>(args);
    const Variant* variant = find_kernel(op, &copy);
    if (current < 0) return stream->note("a kernel on a thread without a current device");
    if (is_lost_by(faults.launch_losses)) return;  // told by whatever comes next
    stream->note(check_addresses(addresses_of(copy), variant->name));
    if (due(faults.launches)) stream->note("a launch that was to fail");
    stream->give([copy, variant, handle = context.library_handle] { return run_kernel(*variant, &copy, handle); });
  }
  static constexpr Variant variant = {op, Isa::sm80, "stand_in", nullptr, scratch_bytes, run};
};

// A rank's device is the thread that waits for it, which must not hang where a rank is missing: the kernels begin once
// every rank has come to the sum, or all was given up.
struct RecordedSum {
  static void run(const void* args, const Context& context) {
    auto* stream = static_cast<Stream*>(context.stream);
    const auto copy = *static_cast<const SumResidualNormArgs*>(args);
    if (current < 0) return stream->note("a kernel on a thread without a current device");
    if (is_lost_by(faults.launch_losses)) return;
    const Variant* variant = find_kernel(Op::sum_residual_norm, &copy);
    stream->note(check_addresses(addresses_of(copy), variant->name));
    if (!pinned_memory.holds(copy.peers.given_up)) stream->note("a word to give up by that is not of pinned memory");
    // Nobody waits for anybody in a sum of no rows.
    const auto empty = std::make_shared<bool>(false);
    const auto look = [copy, empty]() -> std::string {
      *empty = *copy.norm.rows == 0;
      return {};
    };
    const auto may_come = [copy, empty, device = current] {
      return *empty || faults.absent != device || given_up(copy.peers);
    };
    const auto come = [copy, empty]() -> std::string {
      if (!*empty) arrivals.come(copy.peers);
      return {};
    };
    const auto may_run = [copy, empty] { return *empty || arrivals.all_have_come(copy.peers) || given_up(copy.peers); };
    stream->give(look);
    stream->give(come, may_come);
    stream->give(
        [copy, variant, empty, handle = context.library_handle] {
          const std::string failure = run_kernel(*variant, &copy, handle);
          if (*empty) return failure;
          ++faults.peer_sums;
          if (faults.wrong_sums) copy.norm.residual[0] += 1;
          return failure;
        },
        may_run);
  }
  static constexpr Variant variant = {Op::sum_residual_norm, Isa::sm80, "stand_in", nullptr, nullptr, run};
};

const Variant* select_variant(int32_t, Op op, const void* args) {
  if (find_kernel(op, args) == nullptr) return nullptr;
  switch (op) {
    case Op::embedding:
      return &Recorded<Op::embedding, EmbeddingArgs>::variant;
    case Op::residual_norm:
      return &Recorded<Op::residual_norm, ResidualNormArgs>::variant;
    case Op::sum_residual_norm:
      return &RecordedSum::variant;
    case Op::linear:
      return &Recorded<Op::linear, LinearArgs>::variant;
    case Op::rotary_table:
      return &Recorded<Op::rotary_table, RotaryTableArgs>::variant;
    case Op::rotary_cache:
      return &Recorded<Op::rotary_cache, RotaryCacheArgs>::variant;
    case Op::attention:
      return &Recorded<Op::attention, AttentionArgs>::variant;
    case Op::rotary_attention:
      return &Recorded<Op::rotary_attention, RotaryAttentionArgs>::variant;
    case Op::activation:
      return &Recorded<Op::activation, ActivationArgs>::variant;
    case Op::gather_rows:
      return &Recorded<Op::gather_rows, GatherRowsArgs>::variant;
    case Op::choose_token:
      return &Recorded<Op::choose_token, ChooseTokenArgs>::variant;
    case Op::next_step:
      return &Recorded<Op::next_step, NextStepArgs>::variant;
    case Op::route_experts:
      return &Recorded<Op::route_experts, RouteExpertsArgs>::variant;
    case Op::expert_linear:
      return &Recorded<Op::expert_linear, ExpertLinearArgs>::variant;
    case Op::combine_experts:
      return &Recorded<Op::combine_experts, CombineExpertsArgs>::variant;
    case Op::convert_weights:
      return &Recorded<Op::convert_weights, ConvertWeightsArgs>::variant;
    case Op::quantize_groups:
      return &Recorded<Op::quantize_groups, QuantizeGroupsArgs>::variant;
    default:
      return nullptr;
  }
}

// --- devices

int32_t device_count(int32_t* out, PluginError* error) {
  *out = faults.devices.load();
  return *out > 0 ? plugin_ok : say("no device", error);
}
int32_t device_info(int32_t device, DeviceInfo* out, PluginError*) {
  const bool old = device == faults.too_old.load();
  *out = {"stand-in",  faults.memory_bytes.load(), 1 << 20, 1 << 16, old ? 7 : 8,
          old ? 5 : 0, kernel_workers(),           !old,    {}};
  out->uuid[0] = static_cast<uint8_t>(device + 1);
  return plugin_ok;
}
int32_t free_memory(int32_t device, int64_t* out, PluginError* error) {
  if (is_lost(device)) return say_lost(error);
  if (due(faults.allocations, device)) return say("out of memory", error, plugin_out_of_memory);
  *out = faults.memory_bytes.load() - device_memory.used(device);
  return plugin_ok;
}
int32_t make_current(int32_t device, PluginError* error) {
  if (device < 0 || device >= faults.devices.load()) return say("no such device", error);
  if (device == faults.too_old.load()) return say("a device that is too old", error);
  if (is_lost(device)) return say_lost(error);
  current = device;
  return plugin_ok;
}

int32_t library_info(LibraryInfo* out, PluginError* error) {
  *out = {"1.2.3"};
  return faults.no_library ? say("no library of the stand-in", error) : plugin_ok;
}
int32_t library_handle_new(int32_t device, void** out, PluginError* error) {
  if (is_lost(device)) return say_lost(error);
  *out = faults.no_library ? nullptr : new_library_handle();
  if (faults.no_library) say("no library of the stand-in", error);
  return plugin_ok;
}
void library_handle_free(int32_t, void* handle) { free_library_handle(handle); }

// --- memory

// A lost device does no more work, and what it worked on is nobody's.
void count_release(bool known, int64_t work) {
  if (!known) ++faults.strange_releases;
  if (work > 0 && !is_lost()) ++faults.early_releases;
}

int32_t allocate(int32_t device, int64_t bytes, void** out, PluginError* error) {
  if (is_lost(device)) return say_lost(error);
  *out = due(faults.allocations, device) ? nullptr : device_memory.allocate(bytes, device, faults.memory_bytes);
  return *out != nullptr ? plugin_ok : say("out of memory", error, plugin_out_of_memory);
}
void release(int32_t, void* memory) {
  arrivals.forget(memory);
  count_release(device_memory.release(memory), Stream::work_of_thread());
}
int32_t host_allocate(int64_t bytes, void** out, PluginError* error) {
  if (is_lost()) return say_lost(error);
  *out = due(faults.allocations) ? nullptr : pinned_memory.allocate(bytes);
  return *out != nullptr ? plugin_ok : say("out of pinned memory", error, plugin_out_of_memory);
}
int32_t reach(int32_t device, int32_t peer, bool* out, PluginError* error) {
  *out = device == peer || (faults.peers && getenv("GRAFT_TEST_NO_PEERS") == nullptr);
  return peer >= 0 && peer < faults.devices.load() ? plugin_ok : say("no such device", error);
}
int32_t share(int32_t, void* memory, SharedMemory* out, PluginError* error) {
  const bool can = faults.peers && getenv("GRAFT_TEST_NO_PEERS") == nullptr;
  const std::string name = can ? device_memory.share(memory) : "";
  *out = {};
  if (name.empty() || name.size() >= sizeof out->bytes) return say("memory that cannot be shared", error);
  std::memcpy(out->bytes, name.data(), name.size());
  return plugin_ok;
}
int32_t open_shared(int32_t, const SharedMemory* shared, void** out, PluginError* error) {
  const auto* name = reinterpret_cast<const char*>(shared->bytes);
  *out = device_memory.open_shared(std::string(name, strnlen(name, sizeof shared->bytes)));
  return *out != nullptr ? plugin_ok : say("memory that cannot be opened", error);
}
void close_shared(int32_t, void* memory) { count_release(device_memory.release(memory), Stream::work_of_thread()); }
void host_release(void* memory) { count_release(pinned_memory.release(memory), Stream::work_of_thread()); }

// --- streams

int32_t stream_new(int32_t device, void** out, PluginError* error) {
  if (is_lost(device)) return say_lost(error);
  *out = new Stream(device_memory);
  return plugin_ok;
}
void stream_free(int32_t, void* handle) {
  auto* stream = static_cast<Stream*>(handle);
  if (stream != nullptr) count_release(true, stream->has_work() ? 1 : 0);
  delete stream;
}

int32_t copy(void* handle, void* to, const void* from, int64_t bytes, PluginError* error) {
  auto* stream = static_cast<Stream*>(handle);
  if (current < 0) return say("a copy on a thread without a current device", error);
  if (is_lost()) return say_lost(error);
  if (due(faults.copies)) return say("a copy that was to fail", error);
  bool late = true;  // done with the rest of the work
  for (const void* side : {static_cast<const void*>(to), from}) {
    if (device_memory.holds(side)) {
      if (!device_memory.holds(side, bytes)) return say("a copy beyond the end of the device's memory", error);
    } else if (pinned_memory.holds(side)) {
      if (!pinned_memory.holds(side, bytes)) return say("a copy beyond the end of pinned memory", error);
    } else {
      late = false;
    }
  }
  if (!late && stream->capturing()) return say("a copy from pageable memory in a capture", error);
  stream->give([=]() -> std::string {
    std::memcpy(to, from, static_cast<size_t>(bytes));
    return {};
  });
  return late ? plugin_ok : say(stream->wait(), error);
}
int32_t copy_2d(void* stream, void* to, int64_t to_stride, const void* from, int64_t from_stride, int64_t row_bytes,
                int64_t rows, PluginError* error) {
  int32_t status = plugin_ok;
  for (int64_t row = 0; row < rows && status == plugin_ok; ++row) {
    status = copy(stream, static_cast<char*>(to) + row * to_stride, static_cast<const char*>(from) + row * from_stride,
                  row_bytes, error);
  }
  return status;
}
int32_t fill(void* stream, void* to, uint8_t value, int64_t bytes, PluginError* error) {
  if (is_lost()) return say_lost(error);
  if (!device_memory.holds(to, bytes)) return say("a fill of what is not the device's memory", error);
  static_cast<Stream*>(stream)->give([=]() -> std::string {
    std::memset(to, value, static_cast<size_t>(bytes));
    return {};
  });
  return plugin_ok;
}
int32_t synchronize(void* stream, PluginError* error) {
  ++faults.waits;
  while (faults.hangs && is_faulty(current)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (is_lost_by(faults.losses)) return say_lost(error);
  return say(static_cast<Stream*>(stream)->wait(), error);
}
int32_t stream_query(void* handle, bool* out, PluginError* error) {
  auto* stream = static_cast<Stream*>(handle);
  if (is_lost()) return say_lost(error);
  if (stream->capturing()) return say("a query while the stream is captured", error);
  *out = stream->advance();
  return plugin_ok;
}

// --- events: the host waits for them, streams do not

struct Event {
  Stream* stream = nullptr;  ///< of the last record; outlives what is asked
  int64_t pieces = 0;
};

int32_t event_new(int32_t device, bool, void** out, PluginError* error) {
  if (is_lost(device)) return say_lost(error);
  *out = new Event;
  ++faults.events;
  return plugin_ok;
}
void event_free(void* event) {
  if (event != nullptr) --faults.events;
  delete static_cast<Event*>(event);
}
int32_t event_record(void* event, void* handle, PluginError* error) {
  auto* stream = static_cast<Stream*>(handle);
  if (is_lost()) return say_lost(error);
  if (stream->capturing()) return say("an event in a capture", error);
  *static_cast<Event*>(event) = {stream, stream->given()};
  return plugin_ok;
}
int32_t stream_wait(void*, void*, PluginError* error) { return say("streams of the stand-in wait for nothing", error); }
int32_t event_synchronize(void* handle, PluginError* error) {
  const Event& event = *static_cast<Event*>(handle);
  ++faults.waits;
  if (is_lost_by(faults.losses)) return say_lost(error);
  return event.stream == nullptr ? plugin_ok : say(event.stream->wait(event.pieces), error);
}
int32_t event_query(void* handle, bool* out, PluginError* error) {
  const Event& event = *static_cast<Event*>(handle);
  if (is_lost()) return say_lost(error);
  *out = event.stream == nullptr || event.stream->advance(event.pieces);
  return plugin_ok;
}
int32_t event_elapsed(void*, void*, float* out, PluginError*) {
  *out = 0;
  return plugin_ok;
}

// --- graphs

int32_t capture_begin(void* stream, PluginError* error) {
  if (is_lost()) return say_lost(error);
  return say(static_cast<Stream*>(stream)->begin_capture(), error);
}
int32_t capture_end(void* stream, void** out, PluginError* error) {
  std::unique_ptr<Graph> graph;
  const std::string failure = static_cast<Stream*>(stream)->end_capture(graph);
  if (is_lost()) return say_lost(error);
  if (due(faults.captures)) return say("a capture that was to fail", error);
  if (!failure.empty()) return say(failure, error);
  ++faults.graphs;
  *out = graph.release();
  return plugin_ok;
}
int64_t graph_nodes(void* graph) { return static_cast<int64_t>(static_cast<Graph*>(graph)->work.size()); }
int32_t graph_launch(void* graph, void* stream, PluginError* error) {
  if (is_lost_by(faults.launch_losses)) return say_lost(error);
  if (due(faults.replays)) return say("a launch that was to fail", error);
  // A step is more than its graph: copies to and from the device.
  if (static_cast<Stream*>(stream)->given() - static_cast<Stream*>(stream)->done() > graph_nodes(graph))
    ++faults.launches_ahead;
  static_cast<Stream*>(stream)->launch(*static_cast<Graph*>(graph));
  ++faults.graph_launches;
  return plugin_ok;
}
void graph_free(void* graph) {
  if (graph != nullptr) --faults.graphs;
  delete static_cast<Graph*>(graph);
}

constexpr DevicePlugin table = {device_plugin_version,
                                GRAFT_BUILD_HASH,
                                device_count,
                                device_info,
                                free_memory,
                                select_variant,
                                make_current,
                                library_info,
                                library_handle_new,
                                library_handle_free,
                                allocate,
                                release,
                                host_allocate,
                                host_release,
                                reach,
                                share,
                                open_shared,
                                close_shared,
                                stream_new,
                                stream_free,
                                copy,
                                copy_2d,
                                fill,
                                synchronize,
                                stream_query,
                                event_new,
                                event_free,
                                event_record,
                                stream_wait,
                                event_synchronize,
                                event_query,
                                event_elapsed,
                                capture_begin,
                                capture_end,
                                graph_nodes,
                                graph_launch,
                                graph_free};

}  // namespace
}  // namespace graft::stand_in

extern "C" __attribute__((visibility("default"))) const graft::kernels::DevicePlugin* graft_cuda_plugin() {
  return &graft::stand_in::table;
}
extern "C" __attribute__((visibility("default"))) graft::stand_in::Faults* stand_in_faults() {
  graft::stand_in::faults.regions = [] {
    return graft::stand_in::device_memory.regions() + graft::stand_in::pinned_memory.regions();
  };
  return &graft::stand_in::faults;
}

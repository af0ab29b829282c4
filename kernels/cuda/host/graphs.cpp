#include <new>

#include "kernels/cuda/host/failure.h"
#include "kernels/cuda/host/plugin.h"

namespace graft::kernels::cuda {
namespace {

struct Graph {
  cudaGraphExec_t launchable = nullptr;
  int64_t nodes = 0;
};

void destroy(cudaGraph_t recorded) {
  if (recorded != nullptr && cudaGraphDestroy(recorded) != cudaSuccess) cudaGetLastError();
}

// Makes what was recorded launchable, and brings it to the device.
int32_t prepare(cudaGraph_t recorded, cudaStream_t stream, Graph& graph, PluginError* error) {
  size_t nodes = 0;
  int32_t status = result_of(cudaGraphGetNodes(recorded, nullptr, &nodes), "cudaGraphGetNodes", error);
  if (status != plugin_ok) return status;
  graph.nodes = static_cast<int64_t>(nodes);
  status = result_of(cudaGraphInstantiate(&graph.launchable, recorded, 0), "cudaGraphInstantiate", error);
  if (status != plugin_ok) return status;
  return result_of(cudaGraphUpload(graph.launchable, stream), "cudaGraphUpload", error);
}

}  // namespace

// Relaxed: a library that is asked for a product for the first time, or a kernel that has never been launched, may
// allocate and load meanwhile.
int32_t capture_begin(void* stream, PluginError* error) {
  return result_of(cudaStreamBeginCapture(static_cast<cudaStream_t>(stream), cudaStreamCaptureModeRelaxed),
                   "cudaStreamBeginCapture", error);
}

int32_t capture_end(void* stream, void** out_graph, PluginError* error) {
  *out_graph = nullptr;
  const auto on = static_cast<cudaStream_t>(stream);
  cudaGraph_t recorded = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(on, &recorded);
  // A launch that failed is why the recording is invalid, if it is.
  int32_t status = result_of(take_launch_failure(), "launching a kernel", error);
  if (status == plugin_ok) status = result_of(ended, "cudaStreamEndCapture", error);
  auto* graph = status == plugin_ok ? new (std::nothrow) Graph : nullptr;
  if (status == plugin_ok && graph == nullptr) {
    write_error(error, "no memory for a graph");
    status = plugin_out_of_memory;
  }
  if (status == plugin_ok) status = prepare(recorded, on, *graph, error);
  destroy(recorded);
  if (status != plugin_ok) {
    graph_free(graph);
    return status;
  }
  *out_graph = graph;
  return plugin_ok;
}

int64_t graph_nodes(void* graph) { return static_cast<const Graph*>(graph)->nodes; }

int32_t graph_launch(void* graph, void* stream, PluginError* error) {
  return result_of(cudaGraphLaunch(static_cast<const Graph*>(graph)->launchable, static_cast<cudaStream_t>(stream)),
                   "cudaGraphLaunch", error);
}

void graph_free(void* graph) {
  auto* owned = static_cast<Graph*>(graph);
  if (owned == nullptr) return;
  if (owned->launchable != nullptr && cudaGraphExecDestroy(owned->launchable) != cudaSuccess) cudaGetLastError();
  delete owned;
}

}  // namespace graft::kernels::cuda

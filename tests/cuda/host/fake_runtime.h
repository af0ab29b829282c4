// A CUDA runtime that does nothing but remember, in the place of libcudart: what the plug-in makes of its answers can
// be tested on a machine without a device. Used by one thread.
#pragma once

#include <cuda_runtime.h>

#include <map>
#include <set>
#include <string>
#include <utility>

namespace fake {

struct Runtime {
  int devices = 1;
  int driver = 13000;
  int capability = 90;                                       ///< 10 * major + minor
  int current = 0;                                           ///< device
  int unused = -1;                                           ///< a device that this process has not prepared
  bool peers = true;                                         ///< any device may reach any other
  std::set<std::pair<int, int>> reached;                     ///< device, peer
  std::set<std::pair<int, void*>> opened;                    ///< memory of other processes, by device
  int live = 0;                                              ///< pieces of memory, streams, events, graphs
  bool recording = false;                                    ///< between begin and end of a capture
  bool recording_broken = false;                             ///< the end of the capture fails
  std::map<std::string, cudaError_t> answer;                 ///< by function, until it is taken out; success otherwise
  cudaError_t lost = cudaSuccess;                            ///< the answer of everything
  cudaError_t last = cudaSuccess;                            ///< failure that nobody has taken note of
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;  ///< of the calling thread
  bool host_captures = false;                                ///< in that mode, on another thread
  int disturbed = 0;                                         ///< calls that broke that capture
};
Runtime& runtime();

}  // namespace fake

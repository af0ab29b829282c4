// Where LibTorch is, and which version, found out without loading it where that is possible.
#pragma once

#include <string>
#include <vector>

#include "graft/status.h"

namespace graft::capi {

/// One directory that was looked at.
struct TorchPlace {
  std::string directory;
  std::string origin;   ///< why it was looked at: "option library_directory", "GRAFT_LIBTORCH", ...
  std::string outcome;  ///< "found", or why it will not do
};

struct TorchSearch {
  std::vector<TorchPlace> looked;
  std::string directory;                         ///< of libtorch_cpu.so; empty when none was found
  std::string version;                           ///< without the build suffix; empty when no file beside it tells
  bool already_loaded = false;                   ///< the process held it before Graft looked
  graft_status status = GRAFT_STATUS_NOT_FOUND;  ///< OK when found
};

/// Version of the LibTorch in a directory, read from the files of a wheel or of an archive; empty when none tells.
std::string torch_version_in(const std::string& library_directory);

/// The first place with the required version. A directory that the user named explicitly (the option, GRAFT_LIBTORCH)
/// is the only answer: when it will not do the search ends, rather than to take another LibTorch unasked.
TorchSearch find_torch(const std::string& option_directory, const std::string& own_directory);

/// "DIRECTORY (ORIGIN): OUTCOME; ..." for an error text.
std::string describe(const TorchSearch& search);

}  // namespace graft::capi

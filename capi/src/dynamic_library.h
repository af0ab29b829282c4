// What the dynamic loader knows.
#pragma once

#include <string>
#include <vector>

namespace graft::capi {

/// Absolute path of the library that holds this code.
std::string own_library_path();

/// The directory of `path`, "." when it has none.
std::string directory_of(const std::string& path);

/// Absolute directory of a library that is loaded, by SONAME or path; empty when it is not loaded.
std::string directory_of_loaded(const char* name);

/// Directories in which the loader would look for a library without a path (LD_LIBRARY_PATH, then the system's).
std::vector<std::string> loader_directories();

/// Loads a library. Returns its handle, or null with the loader's text in `failure`.
void* load_library(const std::string& path, std::string& failure);

bool file_exists(const std::string& path);

}  // namespace graft::capi

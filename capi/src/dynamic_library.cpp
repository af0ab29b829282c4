#include "capi/src/dynamic_library.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <memory>

#include "core/base/library_file.h"

namespace graft::capi {
namespace {

// The loader's absolute directory for a handle; a path from dladdr may be relative to a directory the process has left.
std::string origin_of(void* handle) {
  char origin[PATH_MAX] = {};
  return dlinfo(handle, RTLD_DI_ORIGIN, origin) == 0 ? std::string(origin) : std::string();
}

const char marker = 0;  // an address inside this library

}  // namespace

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string own_library_path() {
  Dl_info info = {};
  if (dladdr(&marker, &info) == 0 || info.dli_fname == nullptr) return {};
  std::string path = info.dli_fname;
  if (void* self = dlopen(info.dli_fname, RTLD_NOLOAD | RTLD_LAZY)) {
    const std::string origin = origin_of(self);
    if (!origin.empty()) path = origin + path.substr(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    dlclose(self);
  }
  return path;
}

std::string directory_of_loaded(const char* name) {
  void* handle = dlopen(name, RTLD_NOLOAD | RTLD_LAZY);
  if (handle == nullptr) {
    dlerror();
    return {};
  }
  std::string origin = origin_of(handle);
  dlclose(handle);
  return origin;
}

std::vector<std::string> loader_directories() {
  void* self = dlopen(own_library_path().c_str(), RTLD_NOLOAD | RTLD_LAZY);
  if (self == nullptr) return {};
  std::vector<std::string> directories;
  Dl_serinfo size = {};
  if (dlinfo(self, RTLD_DI_SERINFOSIZE, &size) == 0) {
    const std::unique_ptr<void, void (*)(void*)> memory(std::calloc(1, size.dls_size), &std::free);
    auto* list = static_cast<Dl_serinfo*>(memory.get());
    if (list != nullptr && dlinfo(self, RTLD_DI_SERINFOSIZE, list) == 0 && dlinfo(self, RTLD_DI_SERINFO, list) == 0) {
      for (unsigned i = 0; i < list->dls_cnt; ++i) directories.emplace_back(list->dls_serpath[i].dls_name);
    }
  }
  dlclose(self);
  return directories;
}

void* load_library(const std::string& path, std::string& failure) {
  failure = library_file_problem(path);
  if (!failure.empty()) return nullptr;
  dlerror();
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* text = dlerror();
    failure = text != nullptr ? text : "the loader gave no reason";
  }
  return handle;
}

bool file_exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

}  // namespace graft::capi

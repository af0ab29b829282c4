#include "capi/src/torch_search.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "capi/src/dynamic_library.h"

#ifndef GRAFT_LIBTORCH_DEFAULT
#define GRAFT_LIBTORCH_DEFAULT ""
#endif

namespace graft::capi {
namespace {

// The first bytes of a small file, empty when it cannot be read.
std::string read_head(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (file == nullptr) return {};
  char head[4096];
  return std::string(head, std::fread(head, 1, sizeof head, file.get()));
}

// "2.11.0+cu130" and the like from where it starts, without the build suffix.
std::string leading_version(const std::string& text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '.')) ++end;
  return text.substr(at, end - at);
}

std::string version_after(const std::string& text, const std::string& before) {
  const std::size_t at = text.find(before);
  return at == std::string::npos ? std::string() : leading_version(text, at + before.size());
}

// The place will do: it holds a LibTorch, of the required version or of one that no file tells.
bool examine(TorchSearch& search, const std::string& directory, const std::string& origin) {
  TorchPlace& place = search.looked.emplace_back(TorchPlace{directory, origin, "holds no libtorch_cpu.so"});
  if (!file_exists(directory + "/libtorch_cpu.so")) return false;
  const std::string version = torch_version_in(directory);
  if (!version.empty() && version != GRAFT_TORCH_VERSION) {
    place.outcome = "is LibTorch " + version + ", expected " GRAFT_TORCH_VERSION;
    search.status = GRAFT_STATUS_VERSION_MISMATCH;
    return false;
  }
  place.outcome = "found";
  search.directory = directory;
  search.version = version;
  search.status = GRAFT_STATUS_OK;
  return true;
}

// A directory that somebody named: the one of libtorch_cpu.so, or the package above it.
bool examine_named(TorchSearch& search, const std::string& directory, const std::string& origin) {
  if (!file_exists(directory + "/libtorch_cpu.so") && file_exists(directory + "/lib/libtorch_cpu.so")) {
    return examine(search, directory + "/lib", origin);
  }
  return examine(search, directory, origin);
}

// One process must not hold two copies: what is loaded already (by a Python host, for example) is the only candidate.
bool examine_loaded(TorchSearch& search) {
  std::string directory = directory_of_loaded("libtorch_cpu.so");
  if (directory.empty()) directory = directory_of_loaded("libc10.so");
  if (directory.empty()) return false;
  search.already_loaded = true;
  examine(search, directory, "loaded in this process already");
  return true;
}

}  // namespace

std::string torch_version_in(const std::string& library_directory) {
  const std::string root = library_directory + "/..";
  std::string version = version_after(read_head(root + "/version.py"), "__version__ = '");
  if (version.empty()) version = leading_version(read_head(root + "/build-version"), 0);
  if (version.empty()) {
    version = version_after(read_head(root + "/share/cmake/Torch/TorchConfigVersion.cmake"), "set(PACKAGE_VERSION \"");
  }
  return version;
}

TorchSearch find_torch(const std::string& option_directory, const std::string& own_directory) {
  TorchSearch search;
  if (examine_loaded(search)) return search;
  if (!option_directory.empty()) {
    examine_named(search, option_directory, "option library_directory");
    return search;
  }
  const char* named = secure_getenv("GRAFT_LIBTORCH");
  if (named != nullptr && named[0] != '\0') {
    examine_named(search, named, "GRAFT_LIBTORCH");
    return search;
  }
  for (const char* beside : {"", "/../lib", "/../../torch/lib"}) {
    if (examine(search, own_directory + beside, "beside libgraft.so")) return search;
  }
  const std::string chosen_at_build = GRAFT_LIBTORCH_DEFAULT;
  if (!chosen_at_build.empty() && examine_named(search, chosen_at_build, "chosen when Graft was built")) return search;
  for (const std::string& directory : loader_directories()) {
    if (examine(search, directory, "the loader's search path")) return search;
  }
  return search;
}

std::string describe(const TorchSearch& search) {
  std::string text;
  for (const TorchPlace& place : search.looked) {
    text += (text.empty() ? "" : "; ") + place.directory + " (" + place.origin + "): " + place.outcome;
  }
  return text;
}

}  // namespace graft::capi

#include "capi/src/loader.h"

#include <dlfcn.h>

#include <atomic>
#include <cstring>
#include <mutex>

#include "capi/src/dynamic_library.h"
#include "capi/src/error.h"
#include "capi/src/log.h"

namespace graft::capi {
namespace {

constinit std::mutex load_lock;
constinit std::atomic<const facade::Table*> loaded_table = nullptr;
// The report of the attempt that succeeded; made once, and never destroyed: threads may run during the process's exit.
constinit const LoadReport* report_of_success = nullptr;

[[noreturn]] void fail_no_torch(const TorchSearch& search) {
  const char* why = search.status == GRAFT_STATUS_VERSION_MISMATCH ? "LibTorch of another version was found"
                                                                   : "LibTorch was not found";
  const char* advice =
      search.already_loaded
          ? "This process holds another LibTorch, and one process must not hold two: use that version of LibTorch, or "
            "another process"
          : "Install LibTorch " GRAFT_TORCH_VERSION " (pip install torch==" GRAFT_TORCH_VERSION
            ") and name the directory of its libtorch_cpu.so in the environment variable GRAFT_LIBTORCH or in "
            "graft_engine_options_set_library_directory";
  fail(search.status, "%s, Graft needs version " GRAFT_TORCH_VERSION ". %s. Looked in: %s", why, advice,
       describe(search).c_str());
}

void load_torch(const TorchSearch& search) {
  for (const char* name : {"/libc10.so", "/libtorch_cpu.so"}) {
    std::string failure;
    if (load_library(search.directory + name, failure) == nullptr) {
      fail(GRAFT_STATUS_IO_ERROR,
           "LibTorch in %s could not be loaded: %s. Its installation is incomplete: a library it depends on is missing "
           "or "
           "damaged",
           search.directory.c_str(), failure.c_str());
    }
  }
}

const facade::Table* open_core(const std::string& path, const TorchSearch& torch) {
  std::string failure;
  void* handle = load_library(path, failure);
  if (handle == nullptr) {
    if (!file_exists(path)) {
      fail(GRAFT_STATUS_NOT_FOUND, "%s was not found; it belongs beside libgraft.so, from the same package",
           path.c_str());
    }
    fail(torch.version.empty() ? GRAFT_STATUS_VERSION_MISMATCH : GRAFT_STATUS_IO_ERROR,
         "%s could not be loaded with LibTorch %s from %s: %s", path.c_str(),
         torch.version.empty() ? "of unknown version" : torch.version.c_str(), torch.directory.c_str(),
         failure.c_str());
  }
  const auto get_table = reinterpret_cast<facade::GetTable>(dlsym(handle, facade::get_table_symbol));
  const facade::Table* table = get_table != nullptr ? get_table() : nullptr;
  if (table == nullptr) {
    fail(GRAFT_STATUS_VERSION_MISMATCH, "%s has no %s: it is not the core of this libgraft.so", path.c_str(),
         facade::get_table_symbol);
  }
  if (table->version != facade::table_version) {
    fail(GRAFT_STATUS_VERSION_MISMATCH, "%s has table version %d, expected %d; install both libraries from one package",
         path.c_str(), static_cast<int>(table->version), static_cast<int>(facade::table_version));
  }
  if (table->build_hash == nullptr || std::strcmp(table->build_hash, GRAFT_BUILD_HASH) != 0) {
    fail(GRAFT_STATUS_VERSION_MISMATCH, "%s has build hash %.80s, expected %s; install both libraries from one package",
         path.c_str(), table->build_hash != nullptr ? table->build_hash : "none", GRAFT_BUILD_HASH);
  }
  return table;
}

// With load_lock held. Fills the report as far as it gets.
const facade::Table& load(const std::string& library_directory, LoadReport& report) {
  report.library = own_library_path();
  const std::string own_directory = directory_of(report.library);
  report.torch = find_torch(library_directory, own_directory);
  if (report.torch.status != GRAFT_STATUS_OK) fail_no_torch(report.torch);
  // A core that is not there is told before a second is spent on LibTorch.
  const std::string path = own_directory + "/libgraft_core.so";
  if (file_exists(path)) load_torch(report.torch);
  const facade::Table* table = open_core(path, report.torch);
  report.core = path;
  report_of_success = new LoadReport(report);
  loaded_table.store(table, std::memory_order_release);
  forward_log_settings(*table);
  return *table;
}

}  // namespace

const facade::Table* loaded_core() noexcept { return loaded_table.load(std::memory_order_acquire); }

const facade::Table& load_core(const std::string& library_directory) {
  if (const facade::Table* table = loaded_core()) return *table;
  const std::lock_guard guard(load_lock);
  if (const facade::Table* table = loaded_core()) return *table;
  LoadReport report;
  return load(library_directory, report);
}

LoadReport load_and_report() {
  const std::lock_guard guard(load_lock);
  if (loaded_core() != nullptr) return *report_of_success;
  LoadReport report;
  try {
    load({}, report);
  } catch (const Failed&) {
    report.failure = error_text();
    clear_error();
  }
  return report;
}

}  // namespace graft::capi

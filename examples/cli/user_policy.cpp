#include "user_policy.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "options.h"

namespace cli {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Failure(GRAFT_STATUS_INVALID_ARGUMENT, "--inject " + path + ": " + what);
}

std::vector<std::string> read_names(const std::string& path, const std::string& layer_class,
                                    const nlohmann::ordered_json& value) {
  if (value.is_string()) return {value.get<std::string>()};
  std::vector<std::string> names;
  if (value.is_array()) {
    for (const auto& item : value) {
      if (item.is_string()) names.push_back(item.get<std::string>());
    }
  }
  if (names.empty() || names.size() != value.size()) {
    fail(path, "'" + layer_class + "': found " + value.dump() + ", expected the names of its row-parallel linears");
  }
  return names;
}

}  // namespace

void add_row_parallel_policies(graft_engine_options* target, const std::string& path) {
  const auto table = nlohmann::ordered_json::parse(read_option_file("--inject", path), nullptr, false);
  if (!table.is_object() || table.empty()) fail(path, "expected a JSON object {layer class: row-parallel linears}");
  for (const auto& [layer_class, value] : table.items()) {
    const std::vector<std::string> names = read_names(path, layer_class, value);
    std::vector<const char*> pointers;
    for (const std::string& name : names) pointers.push_back(name.c_str());
    graft_policy* made = nullptr;
    const graft_status status =
        graft_policy_row_parallel(layer_class.data(), static_cast<int64_t>(layer_class.size()), pointers.data(),
                                  static_cast<int64_t>(pointers.size()), &made);
    if (status != GRAFT_STATUS_OK) fail(path, "'" + layer_class + "': " + graft_last_error_message());
    const Policy policy(made);
    check(graft_engine_options_add_policy(target, policy.get()));
  }
}

}  // namespace cli

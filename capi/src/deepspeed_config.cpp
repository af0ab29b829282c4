#include "capi/src/deepspeed_config.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "capi/src/arguments.h"

namespace graft::capi {
namespace {

constexpr std::size_t longest_name = 64;  // a longer one is no misspelt key

std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, changed});
    }
  }
  return row.back();
}

class Reader {
 public:
  explicit Reader(const std::vector<std::string_view>& native_keys) : native_keys_(native_keys) {}

  DeepSpeedConfig read(const Json& object) {
    read_section("", "", object);
    forward_deprecated();
    take_deepspeed_values(given_, config_);
    return std::move(config_);
  }

 private:
  bool is_native(const std::string& name) const {
    return std::find(native_keys_.begin(), native_keys_.end(), name) != native_keys_.end();
  }

  // `written` is the path in the caller's words, `section` in the names of the table.
  void read_section(const std::string& section, const std::string& written, const Json& object) {
    for (const auto& [name, value] : object.items()) {
      std::string path = written;
      path.append(written.empty() ? "" : ".").append(name);
      const DeepSpeedKey* row = find_deepspeed_key(section, name);
      if (row == nullptr) {
        if (!section.empty() || !is_native(name)) fail_unknown(section, name, path);
        set_native(name, value);
        continue;
      }
      if (value == "auto" && std::string_view(row->name) != "replace_method") {
        if (std::string_view(row->name) == "dtype") set_native(name, value);  // a word of Graft's own too
        continue;
      }
      take(*row, path, value);
    }
  }

  void set_native(const std::string& name, const Json& value) { config_.native[name] = value; }

  void take(const DeepSpeedKey& row, const std::string& path, const Json& value) {
    const auto [present, fresh] = given_.try_emplace(row.name, GivenValue{path, value});
    if (!fresh) {
      if (present->second.value == value) return;
      fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s and %s: found different values for two names of one key",
           present->second.path.c_str(), path.c_str());
    }
    if (row.effect != Effect::section) return;
    if (value.is_object()) return read_section(row.name, path, value);
    take_short_form(row, path, value);
  }

  // {"tensor_parallel": 2} is Graft's form of tp_size, {"moe": true} DeepSpeed's of enabled.
  void take_short_form(const DeepSpeedKey& row, const std::string& path, const Json& value) {
    const std::string_view section = row.name;
    if (section == "tensor_parallel") {
      if (!value.is_number()) fail_type(path, value, "an integer, or an object with tp_size");
      given_["tensor_parallel.tp_size"] = {path, value};
    } else if (section == "moe" && value.is_boolean()) {
      given_["moe.enabled"] = {path, value};
    } else {
      fail_type(path, value, section == "moe" ? "true, false or an object" : "an object");
    }
  }

  void forward_deprecated() {
    for (const DeepSpeedKey& row : deepspeed_keys) {
      const auto old = given_.find(row.name);
      if (old == given_.end()) continue;
      if (std::string_view(row.name) == "replace_method") {
        config_.warnings.push_back("replace_method is deprecated and has no effect");
      }
      if (*row.moved_to == '\0') continue;
      const auto now = given_.find(row.moved_to);
      if (now != given_.end()) {
        fail(GRAFT_STATUS_INVALID_ARGUMENT, "%s and %s: found both, expected only the second: the first is deprecated",
             old->second.path.c_str(), now->second.path.c_str());
      }
      config_.warnings.push_back(old->second.path + " is deprecated, use " + row.moved_to);
      given_[row.moved_to] = old->second;
      given_.erase(old);
    }
  }

  // The known names, those that look most like the unknown one first.
  [[noreturn]] void fail_unknown(const std::string& section, const std::string& name, const std::string& path) const {
    std::vector<std::string> known;
    if (section.empty()) known.assign(native_keys_.begin(), native_keys_.end());
    for (const DeepSpeedKey& row : deepspeed_keys) {
      const std::string_view full = row.name;
      const std::size_t dot = full.rfind('.');
      const std::string_view place = dot == std::string_view::npos ? "" : full.substr(0, dot);
      if (place != section) continue;
      known.emplace_back(dot == std::string_view::npos ? full : full.substr(dot + 1));
      if (*row.alias != '\0') known.emplace_back(row.alias);
    }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    if (name.size() <= longest_name) {
      std::stable_sort(known.begin(), known.end(),
                       [&](const std::string& a, const std::string& b) { return edits(name, a) < edits(name, b); });
    }
    std::string list;
    for (const std::string& word : known) list.append(list.empty() ? "" : ", ").append(word);
    fail_unknown_key(path, list);
  }

  const std::vector<std::string_view>& native_keys_;
  GivenValues given_;
  DeepSpeedConfig config_;
};

}  // namespace

DeepSpeedConfig read_deepspeed_config(const Json& object, const std::vector<std::string_view>& native_keys) {
  return Reader(native_keys).read(object);
}

}  // namespace graft::capi

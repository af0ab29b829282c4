#include "human.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace cli {
namespace {

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string format_bytes(double bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; std::abs(bytes) >= 1024 && unit + 1 < std::size(units); ++unit) bytes /= 1024;
  char text[48];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.2f %s", bytes, units[unit]);
  return text;
}

std::string format_scalar(const std::string& key, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "-";
  if (value.is_number() && (key == "bytes" || ends_with(key, "_bytes"))) return format_bytes(value.get<double>());
  return value.dump();
}

bool is_module(const Json& value) { return value.is_object() && value.contains("children"); }

/// (self_attn): LlamaAttention [whatever else the node says]
void print_module(const Json& module, int depth, std::FILE* file) {
  std::string name, class_name, rest;
  for (const auto& [key, value] : module.items()) {
    if (key == "name") {
      name = format_scalar(key, value);
    } else if (key == "class" || key == "class_name" || key == "type") {
      class_name = format_scalar(key, value);
    } else if (key != "children" && !value.is_null()) {
      rest += " " + key + "=" + (value.is_structured() ? value.dump() : format_scalar(key, value));
    }
  }
  std::fprintf(file, "%*s", depth * 2, "");
  if (!name.empty()) std::fprintf(file, "(%s): ", name.c_str());
  std::fprintf(file, "%s%s\n", class_name.c_str(), rest.c_str());
  const auto children = module.find("children");
  if (children == module.end()) return;
  for (const Json& child : *children) {
    if (child.is_object()) print_module(child, depth + 1, file);
  }
}

/// One element of a table: name value, name value
std::string format_row(const Json& row) {
  std::string line;
  for (const auto& [name, field] : row.items()) {
    line +=
        (line.empty() ? "" : ", ") + name + " " + (field.is_structured() ? field.dump() : format_scalar(name, field));
  }
  return line;
}

void print_value(const std::string& key, const Json& value, int depth, std::FILE* file);

void print_members(const Json& value, int depth, std::FILE* file) {
  for (const auto& [key, member] : value.items()) print_value(key, member, depth, file);
}

void print_array(const std::string& key, const Json& value, int depth, std::FILE* file) {
  const bool flat = std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_primitive(); });
  std::fprintf(file, "%*s%s:", depth * 2, "", key.c_str());
  if (flat) {
    std::string line;
    for (const Json& item : value) line += (line.empty() ? "" : ", ") + format_scalar(key, item);
    std::fprintf(file, " %s\n", line.empty() ? "-" : line.c_str());
    return;
  }
  std::fputc('\n', file);
  for (const Json& item : value) {
    if (is_module(item)) {
      print_module(item, depth + 1, file);
      continue;
    }
    const std::string line = item.is_object() ? format_row(item) : item.dump();
    std::fprintf(file, "%*s%s\n", (depth + 1) * 2, "", line.c_str());
  }
}

void print_text(const std::string& key, const std::string& text, int depth, std::FILE* file) {
  std::fprintf(file, "%*s%s:", depth * 2, "", key.c_str());
  if (text.find('\n') == std::string::npos) {
    std::fprintf(file, " %s\n", text.c_str());
    return;
  }
  std::fputc('\n', file);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::fprintf(file, "%*s%.*s\n", (depth + 1) * 2, "", static_cast<int>(end - begin), text.data() + begin);
    begin = end + 1;
  }
}

void print_value(const std::string& key, const Json& value, int depth, std::FILE* file) {
  if (value.is_array()) {
    print_array(key, value, depth, file);
  } else if (value.is_object()) {
    std::fprintf(file, "%*s%s:\n", depth * 2, "", key.c_str());
    is_module(value) ? print_module(value, depth + 1, file) : print_members(value, depth + 1, file);
  } else {
    print_text(key, format_scalar(key, value), depth, file);
  }
}

}  // namespace

void print_human(const Json& value, std::FILE* file) { print_members(value, 0, file); }

}  // namespace cli

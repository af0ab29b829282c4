#include "core/autotp/parser.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/base/quote.h"
#include "core/base/status.h"

namespace graft {
namespace {

constexpr std::array<std::string_view, 8> unsupported_keys = {"deberta", "flaubert",   "fsmt", "gpt2",
                                                              "led",     "longformer", "xlm",  "xlnet"};
constexpr std::string_view norm_token = "ln";
constexpr size_t most_listed = 12;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

void check_depth(int64_t depth) {
  if (depth > max_scan_depth) {
    fail(StatusCode::limit_exceeded, "AutoTP: modules nest deeper than {} levels", max_scan_depth);
  }
}

/// The first element of each class in a parent's module lists; lists inside of elements are not looked at.
void find_layers(const ScannedModule& parent, int64_t depth, std::vector<const ScannedModule*>& layers) {
  check_depth(depth);
  std::set<std::string_view> seen;
  for (const ScannedModule& child : parent.children) {
    if (child.kind != ModuleKind::module_list) {
      find_layers(child, depth + 1, layers);
      continue;
    }
    for (const ScannedModule& element : child.children) {
      if (seen.insert(element.class_name).second) layers.push_back(&element);
    }
  }
}

/// A layer's linears and norms in order. `parent`: empty for the layer itself, where ln_1 and ln_2 are norms by name.
void flatten(const ScannedModule& module, const std::string& parent, int64_t depth, std::vector<std::string>& tokens) {
  check_depth(depth);
  for (const ScannedModule& child : module.children) {
    const std::string& name = child.name;
    if (child.kind == ModuleKind::linear) {
      tokens.push_back(parent + "." + name);
    } else if (child.kind == ModuleKind::layer_norm || name == "LayerNorm" || name == "layer_norm" ||
               (depth == 0 && (name == "ln_1" || name == "ln_2"))) {
      tokens.emplace_back(norm_token);
    } else {
      flatten(child, name, depth + 1, tokens);
    }
  }
}

bool row_parallel_by_name(std::string_view name, std::string_view layer_class, std::string_view printed) {
  if (contains(name, "out_proj") || contains(name, "o_proj") || contains(name, "down_proj")) return true;
  if (contains(name, "attention.dense") && contains(printed, "GPTNeoX")) return true;
  if (contains(name, "self_attention.dense") && contains(lower(layer_class), "falcon")) return true;
  if (contains(name, "w2") && contains(layer_class, "Mixtral")) return true;
  if (contains(name, "self_attn.dense") && contains(layer_class, "Phi")) return true;
  return contains(printed, "ChatGLM") && (contains(name, "self_attention.dense") || contains(name, "dense_4h_to_h"));
}

std::set<std::string> mark(const std::vector<std::string>& tokens, std::string_view layer_class,
                           std::string_view printed) {
  std::set<std::string> marked;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] == norm_token) {
      // What a norm follows ends a block. The first token's predecessor is the last one, as with Python's index -1:
      // so the feed-forward output of a layer that begins with a norm is found.
      const std::string& previous = tokens[i == 0 ? tokens.size() - 1 : i - 1];
      if (previous != norm_token) marked.insert(previous);
    } else if (row_parallel_by_name(tokens[i], layer_class, printed)) {
      marked.insert(tokens[i]);
    }
  }
  return marked;
}

/// "a.b, c.d" of the scanned layers' linears.
std::string list_linears(const std::vector<const ScannedModule*>& layers) {
  std::vector<std::string> names;
  for (const ScannedModule* layer : layers) {
    std::vector<std::string> tokens;
    flatten(*layer, "", 0, tokens);
    for (const std::string& token : tokens) {
      const std::string name = layer->class_name + (token.starts_with(".") ? "" : ".") + token;
      if (token != norm_token && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  if (names.empty()) return "no linears in any list of layers";
  std::string out = "linears not classified: ";
  for (size_t i = 0; i < std::min(names.size(), most_listed); ++i) {
    out += (i == 0 ? "" : ", ") + printable(names[i], 100);
  }
  if (names.size() > most_listed) out += fmt::format(" and {} more", names.size() - most_listed);
  return out;
}

/// What stands between the first ": " of a line and `end`, of the first line that has both.
std::string between(std::string_view text, std::string_view end) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const size_t start = line.find(": ");
    if (start != std::string_view::npos) {
      const size_t stop = line.find(end, start + 2);
      if (stop != std::string_view::npos) return std::string(line.substr(start + 2, stop - start - 2));
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return "";
}

}  // namespace

std::string model_key(std::string_view printed) {
  for (const std::string_view end : {"Model", "Stack"}) {
    if (std::string key = between(printed, end); !key.empty()) return key;
  }
  const std::string_view line = printed.substr(0, printed.find('\n'));
  const size_t stop = line.find("Model");
  return stop == std::string_view::npos ? "" : std::string(line.substr(0, stop));
}

std::vector<LayerPlan> tp_parser(const ScannedModule& root, std::string_view printed) {
  std::vector<const ScannedModule*> layers;
  find_layers(root, 0, layers);
  const std::string key = model_key(printed);
  if (key.empty()) {
    fail(StatusCode::unsupported, "AutoTP cannot tell the family of {}: provide a policy ({})", quote(root.class_name),
         list_linears(layers));
  }
  if (std::count(unsupported_keys.begin(), unsupported_keys.end(), lower(key)) != 0) {
    fail(StatusCode::unsupported, "AutoTP does not support {} models: provide a policy ({})", quote(key),
         list_linears(layers));
  }
  std::vector<LayerPlan> plans;
  for (const ScannedModule* layer : layers) {
    std::vector<std::string> tokens;
    flatten(*layer, "", 0, tokens);
    std::set<std::string> marked = mark(tokens, layer->class_name, printed);
    if (marked.empty()) continue;
    const auto known = std::find_if(plans.begin(), plans.end(),
                                    [layer](const LayerPlan& plan) { return plan.layer_class == layer->class_name; });
    if (known == plans.end()) {
      plans.push_back({layer->class_name, std::move(marked)});
    } else {
      known->row_parallel.merge(marked);
    }
  }
  if (plans.empty()) {
    fail(StatusCode::unsupported, "AutoTP found no row-parallel linear in {}: provide a policy ({})",
         quote(root.class_name), list_linears(layers));
  }
  return plans;
}

std::vector<LayerPlan> tp_parser(const ScannedModule& root) { return tp_parser(root, print_scanned(root)); }

}  // namespace graft

#include "core/policies/json/tree.h"

#include <fmt/format.h>

#include "core/base/quote.h"
#include "core/policies/support/config_fields.h"

namespace graft::json_policy {
namespace {

// Layers times modules; far above any model's.
constexpr size_t most_modules = 200'000;
constexpr IntRange feature_range{1, int64_t{1} << 24};

struct NamedRole {
  std::string_view name;
  Role role;
};

constexpr NamedRole linear_roles[] = {
    {"query", Role::query},
    {"key", Role::key},
    {"value", Role::value},
    {"query_key_value", Role::query_key_value},
    {"attention_output", Role::attention_output},
    {"gate", Role::gate},
    {"up", Role::up},
    {"gate_up", Role::gate_up},
    {"down", Role::down},
    {"head", Role::head},
    {"project_in", Role::project_in},
    {"project_out", Role::project_out},
};
constexpr NamedRole embedding_roles[] = {
    {"token_embedding", Role::token_embedding},
    {"position_embedding", Role::position_embedding},
};
constexpr NamedRole norm_roles[] = {
    {"input_norm", Role::input_norm},
    {"feed_forward_norm", Role::feed_forward_norm},
    {"post_attention_norm", Role::post_attention_norm},
    {"post_feed_forward_norm", Role::post_feed_forward_norm},
    {"query_norm", Role::query_norm},
    {"key_norm", Role::key_norm},
    {"embedding_norm", Role::embedding_norm},
    {"final_norm", Role::final_norm},
};

template <size_t count>
Role read_role(const JsonObject& module, const NamedRole (&roles)[count]) {
  const std::string name = module.require_string("role");
  std::string known;
  for (const NamedRole& entry : roles) {
    if (entry.name == name) return entry.role;
    known += known.empty() ? "" : ", ";
    known += entry.name;
  }
  module.at("role").fail_expected("one of: " + known);
}

class Tree {
 public:
  Tree(Fields& fields, Blueprint& blueprint) : fields_(fields), blueprint_(blueprint), builder_(blueprint) {}

  void add_all(const JsonArray& modules) {
    for (int64_t i = 0; i < modules.size(); ++i) add(modules.at(i).as_object());
  }

 private:
  const LayerConfig& layer() const { return blueprint_.config.layers[static_cast<size_t>(layer_ < 0 ? 0 : layer_)]; }

  void add(const JsonObject& module) {
    if (!fields_.flag(module, "when", true)) return;
    if (blueprint_.modules.size() >= most_modules) {
      module.fail_expected(fmt::format("at most {} modules in all", most_modules));
    }
    const std::string kind = module.get_string("kind", module.has("children") ? "group" : "plain");
    if (kind == "group") return add_group(module);
    if (kind == "layers") return add_layers(module);
    if (kind == "linear") return add_linear(module);
    if (kind == "embedding") return add_embedding(module);
    if (kind == "norm") return add_norm(module);
    if (kind == "activation") {
      module.expect_only({"kind", "when", "name", "activation"});
      const NamedActivation* found = find_activation(fields_.text(module, "activation"));
      if (found == nullptr) module.at("activation").fail_expected("one of: " + activation_names());
      return builder_.plain(name_of(module), found->class_name);
    }
    if (kind == "dropout") return add_dropout(module);
    if (kind != "plain") {
      module.at("kind").fail_expected("one of: group, layers, linear, embedding, norm, activation, dropout, plain");
    }
    module.expect_only({"kind", "when", "name", "class", "detail"});
    builder_.plain(name_of(module), module.require_string("class"), module.get_string("detail", ""));
  }

  std::string name_of(const JsonObject& module) {
    const std::string name = module.require_string("name");
    if (name.empty() || name.find('.') != std::string::npos) module.at("name").fail_expected("a name without dots");
    return name;
  }

  void add_group(const JsonObject& module) {
    module.expect_only({"kind", "when", "name", "class", "children"});
    builder_.open(name_of(module), module.require_string("class"));
    add_all(module.get_array("children"));
    builder_.close();
  }

  void add_layers(const JsonObject& module) {
    module.expect_only({"kind", "when", "name", "class", "layer_class", "children"});
    if (layer_ >= 0 || layers_done_) module.fail_expected("one list of layers, and none inside of another");
    builder_.open(name_of(module), module.get_string("class", "ModuleList"));
    const auto count = static_cast<int64_t>(blueprint_.config.layers.size());
    for (layer_ = 0; layer_ < count; ++layer_) {
      fields_.set_layer(layer_);
      builder_.open_layer(layer_, module.require_string("layer_class"));
      add_all(module.require_array("children"));
      builder_.close_layer();
    }
    layer_ = -1;
    layers_done_ = true;
    fields_.set_layer(-1);
    builder_.close();
  }

  void add_linear(const JsonObject& module) {
    module.expect_only({"kind", "when", "name", "class", "role", "in", "out", "bias", "layout", "parallel", "fused"});
    const Role role = read_role(module, linear_roles);
    const int64_t in = fields_.whole(module, "in", std::nullopt, feature_range);
    const int64_t out = fields_.whole(module, "out", std::nullopt, feature_range);
    const bool bias = fields_.flag(module, "bias", true);
    const std::string layout = module.get_string("layout", "out_in");
    if (layout == "out_in") {
      builder_.linear(name_of(module), role, in, out, bias);
    } else if (layout == "in_out") {
      builder_.conv1d(name_of(module), role, in, out);
      if (!bias) builder_.without("bias");
    } else {
      module.at("layout").fail_expected("\"out_in\" (nn.Linear) or \"in_out\" (Conv1D)");
    }
    if (module.has("class")) builder_.printed_as(module.require_string("class"));
    ModuleSpec& spec = blueprint_.modules.back();
    if (module.has("parallel")) spec.parallel = read_parallel(module, role);
    if (module.has("fused")) spec.fused = read_fused(module, role);
  }

  ParallelRole read_parallel(const JsonObject& module, Role role) {
    const std::string name = fields_.text(module, "parallel");
    const ParallelRole usual = default_parallel_role(role);
    if (name == "replicated" && usual == ParallelRole::replicated) return usual;
    if (name == "column" && usual == ParallelRole::column) return usual;
    if (name == "row" && usual == ParallelRole::row) return usual;
    module.at("parallel")
        .fail_expected(fmt::format("\"{}\", which is what the role '{}' takes part in",
                                   usual == ParallelRole::column ? "column"
                                   : usual == ParallelRole::row  ? "row"
                                                                 : "replicated",
                                   module.require_string("role")));
  }

  FusedRows read_fused(const JsonObject& module, Role role) {
    if (role != Role::query_key_value) module.at("fused").fail_expected("nothing, since the role is another");
    const AttentionConfig& a = layer().attention;
    const std::string form = fields_.text(module, "fused");
    if (form == "thirds") return fused_thirds(a.heads, a.kv_heads, a.head_dim);
    if (form == "grouped") return fused_grouped(a.heads, a.kv_heads, a.head_dim);
    if (form == "codegen") {
      if (a.heads != a.kv_heads || a.heads % 4 != 0) {
        module.at("fused").fail_expected("another form: \"codegen\" has a multiple of 4 heads, each with its own key");
      }
      return fused_codegen(a.heads, a.head_dim);
    }
    module.at("fused").fail_expected("\"thirds\", \"grouped\" or \"codegen\"");
  }

  void add_embedding(const JsonObject& module) {
    module.expect_only({"kind", "when", "name", "class", "role", "rows", "width", "padding"});
    const Role role = read_role(module, embedding_roles);
    const int64_t rows = fields_.whole(module, "rows", std::nullopt, {1, vocabulary_range.high});
    const int64_t width = fields_.whole(module, "width", std::nullopt, width_range);
    const int64_t padding = module.has("padding") ? fields_.whole(module, "padding", -1, {-1, rows - 1}) : -1;
    builder_.embedding(name_of(module), role, rows, width, padding);
    if (module.has("class")) builder_.printed_as(module.require_string("class"));
  }

  void add_norm(const JsonObject& module) {
    module.expect_only({"kind", "when", "name", "class", "role", "width", "bias"});
    const Role role = read_role(module, norm_roles);
    const bool outer = role == Role::final_norm || role == Role::embedding_norm;
    const NormConfig& norm = outer ? *blueprint_.config.final_norm : layer().norm;
    const bool layer_norm = norm.kind == NormKind::layer;
    const std::string class_name = module.get_string("class", layer_norm ? "LayerNorm" : "RMSNorm");
    builder_.norm(name_of(module), role, class_name, fields_.whole(module, "width", std::nullopt, feature_range), norm);
    if (layer_norm && !fields_.flag(module, "bias", true)) builder_.without("bias");
  }

  // What `key` of config.json says, as Python prints it.
  void add_dropout(const JsonObject& module) {
    module.expect_only({"kind", "when", "name", "key", "default"});
    std::string chance = module.get_string("default", "0.0");
    if (module.has("key")) {
      const JsonValue stated = find_key(fields_.config(), module.require_string("key"));
      if (!stated.absent()) static_cast<void>(stated.as_number({0.0, 1.0})), chance = stated.text();
    }
    builder_.plain(name_of(module), "Dropout", fmt::format("p={}, inplace=False", chance));
  }

  Fields& fields_;
  Blueprint& blueprint_;
  BlueprintBuilder builder_;
  int64_t layer_ = -1;
  bool layers_done_ = false;
};

}  // namespace

void add_modules(const JsonArray& modules, Fields& fields, Blueprint& blueprint) {
  BlueprintBuilder root(blueprint);
  root.open("", blueprint.config.architecture);
  Tree(fields, blueprint).add_all(modules);
}

}  // namespace graft::json_policy

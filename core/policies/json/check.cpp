#include "core/policies/json/check.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "core/base/quote.h"

namespace graft::json_policy {
namespace {

using Shape = std::vector<int64_t>;

std::string shape_text(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

class Checker {
 public:
  Checker(const Blueprint& blueprint, const JsonValue& place)
      : blueprint_(blueprint), config_(blueprint.config), place_(place) {}

  void run() {
    std::set<std::string_view> paths;
    for (const ModuleSpec& module : blueprint_.modules) {
      if (!paths.insert(module.path).second) fail(fmt::format("one module {}", quote(module.path)));
      if (module.role == Role::none) continue;
      if (!found_[module.layer].emplace(module.role, &module).second) {
        fail(fmt::format("one module of the role of {} in each layer", quote(module.path)));
      }
    }
    check_outer();
    for (size_t i = 0; i < config_.layers.size(); ++i) check_layer(static_cast<int32_t>(i), config_.layers[i]);
  }

 private:
  [[noreturn]] void fail(const std::string& expected) const {
    graft::fail(StatusCode::invalid_argument, "{}: '{}' describes another model than its fields do, expected {}",
                place_.source(), place_.path(), expected);
  }

  /// The shape of a module's weight as [out, in] or [width]; empty shape: there must be none.
  void expect(int32_t layer, Role role, const char* name, const Shape& shape, bool optional = false) {
    const auto& modules = found_[layer];
    const auto entry = modules.find(role);
    const std::string where = layer < 0 ? "" : fmt::format(" in layer {}", layer);
    if (entry == modules.end()) {
      if (!optional && !shape.empty()) fail(fmt::format("a module of role '{}'{}", name, where));
      return;
    }
    ++used_[layer];
    const ModuleSpec& module = *entry->second;
    if (shape.empty()) fail(fmt::format("no module of role '{}'{}, but there is {}", name, where, quote(module.path)));
    Shape stated = module.parameters.front().shape;
    if (module.layout == LinearLayout::in_out) std::swap(stated.front(), stated.back());
    if (stated != shape) {
      fail(fmt::format("{} for {}, not {}", shape_text(shape), quote(module.path), shape_text(stated)));
    }
  }

  void expect_no_more(int32_t layer) {
    if (found_[layer].size() == used_[layer]) return;
    fail(layer < 0 ? "the roles of layers inside of layers alone"
                   : fmt::format("the roles of a layer in layer {} alone", layer));
  }

  void check_outer() {
    const int64_t hidden = config_.hidden_size, width = config_.hidden_width();
    const bool projected = config_.embedding_width > 0;
    const Shape none;
    expect(-1, Role::token_embedding, "token_embedding", {config_.vocabulary, width});
    expect(-1, Role::position_embedding, "position_embedding",
           config_.position_table > 0 ? Shape{config_.position_table, hidden} : none);
    expect(-1, Role::project_in, "project_in", projected ? Shape{hidden, width} : none);
    expect(-1, Role::project_out, "project_out", projected ? Shape{width, hidden} : none);
    expect(-1, Role::embedding_norm, "embedding_norm", config_.embedding_norm ? Shape{hidden} : none);
    expect(-1, Role::final_norm, "final_norm", config_.final_norm ? Shape{hidden} : none);
    expect(-1, Role::head, "head", {config_.vocabulary, width});
    expect_no_more(-1);
  }

  void check_layer(int32_t i, const LayerConfig& layer) {
    const AttentionConfig& a = layer.attention;
    const FeedForwardConfig& f = layer.feed_forward;
    const int64_t hidden = config_.hidden_size, query = a.heads * a.head_dim, keys = a.kv_heads * a.head_dim;
    const bool fused = found_[i].contains(Role::query_key_value), both = found_[i].contains(Role::gate_up);
    const bool post = layer.residual == ResidualForm::post_norm;
    const Shape none, norm{hidden};
    expect(i, Role::query_key_value, "query_key_value", fused ? Shape{query + 2 * keys, hidden} : none);
    expect(i, Role::query, "query", fused ? none : Shape{query, hidden});
    expect(i, Role::key, "key", fused ? none : Shape{keys, hidden});
    expect(i, Role::value, "value", fused ? none : Shape{keys, hidden});
    expect(i, Role::query_norm, "query_norm", a.query_key_norm ? Shape{a.head_dim} : none);
    expect(i, Role::key_norm, "key_norm", a.query_key_norm ? Shape{a.head_dim} : none);
    expect(i, Role::attention_output, "attention_output", {hidden, query});
    expect(i, Role::gate_up, "gate_up", f.gated && both ? Shape{2 * f.intermediate_size, hidden} : none);
    expect(i, Role::gate, "gate", f.gated && !both ? Shape{f.intermediate_size, hidden} : none);
    expect(i, Role::up, "up", f.gated && both ? none : Shape{f.intermediate_size, hidden});
    expect(i, Role::down, "down", {hidden, f.intermediate_size});
    expect(i, Role::input_norm, "input_norm", post ? none : norm);
    expect(i, Role::feed_forward_norm, "feed_forward_norm", post ? none : norm,
           layer.residual == ResidualForm::parallel);
    expect(i, Role::post_attention_norm, "post_attention_norm", post ? norm : none);
    expect(i, Role::post_feed_forward_norm, "post_feed_forward_norm", post ? norm : none);
    expect_no_more(i);
  }

  const Blueprint& blueprint_;
  const ModelConfig& config_;
  const JsonValue& place_;
  std::map<int32_t, std::map<Role, const ModuleSpec*>> found_;
  std::map<int32_t, size_t> used_;
};

}  // namespace

void check_blueprint(const Blueprint& blueprint, const JsonValue& modules) { Checker(blueprint, modules).run(); }

}  // namespace graft::json_policy

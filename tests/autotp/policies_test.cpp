// The scan over our own blueprints: it finds what it finds on Transformers' classes, and what the policies state.
#include <gtest/gtest.h>

#include <map>

#include "core/autotp/parser.h"
#include "core/autotp/replacement.h"
#include "core/base/status.h"
#include "core/policies/policy.h"
#include "tests/autotp/trees.h"

namespace graft {
namespace {

Blueprint blueprint_of(const std::string& name) {
  const std::string config = test::trees().at(name)["config"].dump();
  return match_policy(parse_json_object(config, name), parse_json_object("{}", name)).blueprint;
}

void find_layers(const ScannedModule& module, const std::string& path, const std::string& layer_class,
                 std::map<std::string, const ScannedModule*>& found) {
  if (module.class_name == layer_class) found[path] = &module;
  for (const ScannedModule& child : module.children) {
    find_layers(child, path.empty() ? child.name : path + "." + child.name, layer_class, found);
  }
}

TEST(Policies, BlueprintsScanAsTransformersClasses) {
  for (const char* name : {"bert", "roberta", "distilbert", "llama", "mistral", "qwen2", "qwen3"}) {
    SCOPED_TRACE(name);
    const Blueprint blueprint = blueprint_of(name);
    const ScannedModule tree = scanned_tree(blueprint);
    EXPECT_EQ(print_scanned(tree), print_scanned(test::tree_of(name)));
    const std::vector<LayerPlan> plans = tp_parser(tree);
    ASSERT_EQ(plans.size(), 1u);

    // every linear of the layers: row and column as the policy states them
    std::map<std::string, ReplacementKind> kinds;
    std::map<std::string, const ScannedModule*> layers;
    find_layers(tree, "", plans[0].layer_class, layers);
    ASSERT_EQ(layers.size(), 2u);
    for (const auto& [path, layer] : layers) {
      for (const LinearReplacement& made : replace_layer(*layer, plans[0].row_parallel)) {
        kinds[path + "." + made.path] = made.kind;
      }
    }
    size_t linears = 0;
    for (const ModuleSpec& spec : blueprint.modules) {
      if (spec.layer < 0 || kind_of_class(spec.class_name) != ModuleKind::linear) continue;
      ++linears;
      ASSERT_EQ(kinds.count(spec.path), 1u) << spec.path;
      const ReplacementKind expected =
          spec.parallel == ParallelRole::row ? ReplacementKind::row : ReplacementKind::column;
      EXPECT_EQ(kinds[spec.path], expected) << spec.path;
    }
    EXPECT_EQ(kinds.size(), linears);
  }
}

TEST(Policies, Gpt2NeedsItsPolicy) {
  const Blueprint blueprint = blueprint_of("gpt2");
  EXPECT_EQ(print_scanned(scanned_tree(blueprint)), print_scanned(test::tree_of("gpt2")));
  EXPECT_THROW(tp_parser(scanned_tree(blueprint)), Error);
}

}  // namespace
}  // namespace graft

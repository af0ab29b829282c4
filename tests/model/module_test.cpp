#include "core/model/module.h"

#include <gtest/gtest.h>

namespace graft {
namespace {

Blueprint small_blueprint() {
  Blueprint blueprint;
  BlueprintBuilder tree(blueprint);
  const NormConfig norm{NormKind::rms, 1e-5, 0};
  tree.open("", "ToyForCausalLM");
  tree.open("model", "ToyModel");
  tree.embedding("embed", Role::token_embedding, 10, 4);
  tree.open("layers", "ModuleList");
  for (int64_t i = 0; i < 3; ++i) {
    tree.open_layer(i, "ToyLayer");
    tree.linear("up", Role::up, 4, i == 2 ? 6 : 8, i == 2);
    tree.norm("norm", Role::input_norm, "ToyNorm", 4, norm);
    tree.close_layer();
  }
  tree.close();
  tree.close();
  tree.linear("head", Role::head, 4, 10, false);
  tree.close();
  return blueprint;
}

TEST(Module, TreeFollowsThePaths) {
  const Blueprint blueprint = small_blueprint();
  const std::unique_ptr<Module> root = build_tree(blueprint);
  ASSERT_EQ(root->children().size(), 2u);
  EXPECT_EQ(root->children()[0]->name(), "model");
  EXPECT_EQ(root->children()[1]->spec().path, "head");
  const std::vector<Module*> layers = decoder_layers(*root);
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[1]->find(Role::up)->spec().path, "model.layers.1.up");
  EXPECT_EQ(layers[1]->find(Role::head), nullptr);
}

TEST(Module, PrintsAsTransformersDoes) {
  EXPECT_EQ(print_tree(*build_tree(small_blueprint())),
            "ToyForCausalLM(\n"
            "  (model): ToyModel(\n"
            "    (embed): Embedding(10, 4)\n"
            "    (layers): ModuleList(\n"
            "      (0-1): 2 x ToyLayer(\n"
            "        (up): Linear(in_features=4, out_features=8, bias=False)\n"
            "        (norm): ToyNorm((4,), eps=1e-05)\n"
            "      )\n"
            "      (2): ToyLayer(\n"
            "        (up): Linear(in_features=4, out_features=6, bias=True)\n"
            "        (norm): ToyNorm((4,), eps=1e-05)\n"
            "      )\n"
            "    )\n"
            "  )\n"
            "  (head): Linear(in_features=4, out_features=10, bias=False)\n"
            ")");
}

TEST(Blueprint, RolesHaveTheirPartInTensorParallelism) {
  const Blueprint blueprint = small_blueprint();
  for (const ModuleSpec& module : blueprint.modules) {
    if (module.role == Role::up || module.role == Role::head) {
      EXPECT_EQ(module.parallel, ParallelRole::column);
    } else if (module.role == Role::input_norm) {
      EXPECT_EQ(module.parallel, ParallelRole::replicated);
    }
  }
  EXPECT_EQ(default_parallel_role(Role::down), ParallelRole::row);
}

}  // namespace
}  // namespace graft

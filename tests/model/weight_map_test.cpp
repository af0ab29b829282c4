#include "core/model/weight_map.h"

#include <gtest/gtest.h>

namespace graft {
namespace {

TEST(WeightMap, PatternsMatchWholeNames) {
  EXPECT_TRUE(matches("*rotary_emb.inv_freq", "model.layers.0.self_attn.rotary_emb.inv_freq"));
  EXPECT_TRUE(matches("*.attn.bias", "h.0.attn.bias"));
  EXPECT_FALSE(matches("*.attn.bias", "h.0.attn.bias2"));
  EXPECT_FALSE(matches("mtp.*", "model.mtp.0"));
  EXPECT_TRUE(matches("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(matches("a*b*c", "aXbYbZ"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_FALSE(matches("", "a"));
}

}  // namespace
}  // namespace graft

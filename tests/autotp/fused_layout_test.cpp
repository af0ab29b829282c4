#include "core/autotp/fused_layout.h"

#include <gtest/gtest.h>

#include "core/base/status.h"

namespace graft {
namespace {

TEST(FusedLayout, TypesOfTheTable) {
  const std::pair<const char*, FusedType> rows[] = {
      {"BloomBlock", FusedType::bloom},     {"FalconDecoderLayer", FusedType::bloom},
      {"GLMBlock", FusedType::glm},         {"MPTBlock", FusedType::glm},
      {"MptBlock", FusedType::glm},         {"BaichuanLayer", FusedType::glm},
      {"DecoderLayer", FusedType::glm},     {"FooDecoderLayer", FusedType::glm},
      {"QWenBlock", FusedType::qwen},       {"Phi3DecoderLayer", FusedType::phi3},
      {"CodeGenBlock", FusedType::codegen}, {"GPTBigCodeBlock", FusedType::bigcode},
  };
  for (const auto& [layer, type] : rows) {
    const FusedLayout found = shard_by_type(std::string(layer) + "(\n  (qkv_proj): Linear()\n)");
    EXPECT_EQ(found.type, type) << layer;
    EXPECT_EQ(found.warning, "") << layer;
  }
}

TEST(FusedLayout, TheLongestNameWinsWhereverItStands) {
  EXPECT_EQ(shard_by_type("DecoderLayer(\n  (x): GPTBigCodeBlock()\n)").type, FusedType::bigcode);
  EXPECT_EQ(shard_by_type("BloomBlock(\n  (x): DecoderLayer()\n)").type, FusedType::glm);
}

TEST(FusedLayout, UnknownIsBloomWithAWarning) {
  const FusedLayout found = shard_by_type("GPTNeoXLayer(\n  (query_key_value): Linear()\n)");
  EXPECT_EQ(found.type, FusedType::bloom);
  EXPECT_NE(found.warning.find("'GPTNeoXLayer'"), std::string::npos) << found.warning;
  EXPECT_FALSE(shard_by_type("").warning.empty());
}

TEST(FusedLayout, RowsOfEachType) {
  EXPECT_EQ(fused_rows(FusedType::bloom, 4, 2, 1).key, fused_grouped(4, 2, 1).key);
  for (const FusedType type : {FusedType::glm, FusedType::qwen, FusedType::phi3}) {
    EXPECT_EQ(fused_rows(type, 4, 2, 3).value, (std::vector<int64_t>{18, 21}));
  }
  EXPECT_EQ(fused_rows(FusedType::codegen, 4, 4, 1).key, (std::vector<int64_t>{2, 5, 8, 11}));
  EXPECT_EQ(fused_rows(FusedType::bigcode, 3, 1, 2).key, (std::vector<int64_t>{6}));
  EXPECT_EQ(fused_rows(FusedType::bigcode, 3, 3, 2).key, (std::vector<int64_t>{2, 8, 14}));
  EXPECT_THROW(fused_rows(FusedType::codegen, 8, 4, 1), Error);
}

}  // namespace
}  // namespace graft

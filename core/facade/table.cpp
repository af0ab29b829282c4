// The one symbol of libgraft_core.so.
#include "core/facade/table.h"

#include "core/facade/objects.h"

namespace graft::facade {
namespace {

Table make_table() {
  Table table{};
  table.version = table_version;
  table.build_hash = GRAFT_BUILD_HASH;
  fill_library(table);
  fill_engine(table);
  fill_tokenizer(table);
  fill_request(table);
  return table;
}

}  // namespace
}  // namespace graft::facade

extern "C" __attribute__((visibility("default"))) const graft::facade::Table* graft_core_table() {
  static const graft::facade::Table table = graft::facade::make_table();
  return &table;
}

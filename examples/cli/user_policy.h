// --inject FILE.json: the user's own table of row-parallel linears.
#pragma once

#include <string>

#include "handles.h"

namespace cli {

/// Reads {"LlamaDecoderLayer": ["self_attn.o_proj", "mlp.down_proj"], ...} (one name may stand without brackets) and
/// adds one policy per layer class. Throws Failure naming the file and the key.
void add_row_parallel_policies(graft_engine_options* target, const std::string& path);

}  // namespace cli

#pragma once

#include "core/model/shard.h"

namespace graft {

/// A rank and how many of its group share this process, its memory and its cores.
struct RankPlace {
  RankShare share;
  int64_t ranks_here = 1;
};

}  // namespace graft

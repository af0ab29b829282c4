#pragma once

#include "core/model/shard.h"

namespace graft {

/// A rank and how many of its group share this process, its memory and its cores.
struct RankPlace {
  RankShare share;
  int64_t ranks_here = 1;
  int64_t local_rank = 0;  ///< among the ranks of this machine, which deal its devices out by it
};

}  // namespace graft

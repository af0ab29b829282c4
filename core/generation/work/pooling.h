// One embedding of many hidden rows.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/generation/request.h"

namespace graft {

/// Takes hidden rows [width] as they come, in order. Sums in double. Source: sentence-transformers' Pooling module.
class Pooler {
 public:
  /// `row`: the one that Pooling::token takes.
  Pooler(Pooling pooling, int64_t width, int64_t row = 0);

  void add(const float* rows, int64_t count);

  /// The embedding [width] of at least one row.
  std::vector<float> result() const;

 private:
  Pooling pooling_;
  int64_t width_;
  int64_t row_;
  int64_t rows_ = 0;
  double weight_ = 0;
  std::vector<double> values_;
};

/// The row of Pooling::token in a text; none when the token is not there. The highest token's is its first, as
/// argmax has it.
std::optional<int64_t> pooled_row(const std::vector<int64_t>& tokens, int64_t pooled_token);

/// Scales to Euclidean length 1, as torch's normalize: a length below 1e-12 counts as that.
void normalize(std::vector<float>& values);

}  // namespace graft

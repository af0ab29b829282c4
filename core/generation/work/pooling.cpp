#include "core/generation/work/pooling.h"

#include <algorithm>
#include <cmath>

#include "core/model/config.h"

namespace graft {

Pooler::Pooler(Pooling pooling, int64_t width, int64_t row)
    : pooling_(pooling), width_(width), row_(row), values_(static_cast<size_t>(width), 0.0) {}

void Pooler::add(const float* rows, int64_t count) {
  for (int64_t r = 0; r < count; ++r, rows += width_) {
    ++rows_;
    double weight = 1;
    bool replace = false;
    switch (pooling_) {
      case Pooling::cls:
        if (rows_ > 1) continue;
        replace = true;
        break;
      case Pooling::token:
        if (rows_ - 1 != row_) continue;
        replace = true;
        break;
      case Pooling::last:
        replace = true;
        break;
      case Pooling::max:
        replace = rows_ == 1;
        break;
      case Pooling::weighted_mean:  // later rows have seen more
        weight = static_cast<double>(rows_);
        break;
      default:
        break;
    }
    weight_ += weight;
    for (int64_t i = 0; i < width_; ++i) {
      double& value = values_[static_cast<size_t>(i)];
      const auto x = static_cast<double>(rows[i]);
      if (replace) {
        value = x;
      } else if (pooling_ == Pooling::max) {
        value = std::max(value, x);
      } else {
        value += weight * x;
      }
    }
  }
}

std::vector<float> Pooler::result() const {
  double divisor = 1;
  if (pooling_ == Pooling::mean || pooling_ == Pooling::weighted_mean) divisor = weight_;
  if (pooling_ == Pooling::mean_sqrt_len) divisor = std::sqrt(weight_);
  std::vector<float> out;
  out.reserve(values_.size());
  for (double value : values_) out.push_back(static_cast<float>(value / divisor));
  return out;
}

std::optional<int64_t> pooled_row(const std::vector<int64_t>& tokens, int64_t pooled_token) {
  const auto found = pooled_token == ModelConfig::highest_token ? std::ranges::max_element(tokens)
                                                                : std::ranges::find(tokens, pooled_token);
  if (found == tokens.end()) return std::nullopt;
  return found - tokens.begin();
}

void normalize(std::vector<float>& values) {
  double squares = 0;
  for (float value : values) squares += static_cast<double>(value) * static_cast<double>(value);
  const double length = std::max(std::sqrt(squares), 1e-12);
  for (float& value : values) value = static_cast<float>(static_cast<double>(value) / length);
}

}  // namespace graft

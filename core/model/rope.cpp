#include "core/model/rope.h"

#include <algorithm>
#include <cmath>

#include "core/base/status.h"

namespace graft {
namespace {

constexpr double pi = 3.14159265358979323846;

std::vector<float> standard_frequencies(const RopeConfig& config) {
  std::vector<float> result(static_cast<size_t>(config.rotary_dim / 2));
  for (size_t i = 0; i < result.size(); ++i) {
    float exponent = static_cast<float>(2 * i) / static_cast<float>(config.rotary_dim);
    result[i] = 1.0f / std::pow(static_cast<float>(config.theta), exponent);
  }
  return result;
}

std::vector<float> scaled_frequencies(const RopeConfig& config, const std::vector<double>& factors, const char* key) {
  if (static_cast<int64_t>(factors.size()) != config.rotary_dim / 2) {
    fail(StatusCode::invalid_argument, "rope '{}' has {} entries, expected rotary_dim / 2 = {}", key, factors.size(),
         config.rotary_dim / 2);
  }
  std::vector<float> result(factors.size());
  for (size_t i = 0; i < result.size(); ++i) {
    float exponent = static_cast<float>(2 * i) / static_cast<float>(config.rotary_dim);
    result[i] = 1.0f / (static_cast<float>(factors[i]) * std::pow(static_cast<float>(config.theta), exponent));
  }
  return result;
}

// Wavelengths shorter than original/high keep their frequency, longer than original/low are divided by the factor, the
// band between is blended.
std::vector<float> llama3_frequencies(const RopeConfig& config) {
  std::vector<float> result = standard_frequencies(config);
  const double original = static_cast<double>(config.original_max_positions);
  const double low_wavelength = original / config.low_frequency_factor;
  const double high_wavelength = original / config.high_frequency_factor;
  for (float& frequency : result) {
    const double wavelength = 2 * pi / frequency;
    if (wavelength < high_wavelength) continue;
    const double divided = frequency / config.factor;
    if (wavelength > low_wavelength) {
      frequency = static_cast<float>(divided);
      continue;
    }
    const double smooth = (original / wavelength - config.low_frequency_factor) /
                          (config.high_frequency_factor - config.low_frequency_factor);
    frequency = static_cast<float>((1 - smooth) * divided + smooth * frequency);
  }
  return result;
}

// The dimension whose wavelength makes `rotations` turns within the original context.
double correction_dimension(const RopeConfig& config, double rotations) {
  return static_cast<double>(config.rotary_dim) *
         std::log(static_cast<double>(config.original_max_positions) / (rotations * 2 * pi)) /
         (2 * std::log(config.theta));
}

std::vector<float> yarn_frequencies(const RopeConfig& config) {
  double low = correction_dimension(config, config.beta_fast);
  double high = correction_dimension(config, config.beta_slow);
  if (config.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(config.rotary_dim - 1));
  if (low == high) high += 0.001;
  std::vector<float> result = standard_frequencies(config);
  for (size_t i = 0; i < result.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    const double extrapolated = result[i];
    const double interpolated = extrapolated / config.factor;
    result[i] = static_cast<float>(interpolated * ramp + extrapolated * (1 - ramp));
  }
  return result;
}

double magnitude_scale(double factor, double mscale) {
  return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

double yarn_attention_factor(const RopeConfig& config) {
  if (config.attention_factor) return *config.attention_factor;
  if (config.mscale != 0 && config.mscale_all_dim != 0) {
    return magnitude_scale(config.factor, config.mscale) / magnitude_scale(config.factor, config.mscale_all_dim);
  }
  return magnitude_scale(config.factor, 1.0);
}

double longrope_attention_factor(const RopeConfig& config) {
  if (config.attention_factor) return *config.attention_factor;
  if (config.factor <= 1) return 1.0;
  return std::sqrt(1 + std::log(config.factor) / std::log(static_cast<double>(config.original_max_positions)));
}

}  // namespace

RopeTables make_rope_tables(const RopeConfig& config) {
  if (config.rotary_dim <= 0 || config.rotary_dim % 2 != 0) {
    fail(StatusCode::invalid_argument, "rope: rotary dimension {} is not a positive even number", config.rotary_dim);
  }
  RopeTables tables;
  switch (config.kind) {
    case RopeKind::standard:
      tables.inverse_frequency = standard_frequencies(config);
      break;
    case RopeKind::linear:
      tables.inverse_frequency = standard_frequencies(config);
      for (float& frequency : tables.inverse_frequency) frequency /= static_cast<float>(config.factor);
      break;
    case RopeKind::dynamic:
      if (config.rotary_dim <= 2) fail(StatusCode::invalid_argument, "rope 'dynamic' needs a rotary dimension above 2");
      tables.inverse_frequency = standard_frequencies(config);
      tables.long_threshold = config.max_positions;
      tables.dynamic_base = static_cast<float>(config.theta);
      tables.dynamic_factor = static_cast<float>(config.factor);
      break;
    case RopeKind::yarn:
      tables.inverse_frequency = yarn_frequencies(config);
      tables.attention_factor = static_cast<float>(yarn_attention_factor(config));
      break;
    case RopeKind::longrope:
      tables.inverse_frequency = scaled_frequencies(config, config.short_factor, "short_factor");
      tables.long_inverse_frequency = scaled_frequencies(config, config.long_factor, "long_factor");
      tables.long_threshold = config.original_max_positions;
      tables.attention_factor = static_cast<float>(longrope_attention_factor(config));
      tables.long_attention_factor = tables.attention_factor;
      break;
    case RopeKind::llama3:
      tables.inverse_frequency = llama3_frequencies(config);
      break;
  }
  return tables;
}

}  // namespace graft

// Choosing a token on the host, beside the limit: one look at each logit, which is what greedy takes.
//
//   sampler_bench [--vocabulary 128256] [--rounds 31]
//
// All settings take turns with greedy in each round. A JSON object a line: medians in milliseconds, and how many times
// greedy's they are; the ratio is what counts, the times hold for the machine of the run. Logits are normal with a
// deviation of 3, which is flat: with top_p 0.9 thousands are kept.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>
#include <vector>

#include "core/generation/choice/sampling.h"

namespace {

struct Setting {
  const char* name;
  graft::SamplingOptions options;
  std::vector<double> milliseconds = {};
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

int main(int count, char** words) {
  int64_t vocabulary = 128256, rounds = 31;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view word = words[i];
    (word == "--vocabulary" ? vocabulary : rounds) = std::max<int64_t>(1, std::atoll(words[i + 1]));
  }
  std::mt19937 engine(1);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(static_cast<size_t>(vocabulary));
  for (float& logit : logits) logit = normal(engine);
  Setting settings[] = {{"greedy", {.greedy = true}},
                        {"temperature 0.8", {.temperature = 0.8, .seed = 1}},
                        {"top_k 40", {.temperature = 0.8, .top_k = 40, .seed = 1}},
                        {"top_p 0.9", {.temperature = 0.8, .top_p = 0.9, .seed = 1}},
                        {"top_k 50, top_p 0.95", {.temperature = 0.8, .top_k = 50, .top_p = 0.95, .seed = 1}},
                        {"min_p 0.05", {.temperature = 0.8, .min_p = 0.05, .seed = 1}}};
  std::vector<graft::Sampler> samplers;
  for (const Setting& setting : settings) samplers.emplace_back(setting.options);
  int64_t kept = 0;
  for (int64_t round = -1; round < rounds; ++round) {  // the first one allocates
    for (size_t i = 0; i < samplers.size(); ++i) {
      const auto begin = std::chrono::steady_clock::now();
      kept += samplers[i].choose(logits.data(), vocabulary);
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
      if (round >= 0) settings[i].milliseconds.push_back(took.count());
    }
  }
  const double limit = median(settings[0].milliseconds);
  for (const Setting& setting : settings) {
    const double ms = median(setting.milliseconds);
    std::printf("{\"setting\": \"%s\", \"vocabulary\": %lld, \"ms\": %.3f, \"times_greedy\": %.2f}\n", setting.name,
                static_cast<long long>(vocabulary), ms, ms / limit);
  }
  return kept < 0 ? 1 : 0;  // the choices are used
}

#include "kernels/spec/choose_token.h"

#include <algorithm>

#include "kernels/spec/choice_weight.h"
#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

struct Row {
  const float* logits;
  int32_t vocabulary;
  const TokenChoice& choice;
  int32_t largest;  // where it is; -1: nowhere
  float scale;

  int64_t weight(int32_t i) const {
    if (!(logits[i] > -INFINITY)) return 0;
    return choice_weight(choice_distance(logits[i], logits[largest], scale));
  }
  // Whether i comes before j when the most likely comes first.
  bool before(int32_t i, int32_t j) const { return logits[i] > logits[j] || (logits[i] == logits[j] && i < j); }
};

int32_t find_largest(const float* logits, int32_t vocabulary) {
  int32_t best = -1;
  for (int32_t i = 0; i < vocabulary; ++i) {
    if (logits[i] > (best < 0 ? -INFINITY : logits[best])) best = i;
  }
  return best;
}

// Whose weights may be drawn: `kept` [vocabulary] gets them, the most likely first. Returns how many there are.
int32_t keep(const Row& row, int32_t* kept) {
  const TokenChoice& choice = row.choice;
  int32_t count = 0;
  for (int32_t i = 0; i < row.vocabulary; ++i) {
    if (row.logits[i] > -INFINITY) kept[count++] = i;
  }
  std::sort(kept, kept + count, [&](int32_t i, int32_t j) { return row.before(i, j); });
  if (choice.top_k > 0) count = std::min(count, choice.top_k);
  if (choice.top_p < 1) {
    int64_t total = 0, reached = 0;
    for (int32_t n = 0; n < count; ++n) total += row.weight(kept[n]);
    int32_t few = 0;
    while (few < count && !choice_reaches(reached, choice.top_p, total)) reached += row.weight(kept[few++]);
    count = few;
  }
  int32_t likely = 1;
  for (int32_t n = 1; n < count; ++n) {
    if (choice_likely(row.weight(kept[n]), choice.min_p)) kept[likely++] = kept[n];
  }
  return likely;
}

int32_t draw(const Row& row, int32_t* kept) {
  const int32_t count = keep(row, kept);
  std::sort(kept, kept + count);
  int64_t total = 0, reached = 0;
  for (int32_t n = 0; n < count; ++n) total += row.weight(kept[n]);
  const int64_t target = choice_target(row.choice.state, total);
  for (int32_t n = 0; n < count; ++n) {
    reached += row.weight(kept[n]);
    if (reached > target) return kept[n];
  }
  return row.largest;
}

int64_t scratch_bytes(const void* args, int32_t) {
  return static_cast<const ChooseTokenArgs*>(args)->vocabulary * static_cast<int64_t>(sizeof(int32_t));
}

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const ChooseTokenArgs*>(args);
  const auto vocabulary = static_cast<int32_t>(a.vocabulary);
  for (int32_t r = 0; r < *a.rows; ++r) {
    const TokenChoice& choice = a.choices[r];
    Row row = {a.logits + r * a.vocabulary, vocabulary, choice, -1, 0};
    if (choice.wanted != 0) row.largest = find_largest(row.logits, vocabulary);
    a.tokens[r] = row.largest;
    if (row.largest < 0 || !choice_draws(choice)) continue;
    row.scale = choice_scale(choice.temperature);
    a.tokens[r] = draw(row, static_cast<int32_t*>(a.scratch));
  }
}

}  // namespace

extern const Variant kernel_reference_choose_token;
const Variant kernel_reference_choose_token = {Op::choose_token, Isa::reference, "choose_token.reference",
                                               nullptr,          scratch_bytes,  run};

}  // namespace graft::kernels

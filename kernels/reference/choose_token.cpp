#include "kernels/spec/choose_token.h"

#include <math.h>

#include "kernels/spec/variant.h"

namespace graft::kernels {
namespace {

constexpr double one = 0x1.0p40;  // the weight of the largest logit

struct Row {
  const float* logits;
  int64_t vocabulary;
  const TokenChoice& choice;
  int64_t largest;  // where it is; -1: nowhere

  int64_t weight(int64_t i) const {
    const float logit = logits[i], top = logits[largest];
    if (!(logit > -INFINITY)) return 0;
    if (logit == top) return static_cast<int64_t>(one);
    return llrint(static_cast<double>(expf((logit - top) / choice.temperature)) * one);
  }

  // Whether i comes before j when the most likely comes first.
  bool before(int64_t i, int64_t j) const { return logits[i] > logits[j] || (logits[i] == logits[j] && i < j); }
};

int64_t find_largest(const float* logits, int64_t vocabulary) {
  int64_t best = -1;
  for (int64_t i = 0; i < vocabulary; ++i) {
    if (logits[i] > (best < 0 ? -INFINITY : logits[best])) best = i;
  }
  return best;
}

// The next in the order of likelihood after `previous` (-1: the first of all); -1 where there is none.
int64_t next_likely(const Row& row, int64_t previous) {
  int64_t best = -1;
  for (int64_t i = 0; i < row.vocabulary; ++i) {
    if (!(row.logits[i] > -INFINITY) || (previous >= 0 && !row.before(previous, i))) continue;
    if (best < 0 || row.before(i, best)) best = i;
  }
  return best;
}

// The last that top_k and top_p keep, in the order of likelihood; -1: all are kept.
int64_t last_kept(const Row& row) {
  const TokenChoice& choice = row.choice;
  int64_t last = -1, total = 0;
  if (choice.top_k > 0) {
    int64_t i = next_likely(row, -1);
    for (int32_t k = 0; k < choice.top_k && i >= 0; ++k, i = next_likely(row, i)) {
      last = i;
      total += row.weight(i);
    }
  } else {
    for (int64_t i = 0; i < row.vocabulary; ++i) total += row.weight(i);
  }
  if (!(choice.top_p < 1)) return last;
  const double wanted = static_cast<double>(choice.top_p) * static_cast<double>(total);
  int64_t reached = 0;
  for (int64_t i = next_likely(row, -1); i >= 0; i = next_likely(row, i)) {
    reached += row.weight(i);
    if (static_cast<double>(reached) >= wanted || i == last) return i;
  }
  return last;
}

double uniform(uint64_t state) {
  uint64_t z = state + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1.0p-53;
}

int64_t draw(const Row& row) {
  const int64_t last = last_kept(row);
  const auto kept = [&](int64_t i) -> int64_t {
    if (last >= 0 && i != last && row.before(last, i)) return 0;
    const int64_t weight = row.weight(i);
    const bool likely = static_cast<double>(weight) >= static_cast<double>(row.choice.min_p) * one;
    return likely || i == row.largest ? weight : 0;
  };
  int64_t total = 0, reached = 0;
  for (int64_t i = 0; i < row.vocabulary; ++i) total += kept(i);
  const auto target = static_cast<int64_t>(uniform(row.choice.state) * static_cast<double>(total));
  for (int64_t i = 0; i < row.vocabulary; ++i) {
    reached += kept(i);
    if (reached > target) return i;
  }
  return row.largest;
}

void run(const void* args, const Context&) {
  const auto& a = *static_cast<const ChooseTokenArgs*>(args);
  for (int64_t r = 0; r < *a.rows; ++r) {
    Row row = {a.logits + r * a.vocabulary, a.vocabulary, a.choices[r], -1};
    if (row.choice.wanted != 0) row.largest = find_largest(row.logits, a.vocabulary);
    const bool draws = row.largest >= 0 && row.choice.temperature != 0;
    a.tokens[r] = static_cast<int32_t>(draws ? draw(row) : row.largest);
  }
}

}  // namespace

extern const Variant kernel_reference_choose_token;
const Variant kernel_reference_choose_token = {Op::choose_token, Isa::reference, "choose_token.reference",
                                               nullptr,          nullptr,        run};

}  // namespace graft::kernels

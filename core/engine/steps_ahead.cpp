#include "core/engine/steps_ahead.h"

#include <algorithm>

namespace graft {
namespace {
// A wait for what was done before takes no longer.
constexpr std::chrono::microseconds at_once{20};
}  // namespace

StepsAhead::StepsAhead(const StepBuffer& step, const CachePool& pool, Device& device, RunAhead pace)
    : step_(step), device_(device), expected_(step, pool), pace_(pace) {
  constexpr int64_t places = RunAhead::most_steps;
  const int64_t rows = step.limits().logit_rows;
  tokens_ = SpaceMemory(device, places * rows * static_cast<int64_t>(sizeof(int32_t)), "tokens of steps",
                        SpaceMemory::Kind::staging);
  auto* tokens = static_cast<int32_t*>(tokens_.data());
  for (int64_t i = 0; i < places; ++i) places_.push_back({tokens + i * rows, device.make_mark()});
  own_tokens_.reserve(static_cast<size_t>(step.limits().sequences));
}

int64_t StepsAhead::due() {
  if (is_done() || !has_every_row()) return 0;
  return std::clamp<int64_t>(pace_.steps() - (newest_ - current_), 0, to_go_);
}

void StepsAhead::begin(const int32_t* tokens, bool replays) {
  expected_.forget();
  replays_ = replays;
  to_go_ = replays ? step_.steps_to_go() + 1 : 1;
  since_.reset();
  if (to_go_ > 1) {
    if (newest_ == done_) since_ = Clock::now();  // else it begins after what was started in vain
    expected_.follow(step_);
  }
  add(tokens);
  current_ = newest_;
  taken_ = false;
}

void StepsAhead::add(const int32_t* tokens) {
  Place& to = place(newest_ + 1);
  device_.copy(to.tokens, tokens, step_.logit_row_count() * static_cast<int64_t>(sizeof(int32_t)));
  to.end->set();
  ++newest_;
  --to_go_;
}

// Where sequences have ended the device is not given more steps that have them.
void StepsAhead::take() {
  if (!has_every_row()) to_go_ = 0;
  expected_.forget();  // until this one is finished
  ++current_;
  taken_ = true;
}

// Where the host was slower than the device it does not know when that was done.
void StepsAhead::wait() {
  const int64_t on_the_way = newest_ - current_ + 1;
  const int64_t last = std::max(current_, newest_ - std::max<int64_t>(1, on_the_way / 2));
  const Clock::time_point before = Clock::now();
  if (replays_) {
    place(last).end->wait();
  } else {
    device_.synchronize();  // tells what could not be launched
  }
  const Clock::time_point now = Clock::now();
  const bool in_time = now - before > at_once;
  if (since_ && in_time && last > done_) pace_.took(last - done_, now - *since_);
  since_.reset();
  if (in_time) since_ = now;
  done_ = last;
}

const int32_t* StepsAhead::finish() {
  if (current_ > done_) wait();
  const int32_t* tokens = place(current_).tokens;
  const int32_t* own = tokens;
  if (taken_) {
    own_tokens_.clear();
    for (const int32_t row : expected_.rows()) own_tokens_.push_back(tokens[row]);
    own = own_tokens_.data();
  }
  if (current_ < newest_) expected_.go_on(tokens);
  return own;
}

}  // namespace graft

#include "core/generation/choice/stop_text.h"

#include <algorithm>

namespace graft {
namespace {

/// Bytes at the end of `text` that could be the beginning of `stop`.
size_t overlap(std::string_view text, std::string_view stop) {
  for (size_t size = std::min(text.size(), stop.size() - 1); size > 0; --size) {
    if (text.substr(text.size() - size) == stop.substr(0, size)) return size;
  }
  return 0;
}

}  // namespace

std::string_view StopText::push(std::string_view text) {
  if (stops_.empty()) return text;
  out_.clear();
  if (found_) return out_;
  held_ += text;
  size_t first = std::string::npos;
  size_t hold = 0;
  for (const std::string& stop : stops_) {
    first = std::min(first, held_.find(stop));
    hold = std::max(hold, overlap(held_, stop));
  }
  found_ = first != std::string::npos;
  // Stop texts are whole characters, so every cut is between two.
  out_.assign(held_, 0, found_ ? first : held_.size() - hold);
  held_.erase(0, found_ ? held_.size() : out_.size());
  return out_;
}

std::string_view StopText::flush() {
  out_.swap(held_);
  held_.clear();
  return found_ ? std::string_view() : std::string_view(out_);
}

}  // namespace graft

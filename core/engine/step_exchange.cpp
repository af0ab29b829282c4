#include "core/engine/step_exchange.h"

#include <algorithm>
#include <cstring>

namespace graft {
namespace {

// One message carries a decode step whole; what is longer follows in a second one.
constexpr int64_t first_bytes = 8192;

}  // namespace

struct StepExchange::Header {
  Order order;
  int32_t copies;
  int64_t bytes;  ///< of the whole message
};

StepExchange::StepExchange(Communicator& ranks, StepBuffer& step, CachePool& cache)
    : ranks_(ranks), step_(step), cache_(cache) {
  if (ranks.rank() == 0) cache.note_copies();
  resize_for(0);
}

void StepExchange::resize_for(int64_t copies) {
  const int64_t bytes = static_cast<int64_t>(sizeof(Header)) +
                        copies * static_cast<int64_t>(sizeof(CachePool::BlockCopy)) + step_.most_packed_bytes();
  if (static_cast<int64_t>(message_.size()) < bytes) {
    message_.resize(static_cast<size_t>(std::max(bytes, first_bytes)));
  }
}

void StepExchange::give(Order order) {
  Header header{order, 0, sizeof(Header)};
  if (order == Order::step) {
    const std::vector<CachePool::BlockCopy>& copies = cache_.noted_copies();
    resize_for(static_cast<int64_t>(copies.size()));
    const size_t copy_bytes = copies.size() * sizeof(CachePool::BlockCopy);
    header.copies = static_cast<int32_t>(copies.size());
    header.bytes += static_cast<int64_t>(copy_bytes) + step_.packed_bytes();
    std::byte* at = message_.data() + sizeof(Header);
    if (!copies.empty()) std::memcpy(at, copies.data(), copy_bytes);
    step_.pack(at + copy_bytes);
    cache_.forget_copies();
  }
  std::memcpy(message_.data(), &header, sizeof header);
  ranks_.broadcast(message_.data(), first_bytes);
  if (header.bytes > first_bytes) ranks_.broadcast(message_.data() + first_bytes, header.bytes - first_bytes);
}

StepExchange::Order StepExchange::take() {
  ranks_.broadcast(message_.data(), first_bytes);
  Header header;
  std::memcpy(&header, message_.data(), sizeof header);
  if (header.order != Order::step) return header.order;
  resize_for(header.copies);
  if (header.bytes > first_bytes) ranks_.broadcast(message_.data() + first_bytes, header.bytes - first_bytes);
  const std::byte* at = message_.data() + sizeof header;
  for (int32_t i = 0; i < header.copies; ++i, at += sizeof(CachePool::BlockCopy)) {
    CachePool::BlockCopy copy;
    std::memcpy(&copy, at, sizeof copy);
    cache_.copy_block(copy);
  }
  step_.unpack(at);
  return Order::step;
}

void agree_on_least(Communicator& ranks, std::vector<int64_t>& values) {
  constexpr int64_t pieces = 4;  // a float holds 16 bits exactly
  const auto count = static_cast<int64_t>(values.size()) * pieces;
  std::vector<float> mine, all(static_cast<size_t>(count * ranks.size()));
  for (const int64_t value : values) {
    for (int64_t p = 0; p < pieces; ++p) mine.push_back(static_cast<float>((value >> (16 * p)) & 0xffff));
  }
  const std::vector<int64_t> counts(static_cast<size_t>(ranks.size()), count);
  ranks.all_gather(mine.data(), counts.data(), all.data());
  for (size_t i = 0; i < all.size(); i += pieces) {
    int64_t value = 0;
    for (int64_t p = 0; p < pieces; ++p) value |= static_cast<int64_t>(all[i + static_cast<size_t>(p)]) << (16 * p);
    int64_t& least = values[(i / pieces) % values.size()];
    least = std::min(least, value);
  }
}

}  // namespace graft

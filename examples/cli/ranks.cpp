#include "ranks.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "errors.h"

namespace cli {
namespace {

std::optional<int64_t> read_number(const char* name, int64_t least, int64_t most) {
  const char* text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  const std::string_view view(text);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc() || end != view.data() + view.size() || value < least || value > most) {
    throw UsageError(std::string(name) + " (environment): found '" + text + "', expected a number from " +
                     std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

template <typename T>
T require(const char* name, const std::optional<T>& value) {
  if (!value)
    throw UsageError(std::string(name) + " (environment): missing, but WORLD_SIZE says there are several ranks");
  return *value;
}

}  // namespace

LaunchedRanks launched_ranks() {
  constexpr int64_t most_ranks = 65536;
  LaunchedRanks ranks;
  ranks.world = read_number("WORLD_SIZE", 1, most_ranks).value_or(1);
  if (!ranks.several()) return ranks;
  ranks.rank = require("RANK", read_number("RANK", 0, ranks.world - 1));
  const char* address = std::getenv("MASTER_ADDR");
  ranks.address = require("MASTER_ADDR", address == nullptr ? std::nullopt : std::optional<std::string>(address));
  ranks.port = require("MASTER_PORT", read_number("MASTER_PORT", 1, 65535));
  return ranks;
}

void set_launched_rank(graft_engine_options* target, const std::optional<int64_t>& tensor_parallel) {
  const LaunchedRanks ranks = launched_ranks();
  if (!ranks.several()) return;
  if (tensor_parallel && *tensor_parallel != ranks.world) {
    throw UsageError("--tp: found " + std::to_string(*tensor_parallel) + ", but WORLD_SIZE (environment) is " +
                     std::to_string(ranks.world));
  }
  check(graft_engine_options_set_tensor_parallel(target, ranks.world));
  check(graft_engine_options_set_rank(target, ranks.rank, ranks.world, ranks.address.data(),
                                      static_cast<int64_t>(ranks.address.size()), ranks.port, 0));
}

}  // namespace cli

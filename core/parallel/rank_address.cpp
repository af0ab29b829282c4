#include <charconv>
#include <cstring>

#include "core/base/status.h"
#include "core/parallel/gloo.h"

namespace graft {
namespace {

using Variable = std::function<const char*(const char*)>;

std::string text_of(const Variable& variable, const char* name) {
  const char* text = variable(name);
  if (text == nullptr || *text == '\0') {
    fail(StatusCode::invalid_argument, "environment variable {}: found nothing, expected it beside RANK and WORLD_SIZE",
         name);
  }
  return text;
}

int64_t number_of(const Variable& variable, const char* name, int64_t least, int64_t most) {
  const auto text = text_of(variable, name);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    fail(StatusCode::invalid_argument, "environment variable {}: found '{}', expected a number from {} to {}", name,
         text.substr(0, 64), least, most);
  }
  return number;
}

}  // namespace

std::optional<RankAddress> rank_address_from_environment(const Variable& variable) {
  if (variable("RANK") == nullptr && variable("WORLD_SIZE") == nullptr) {
    return std::nullopt;
  }
  RankAddress where;
  where.world = number_of(variable, "WORLD_SIZE", 1, 4096);
  where.rank = number_of(variable, "RANK", 0, where.world - 1);
  where.address = text_of(variable, "MASTER_ADDR");
  where.port = number_of(variable, "MASTER_PORT", 1, 65535);
  for (const char* name : {"SLURM_LOCALID", "LOCAL_RANK"}) {
    if (variable(name) != nullptr) where.local_rank = number_of(variable, name, 0, where.world - 1);
  }
  const char* agent = variable("TORCHELASTIC_USE_AGENT_STORE");
  where.agent_store = agent != nullptr && std::strcmp(agent, "True") == 0;
  const char* restart = variable("TORCHELASTIC_RESTART_COUNT");
  where.prefix = restart == nullptr ? "graft" : std::string("graft/") + restart;
  return where;
}

}  // namespace graft

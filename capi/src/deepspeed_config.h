// The JSON of DeepSpeed-Inference as Graft's own keys. docs/deepspeed-config.md has the table for users.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "capi/src/json.h"
#include "capi/src/private.h"

namespace graft::capi {

/// What a DeepSpeed configuration asks for.
struct DeepSpeedConfig {
  Json native = Json::object();  ///< in the keys of graft_engine_options_set_json
  std::vector<graft_policy> policies;
  int64_t tensor_parallel_grain = 0;  ///< 0: not said
  int64_t least_context = 0;          ///< 0: not said
  std::vector<std::string> warnings;  ///< for the log, once everything is set
};

/// A value and the key as the caller wrote it.
struct GivenValue {  // NOLINT(bugprone-exception-escape): JSON is moved by a constructor that is noexcept itself
  std::string path;
  Json value;
};

/// Values by the path that a key has today, for example "tensor_parallel.tp_size".
using GivenValues = std::map<std::string, GivenValue>;

enum class Effect {
  section,   ///< holds further keys
  honoured,  ///< becomes an option of the engine
  ignored,   ///< checked, and without effect, as in DeepSpeed or because Graft has no such choice to make
  refused    ///< anything but the preset is UNSUPPORTED
};

struct DeepSpeedKey {
  const char* name;      ///< with its path
  const char* alias;     ///< of the last part of the path; "" without one
  const char* moved_to;  ///< today's path of a deprecated key, else ""
  Effect effect;
  const char* preset;  ///< DeepSpeed's default as JSON; says the type too (null: any)
  const char* reason;  ///< of a refusal
};

/// Every key of DeepSpeedInferenceConfig, in its order.
extern const std::vector<DeepSpeedKey> deepspeed_keys;

/// The row of a path whose last part is a name or an alias; null: no such key.
const DeepSpeedKey* find_deepspeed_key(const std::string& section, const std::string& name);

/// Checks every value against its row and turns the honoured ones into Graft's keys. Throws Failed with
/// INVALID_ARGUMENT or UNSUPPORTED naming the key as it was written.
void take_deepspeed_values(const GivenValues& given, DeepSpeedConfig& config);

/// Splits an object in which DeepSpeed's keys and Graft's own (`native_keys`) may stand together. Throws Failed with
/// INVALID_ARGUMENT (an unknown key; a key given twice, by name and alias or old and new; a wrong type or range) or
/// UNSUPPORTED (a key that asks for what Graft does not do).
DeepSpeedConfig read_deepspeed_config(const Json& object, const std::vector<std::string_view>& native_keys);

}  // namespace graft::capi

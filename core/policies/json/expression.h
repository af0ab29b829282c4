// The small expressions of an architecture's JSON: "hidden / heads", "two_norms ? 2 : 1", "!gated".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace graft::json_policy {

/// monostate: null, what config.json has no value for.
using Value = std::variant<std::monostate, bool, int64_t, double, std::string>;

/// Value of a name; none: there is no such name.
using Names = std::function<std::optional<Value>(std::string_view name)>;

/// For messages: 16, 0.5, true, "gelu".
std::string to_text(const Value& value);

/// Numbers, 'text', true, false, null, names, ( ), ! -, * / %, + -, comparisons, &&, ||, ?:, sqrt(x), pow(x, y),
/// min(x, y). `/` and `%` of whole numbers round down, as Python's // does. Both sides of ?: are worked out.
/// Throws std::invalid_argument saying what is wrong and where; never recurses deeper than 64 levels.
Value evaluate(std::string_view text, const Names& names);

}  // namespace graft::json_policy

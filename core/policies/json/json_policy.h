// An architecture that the user gives as JSON (docs/architecture-json.md): what a policy of this folder's parent states
// in C++, stated as data. It belongs to the engine it was given to.
#pragma once

#include <string>
#include <string_view>

#include "core/checkpoint/json.h"
#include "core/model/blueprint.h"

namespace graft {

/// Immutable once made; any thread.
class JsonPolicy {
 public:
  /// Throws INVALID_ARGUMENT naming the key for a text that is not an architecture, LIMIT_EXCEEDED for one too large.
  /// `source` names the text in messages.
  JsonPolicy(std::string_view text, const std::string& source);

  bool answers_to(std::string_view model_type) const;
  const std::vector<std::string>& model_types() const { return model_types_; }
  const std::string& name() const { return name_; }
  /// What Policy::describe does. INVALID_ARGUMENT about the architecture's text, the config's own code about the
  /// config.
  Blueprint describe(const JsonObject& config) const;

 private:
  JsonObject json_;
  std::string name_;
  std::vector<std::string> model_types_;
};

}  // namespace graft

// RoBERTa's base model is BERT's with other positions; its heads are its own.
#pragma once

#include "core/policies/support/bert_like.h"

namespace graft {

/// `prefix` of the class names; `head_first`: see BertLike.
Blueprint describe_roberta_like(const JsonObject& json, const char* prefix, bool head_first);

}  // namespace graft

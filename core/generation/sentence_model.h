// How a sentence-transformers directory makes embeddings of hidden rows.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/generation/request.h"

namespace graft {

/// From modules.json and the files it names; the defaults where there is no modules.json.
struct SentenceModel {
  Pooling pooling = Pooling::mean;
  bool normalize = false;
  int64_t max_tokens = 0;                      ///< longest input, its special tokens included; 0: the model's context
  std::map<std::string, std::string> prompts;  ///< by name
  std::string default_prompt;                  ///< put before a text that is to be embedded
};

/// Reads `directory` (an opened model's). `own_pooling` holds without a modules.json. Throws UNSUPPORTED naming a
/// module or pooling that Graft does not have, CORRUPT_DATA for broken files.
SentenceModel read_sentence_model(const std::string& directory, Pooling own_pooling = Pooling::mean);

/// The pooling's name as sentence-transformers writes it ("mean", "cls", "lasttoken", ...), or "token".
const char* name_of(Pooling pooling);

}  // namespace graft

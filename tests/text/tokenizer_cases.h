// What tests/text/make_tokenizers.py wrote, and what is shared by the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/status.h"
#include "core/text/tokenizer.h"

namespace graft::testing {

inline const std::vector<std::string>& tokenizer_names() {
  static const std::vector<std::string> names = {
      "byte_level", "byte_level_gpt2", "sentencepiece_bpe", "metaspace_bpe", "unigram",         "unigram_bytes",
      "wordpiece",  "bpe_suffix",      "no_decoder",        "ctc",           "strip_both_ends", "whole_text"};
  return names;
}

/// The folder that make_tokenizers.py filled; a test without it has failed.
inline std::string tokenizers_directory() {
  const char* directory = std::getenv("GRAFT_TEST_TOKENIZERS");
  if (directory == nullptr || *directory == '\0')
    throw std::runtime_error("GRAFT_TEST_TOKENIZERS is not set: run tests/text/make_tokenizers.py OUT_DIR and set it");
  return directory;
}

inline std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline nlohmann::json expected_of(const std::string& name) {
  return nlohmann::json::parse(read_all(tokenizers_directory() + "/" + name + "/expected.json"));
}

inline std::shared_ptr<const Tokenizer> open_tokenizer(const std::string& name) {
  return Tokenizer::open(tokenizers_directory() + "/" + name);
}

/// Whether `text` is valid UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
inline bool is_utf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int extra = lead < 0x80                   ? 0
                      : lead >= 0xC2 && lead < 0xE0 ? 1
                      : lead >= 0xE0 && lead < 0xF0 ? 2
                      : lead >= 0xF0 && lead < 0xF5 ? 3
                                                    : -1;
    if (extra < 0 || i + static_cast<size_t>(extra) >= text.size()) return false;
    uint32_t code = extra == 0 ? lead : lead & (0x3Fu >> extra);
    for (int k = 1; k <= extra; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + static_cast<size_t>(k)]);
      if ((byte & 0xC0) != 0x80) return false;
      code = code << 6 | (byte & 0x3Fu);
    }
    if ((extra == 2 && code < 0x800) || (extra == 3 && code < 0x10000) || code > 0x10FFFF) return false;
    if (code >= 0xD800 && code < 0xE000) return false;
    i += static_cast<size_t>(extra) + 1;
  }
  return true;
}

/// Decodes through a StreamDecoder; every returned part is checked to be whole characters.
inline std::string decode_as_stream(StreamDecoder& decoder, const std::vector<int64_t>& ids) {
  std::string text;
  for (const int64_t id : ids) {
    const std::string_view part = decoder.push(id);
    EXPECT_TRUE(is_utf8(part)) << "id " << id;
    text += part;
  }
  const std::string_view rest = decoder.flush();
  EXPECT_TRUE(is_utf8(rest));
  text += rest;
  return text;
}

inline void append_utf8(std::string& text, uint32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
}

/// Up to 60 characters: half of them ASCII with many spaces, the rest anything that Unicode has.
inline std::string random_text(std::mt19937& random) {
  std::string text;
  const uint32_t length = random() % 61;
  for (uint32_t i = 0; i < length; ++i) {
    uint32_t code = 0;
    switch (random() % 8) {
      case 0:
        code = ' ';
        break;
      case 1:
      case 2:
      case 3:
        code = random() % 128;
        break;
      case 4:
        code = 0x80 + random() % 0x780;
        break;
      case 5:
        code = 0x800 + random() % 0xD000;
        break;  // up to U+D7FF
      case 6:
        code = 0x2580 + random() % 4;
        break;  // the Metaspace character and its neighbours
      default:
        code = 0x10000 + random() % 0x100000;
        break;
    }
    append_utf8(text, code);
  }
  return text;
}

/// The status that `body` throws; ok where it throws nothing. The message goes to `message` if given.
template <class Body>
StatusCode status_of(Body&& body, std::string* message = nullptr) {
  try {
    body();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.what();
    return error.code();
  }
  return StatusCode::ok;
}

}  // namespace graft::testing

// The opaque objects of table.h and the one place where exceptions become statuses.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/status.h"
#include "core/engine/failure.h"
#include "core/facade/table.h"
#include "core/generation/engine.h"

namespace graft::facade {

/// Requests hold the engine too, so any order of release is legal.
struct Engine {
  std::shared_ptr<graft::Engine> engine;
};

struct Tokenizer {
  std::shared_ptr<const graft::Tokenizer> tokenizer;
  std::shared_ptr<const ChatTemplate> chat_template;
};

struct Decoder {
  StreamDecoder decoder;
};

struct Request {
  std::shared_ptr<RequestState> state;
  std::shared_ptr<graft::Engine> engine;
  EventRecord record;  ///< exchanged with the stream's slots, so that no event allocates
};

struct Profile {
  graft::Profile profile;
};

struct Queue {
  std::shared_ptr<EventStream> stream;
};

inline std::string_view view(Text text) { return {text.data, static_cast<size_t>(text.size)}; }
inline std::string string(Text text) { return std::string(view(text)); }

/// Writes a message, cut to the buffer at a character's start.
void write_error(ErrorText* error, std::string_view message) noexcept;

/// Puts bytes into a buffer of the caller; throws OUT_OF_MEMORY when it cannot grow.
void assign(Buffer& buffer, std::string_view bytes);

/// Runs a function body; its exception becomes a status and a text.
template <class Body>
int32_t guarded(ErrorText* error, Body&& body) noexcept {
  try {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      return static_cast<int32_t>(StatusCode::ok);
    } else {
      return static_cast<int32_t>(body());
    }
  } catch (...) {
    StatusCode code;
    std::string message;
    describe_failure(code, message);
    write_error(error, message);
    return static_cast<int32_t>(code);
  }
}

/// Each file of this folder fills its part of the table.
void fill_engine(Table& table);
void fill_tokenizer(Table& table);
void fill_request(Table& table);
void fill_library(Table& table);

}  // namespace graft::facade

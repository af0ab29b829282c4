#include <algorithm>

#include "core/facade/objects.h"

namespace graft::facade {
namespace {

int32_t open(Text path, Tokenizer** out, ErrorText* error) {
  return guarded(error, [&] {
    *out = new Tokenizer{graft::Tokenizer::open(string(path)), ChatTemplate::open(string(path))};
  });
}

int32_t encode(Tokenizer* self, Text text, int32_t add_special, int64_t* out, int64_t capacity, int64_t* out_count,
               ErrorText* error) {
  return guarded(error, [&] {
    const std::vector<int64_t> ids = self->tokenizer->encode(view(text), add_special != 0);
    *out_count = static_cast<int64_t>(ids.size());
    std::copy_n(ids.begin(), std::min<int64_t>(capacity, *out_count), out);
    if (*out_count > capacity) {
      fail(StatusCode::buffer_too_small, "{} token ids do not fit into a buffer of {}", *out_count, capacity);
    }
  });
}

int32_t decode(Tokenizer* self, const int64_t* tokens, int64_t count, int32_t skip_special, Buffer* out,
               ErrorText* error) {
  return guarded(error, [&] { assign(*out, self->tokenizer->decode(tokens, count, skip_special != 0)); });
}

int32_t piece(Tokenizer* self, int64_t token, Buffer* out, ErrorText* error) {
  return guarded(error, [&] { assign(*out, self->tokenizer->piece(token)); });
}

int32_t id_of(Tokenizer* self, Text text, int64_t* out, ErrorText* error) {
  return guarded(error, [&] { *out = self->tokenizer->id_of(view(text)); });
}

int64_t vocab_size(Tokenizer* self) { return self->tokenizer->vocab_size(); }

int32_t apply_chat_template(Tokenizer* self, Text messages, Text options, Buffer* out, ErrorText* error) {
  return guarded(error, [&] { assign(*out, self->chat_template->render(view(messages), view(options))); });
}

void free_tokenizer(Tokenizer* self) { delete self; }

int32_t decoder_new(Tokenizer* self, int32_t skip_special, Decoder** out, ErrorText* error) {
  return guarded(error, [&] { *out = new Decoder{StreamDecoder(self->tokenizer, skip_special != 0)}; });
}

int32_t decoder_push(Decoder* self, int64_t token, Buffer* out, ErrorText* error) {
  return guarded(error, [&] { assign(*out, token == -1 ? self->decoder.flush() : self->decoder.push(token)); });
}

void decoder_free(Decoder* self) { delete self; }

}  // namespace

void fill_tokenizer(Table& table) {
  table.tokenizer_open = open;
  table.tokenizer_encode = encode;
  table.tokenizer_decode = decode;
  table.tokenizer_piece = piece;
  table.tokenizer_id_of = id_of;
  table.tokenizer_vocab_size = vocab_size;
  table.tokenizer_apply_chat_template = apply_chat_template;
  table.tokenizer_free = free_tokenizer;
  table.decoder_new = decoder_new;
  table.decoder_push = decoder_push;
  table.decoder_free = decoder_free;
}

}  // namespace graft::facade

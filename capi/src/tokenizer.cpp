// Thunks of graft/tokenizer.h.
#include "graft/tokenizer.h"

#include "capi/src/arguments.h"
#include "capi/src/loader.h"
#include "capi/src/private.h"
#include "capi/src/results.h"

using namespace graft::capi;
namespace facade = graft::facade;

graft_status graft_tokenizer_open(const char* path, int64_t path_size, graft_tokenizer** out_tokenizer) {
  return call([&] {
    graft_tokenizer*& out = output_handle("out_tokenizer", out_tokenizer);
    const std::string_view place = word("path", path, path_size);
    const facade::Table& core = load_core({});
    facade::Tokenizer* tokenizer = nullptr;
    const graft_status status =
        core_call([&](facade::ErrorText* error) { return core.tokenizer_open(core_text(place), &tokenizer, error); });
    out = handle_of(tokenizer);
    return status;
  });
}

void graft_tokenizer_free(graft_tokenizer* tokenizer) {
  if (tokenizer != nullptr) core_table().tokenizer_free(core_of(tokenizer));
}

graft_status graft_tokenizer_encode(graft_tokenizer* tokenizer, const char* data, int64_t size, int32_t add_special,
                                    int64_t* out_tokens, int64_t capacity, int64_t* out_count) {
  return call([&] {
    required("tokenizer", tokenizer);
    const std::string_view value = text("text", data, size);
    flag("add_special", add_special);
    array("out_tokens", out_tokens, capacity);
    output("out_count", out_count);
    return core_call([&](facade::ErrorText* error) {
      return core_table().tokenizer_encode(core_of(tokenizer), core_text(value), add_special, out_tokens, capacity,
                                           out_count, error);
    });
  });
}

graft_status graft_tokenizer_decode(graft_tokenizer* tokenizer, const int64_t* tokens, int64_t token_count,
                                    int32_t skip_special, graft_string** out_text) {
  return call([&] {
    graft_string*& out = output_handle("out_text", out_text);
    required("tokenizer", tokenizer);
    array("tokens", tokens, token_count);
    flag("skip_special", skip_special);
    return core_string(out, [&](facade::Buffer* decoded, facade::ErrorText* error) {
      return core_table().tokenizer_decode(core_of(tokenizer), tokens, token_count, skip_special, decoded, error);
    });
  });
}

graft_status graft_tokenizer_piece(graft_tokenizer* tokenizer, int64_t token, graft_string** out_piece) {
  return call([&] {
    graft_string*& out = output_handle("out_piece", out_piece);
    required("tokenizer", tokenizer);
    return core_string(out, [&](facade::Buffer* piece, facade::ErrorText* error) {
      return core_table().tokenizer_piece(core_of(tokenizer), token, piece, error);
    });
  });
}

graft_status graft_tokenizer_id_of(graft_tokenizer* tokenizer, const char* piece, int64_t piece_size,
                                   int64_t* out_token) {
  return call([&] {
    required("tokenizer", tokenizer);
    const std::string_view value = text("piece", piece, piece_size);
    output("out_token", out_token);
    return core_call([&](facade::ErrorText* error) {
      return core_table().tokenizer_id_of(core_of(tokenizer), core_text(value), out_token, error);
    });
  });
}

int64_t graft_tokenizer_vocab_size(const graft_tokenizer* tokenizer) {
  if (tokenizer == nullptr) return 0;
  return core_table().tokenizer_vocab_size(core_of(const_cast<graft_tokenizer*>(tokenizer)));
}

graft_status graft_tokenizer_apply_chat_template(graft_tokenizer* tokenizer, const char* messages,
                                                 int64_t messages_size, const char* options, int64_t options_size,
                                                 graft_string** out_text) {
  return call([&] {
    graft_string*& out = output_handle("out_text", out_text);
    required("tokenizer", tokenizer);
    const std::string_view conversation = text("messages", messages, messages_size);
    const std::string_view variables = text("options", options, options_size);
    return core_string(out, [&](facade::Buffer* rendered, facade::ErrorText* error) {
      return core_table().tokenizer_apply_chat_template(core_of(tokenizer), core_text(conversation),
                                                        core_text(variables), rendered, error);
    });
  });
}

graft_status graft_decoder_new(graft_tokenizer* tokenizer, int32_t skip_special, graft_decoder** out_decoder) {
  return call([&] {
    graft_decoder*& out = output_handle("out_decoder", out_decoder);
    required("tokenizer", tokenizer);
    flag("skip_special", skip_special);
    facade::Decoder* decoder = nullptr;
    const graft_status status = core_call([&](facade::ErrorText* error) {
      return core_table().decoder_new(core_of(tokenizer), skip_special, &decoder, error);
    });
    out = handle_of(decoder);
    return status;
  });
}

graft_status graft_decoder_push(graft_decoder* decoder, int64_t token, graft_string** out_text) {
  return call([&] {
    graft_string*& out = output_handle("out_text", out_text);
    required("decoder", decoder);
    integer("token", token, -1);
    return core_string(out, [&](facade::Buffer* complete, facade::ErrorText* error) {
      return core_table().decoder_push(core_of(decoder), token, complete, error);
    });
  });
}

void graft_decoder_free(graft_decoder* decoder) {
  if (decoder != nullptr) core_table().decoder_free(core_of(decoder));
}

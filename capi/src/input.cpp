// Thunks of graft/input.h.
#include "graft/input.h"

#include "capi/src/arguments.h"
#include "capi/src/json.h"
#include "capi/src/private.h"

using namespace graft::capi;

graft_status graft_input_new(graft_input** out_input) {
  return call([&] {
    graft_input*& out = output_handle("out_input", out_input);
    out = new graft_input();
    return GRAFT_STATUS_OK;
  });
}

void graft_input_free(graft_input* input) { delete input; }

graft_status graft_input_set_text(graft_input* input, const char* data, int64_t size) {
  return call([&] {
    graft_input& self = required("input", input);
    self.text = text("text", data, size);
    self.has_text = true;
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_input_set_tokens(graft_input* input, const int64_t* tokens, int64_t token_count) {
  return call([&] {
    graft_input& self = required("input", input);
    self.tokens = ids("tokens", tokens, token_count);
    self.has_tokens = true;
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_input_set_chat(graft_input* input, const char* messages, int64_t messages_size) {
  return call([&] {
    graft_input& self = required("input", input);
    const std::string_view document = text("messages", messages, messages_size);
    const Json parsed = parse_json("messages", document);
    if (!parsed.is_array()) fail_type("messages", parsed, "an array of messages");
    self.chat = document;
    self.has_chat = true;
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_input_set_decoder_tokens(graft_input* input, const int64_t* tokens, int64_t token_count) {
  return call([&] {
    required("input", input).decoder_tokens = ids("decoder_tokens", tokens, token_count);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_input_set_token_types(graft_input* input, const int64_t* types, int64_t type_count) {
  return call([&] {
    required("input", input).token_types = ids("token_types", types, type_count);
    return GRAFT_STATUS_OK;
  });
}

graft_status graft_input_set_tensor(graft_input* input, const char* name, int64_t name_size,
                                    const graft_tensor* tensor) {
  return call([&] {
    graft_input& self = required("input", input);
    std::string key(word("name", name, name_size));
    if (tensor == nullptr) {
      self.tensors.erase(key);
    } else {
      self.tensors.insert_or_assign(std::move(key), *tensor);
    }
    return GRAFT_STATUS_OK;
  });
}

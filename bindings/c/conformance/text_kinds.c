/* Versions, opening, tokenizers and templates. */
#include <stdlib.h>
#include <string.h>

#include "driver.h"

static void abi(const Case* c, Text* out) {
  (void)c;
  add_format(out, "%d", (int)graft_abi_version());
}

static void version(const Case* c, Text* out) {
  (void)c;
  add(out, graft_version());
}

/* Takes over the string of a call that returned `status`. */
static void write_string(graft_status status, graft_string** string, Text* out) {
  if (!failed(status, out)) add_bytes(out, graft_string_data(*string), graft_string_size(*string));
  graft_string_free(*string);
}

static void write_contains(const Case* c, graft_status status, graft_string** json, Text* out) {
  if (!failed(status, out))
    add(out, strstr(graft_string_data(*json), text_value(c, "contains")) != NULL ? "yes" : "no");
  graft_string_free(*json);
}

static void doctor(const Case* c, Text* out) {
  graft_string* json = NULL;
  write_contains(c, graft_doctor(&json), &json, out);
}

static void open(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  if (!failed(open_engine(value(c, "path"), value(c, "engine"), &engine), out)) add(out, "ok");
  graft_engine_free(engine);
}

static void inspect(const Case* c, Text* out) {
  const Text* path = value(c, "path");
  graft_string* json = NULL;
  write_contains(c, graft_engine_inspect(path->bytes, path->size, NULL, &json), &json, out);
}

static void info(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  graft_string* json = NULL;
  if (failed(case_engine(c, &engine), out)) return;
  write_contains(c, graft_engine_info(engine, &json), &json, out);
  release_engine(c, engine);
}

static void stats(const Case* c, Text* out) {
  graft_engine* engine = NULL;
  graft_string* json = NULL;
  if (failed(case_engine(c, &engine), out)) return;
  write_contains(c, graft_engine_stats(engine, &json), &json, out);
  release_engine(c, engine);
}

static void tokenizer(const Case* c, Text* out) {
  const Text* path = value(c, "path");
  graft_tokenizer* opened = NULL;
  if (!failed(graft_tokenizer_open(path->bytes, path->size, &opened), out)) {
    add_format(out, "vocab=%lld", (long long)graft_tokenizer_vocab_size(opened));
  }
  graft_tokenizer_free(opened);
}

enum { most_ids = 256 };

static void encode(const Case* c, Text* out) {
  graft_tokenizer* tokenizer = NULL;
  const Text* text = value(c, "text");
  int64_t ids[most_ids], count = 0;
  if (failed(shared_tokenizer(c->session, &tokenizer), out)) return;
  const int32_t special = (int32_t)number_value(c, "special", 1);
  if (failed(graft_tokenizer_encode(tokenizer, text->bytes, text->size, special, ids, most_ids, &count), out)) return;
  for (int64_t i = 0; i < count; ++i) add_format(out, "%s%lld", i > 0 ? " " : "", (long long)ids[i]);
}

static void decode(const Case* c, Text* out) {
  graft_tokenizer* tokenizer = NULL;
  graft_string* text = NULL;
  int64_t ids[most_ids];
  if (failed(shared_tokenizer(c->session, &tokenizer), out)) return;
  const int64_t count = numbers_value(c, "tokens", ids, most_ids);
  write_string(graft_tokenizer_decode(tokenizer, ids, count, (int32_t)number_value(c, "skip", 1), &text), &text, out);
}

static void roundtrip(const Case* c, Text* out) {
  graft_tokenizer* tokenizer = NULL;
  graft_string* decoded = NULL;
  const Text* text = value(c, "text");
  int64_t ids[most_ids], count = 0;
  if (failed(shared_tokenizer(c->session, &tokenizer), out)) return;
  if (failed(graft_tokenizer_encode(tokenizer, text->bytes, text->size, 0, ids, most_ids, &count), out)) return;
  if (failed(graft_tokenizer_decode(tokenizer, ids, count, 0, &decoded), out)) return;
  if (graft_string_size(decoded) == text->size && memcmp(graft_string_data(decoded), text->bytes, text->size) == 0) {
    add(out, "same");
  } else {
    add_bytes(out, graft_string_data(decoded), graft_string_size(decoded));
  }
  graft_string_free(decoded);
}

static void piece(const Case* c, Text* out) {
  graft_tokenizer* tokenizer = NULL;
  graft_string* text = NULL;
  if (failed(shared_tokenizer(c->session, &tokenizer), out)) return;
  write_string(graft_tokenizer_piece(tokenizer, number_value(c, "token", 0), &text), &text, out);
}

static void id_of(const Case* c, Text* out) {
  graft_tokenizer* tokenizer = NULL;
  const Text* text = value(c, "piece");
  int64_t id = -1;
  if (failed(shared_tokenizer(c->session, &tokenizer), out)) return;
  if (!failed(graft_tokenizer_id_of(tokenizer, text->bytes, text->size, &id), out)) {
    add_format(out, "%lld", (long long)id);
  }
}

static void decoder(const Case* c, Text* out) {
  graft_tokenizer* tokenizer = NULL;
  graft_decoder* made = NULL;
  int64_t ids[most_ids];
  if (failed(shared_tokenizer(c->session, &tokenizer), out)) return;
  int64_t count = numbers_value(c, "tokens", ids, most_ids - 1);
  ids[count++] = -1; /* the end of the stream */
  graft_status status = graft_decoder_new(tokenizer, (int32_t)number_value(c, "skip", 1), &made);
  for (int64_t i = 0; i < count && status == GRAFT_STATUS_OK; ++i) {
    graft_string* text = NULL;
    status = graft_decoder_push(made, ids[i], &text);
    if (status == GRAFT_STATUS_OK) {
      add_bytes(out, graft_string_data(text), graft_string_size(text));
      add(out, "|");
    }
    graft_string_free(text);
  }
  failed(status, out);
  graft_decoder_free(made);
}

static void apply_template(const Case* c, Text* out) {
  graft_tokenizer* tokenizer = NULL;
  graft_string* text = NULL;
  const Text* messages = value(c, "messages");
  const Text* options = value(c, "template_options");
  if (failed(shared_tokenizer(c->session, &tokenizer), out)) return;
  write_string(graft_tokenizer_apply_chat_template(tokenizer, messages->bytes, messages->size,
                                                   options == NULL ? NULL : options->bytes,
                                                   options == NULL ? 0 : options->size, &text),
               &text, out);
}

const KindEntry text_kinds[] = {{"abi", abi},       {"version", version},     {"doctor", doctor},
                                {"open", open},     {"inspect", inspect},     {"info", info},
                                {"stats", stats},   {"tokenizer", tokenizer}, {"encode", encode},
                                {"decode", decode}, {"roundtrip", roundtrip}, {"piece", piece},
                                {"id_of", id_of},   {"decoder", decoder},     {"template", apply_template},
                                {NULL, NULL}};

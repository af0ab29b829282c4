/* The conformance driver in C: ../README.md says what it prints. Needs the library alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

static Kind find_kind(const char* name) {
  static const KindEntry* const tables[] = {text_kinds, generate_kinds, lifetime_kinds, option_kinds, queue_kinds};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; ++i) {
    for (const KindEntry* entry = tables[i]; entry->name != NULL; ++entry) {
      if (strcmp(entry->name, name) == 0) return entry->run;
    }
  }
  return NULL;
}

static int is_wanted(const char* name, char** names, int count) {
  for (int i = 0; i < count; ++i) {
    if (strcmp(names[i], name) == 0) return 1;
  }
  return count == 0;
}

static void run(Kind kind, const char* name, const Case* c) {
  Text outcome = {0}, line = {0};
  add(&outcome, "");
  kind(c, &outcome);
  for (int i = 0; i < 3; ++i) replace(&outcome, c->session->paths[i], c->session->names[i]);
  add_escaped(&line, outcome.bytes, outcome.size);
  printf("%s\t%s\n", name, line.size > 0 ? line.bytes : "");
  fflush(stdout);
  clear(&outcome);
  clear(&line);
}

int main(int argc, char** argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: %s CASES MODEL EMBEDDING_MODEL SCRATCH [NAME...]\n", argv[0]);
    return 2;
  }
  Session session = {{"${model}", "${embedding}", "${scratch}"}, {argv[2], argv[3], argv[4]}, NULL, NULL, NULL};
  FILE* file = fopen(argv[1], "rb");
  char line[4096];
  int bad = file == NULL;
  if (bad) perror(argv[1]);
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = 0;
    if (line[0] == 0 || line[0] == '#') continue;
    char* rest = line;
    const char* name = strsep(&rest, "\t");
    const char* kind_name = strsep(&rest, "\t");
    if (!is_wanted(name, argv + 5, argc - 5)) continue;
    Case c = {&session, {NULL}, {{NULL, 0}}, 0};
    for (char* pair = NULL; (pair = strsep(&rest, "\t")) != NULL && c.count < most_keys;) {
      c.keys[c.count] = strsep(&pair, "=");
      Text* made = &c.values[c.count++];
      add_unescaped(made, pair, (int64_t)strlen(pair));
      for (int i = 0; i < 3; ++i) replace(made, session.names[i], session.paths[i]);
    }
    const Kind kind = find_kind(kind_name);
    if (kind == NULL) {
      fprintf(stderr, "%s: no kind \"%s\"\n", name, kind_name);
      bad = 1;
    } else {
      run(kind, name, &c);
    }
    for (int i = 0; i < c.count; ++i) clear(&c.values[i]);
  }
  if (file != NULL) fclose(file);
  graft_engine_free(session.engine);
  graft_engine_free(session.embedder);
  graft_tokenizer_free(session.tokenizer);
  return bad;
}

/* Text that grows, with NULs inside, and the escapes of the table. */
#ifndef GRAFT_CONFORMANCE_TEXT_H
#define GRAFT_CONFORMANCE_TEXT_H

#include <stdint.h>

typedef struct {
  char* bytes; /* NUL-terminated; NULL when nothing was added */
  int64_t size;
} Text;

void add_bytes(Text* text, const char* bytes, int64_t size);
void add(Text* text, const char* words);
void add_format(Text* text, const char* format, ...);
void clear(Text* text);

/* Reads \\ \n \r \t \0 \u{X}; ends the program with a message where the table is wrong. */
void add_unescaped(Text* text, const char* escaped, int64_t size);
/* Writes \\ \n \r \t \0, every other byte as it is. */
void add_escaped(Text* text, const char* bytes, int64_t size);
/* Every `from` becomes `to`. */
void replace(Text* text, const char* from, const char* to);

#endif

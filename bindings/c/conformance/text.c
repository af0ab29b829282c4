#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void add_bytes(Text* text, const char* bytes, int64_t size) {
  char* grown = realloc(text->bytes, (size_t)(text->size + size + 1));
  if (grown == NULL) abort();
  text->bytes = grown;
  if (size > 0) memcpy(grown + text->size, bytes, (size_t)size);
  text->size += size;
  grown[text->size] = 0;
}

void add(Text* text, const char* words) { add_bytes(text, words, (int64_t)strlen(words)); }

void add_format(Text* text, const char* format, ...) {
  char made[512];
  va_list arguments;
  va_start(arguments, format);
  const int size = vsnprintf(made, sizeof made, format, arguments);
  va_end(arguments);
  add_bytes(text, made, size < (int)sizeof made ? size : (int)sizeof made - 1);
}

void clear(Text* text) {
  free(text->bytes);
  text->bytes = NULL;
  text->size = 0;
}

static void add_code_point(Text* text, unsigned long c) {
  char bytes[4];
  int size = 0;
  if (c < 0x80) {
    bytes[size++] = (char)c;
  } else if (c < 0x800) {
    bytes[size++] = (char)(0xC0 | c >> 6);
  } else if (c < 0x10000) {
    bytes[size++] = (char)(0xE0 | c >> 12);
    bytes[size++] = (char)(0x80 | (c >> 6 & 0x3F));
  } else {
    bytes[size++] = (char)(0xF0 | c >> 18);
    bytes[size++] = (char)(0x80 | (c >> 12 & 0x3F));
    bytes[size++] = (char)(0x80 | (c >> 6 & 0x3F));
  }
  if (c >= 0x80) bytes[size++] = (char)(0x80 | (c & 0x3F));
  add_bytes(text, bytes, size);
}

void add_unescaped(Text* text, const char* escaped, int64_t size) {
  add_bytes(text, "", 0);
  for (const char *p = escaped, *end = escaped + size; p < end; ++p) {
    if (*p != '\\') {
      add_bytes(text, p, 1);
      continue;
    }
    switch (++p < end ? *p : ' ') {
      case '\\':
        add(text, "\\");
        break;
      case 'n':
        add(text, "\n");
        break;
      case 'r':
        add(text, "\r");
        break;
      case 't':
        add(text, "\t");
        break;
      case '0':
        add_bytes(text, "", 1);
        break;
      case 'u': {
        char* after = NULL;
        const unsigned long c = strtoul(p + 2, &after, 16);
        if (p[1] != '{' || after >= end || *after != '}' || c > 0x10FFFF) {
          fprintf(stderr, "the table has no such escape: %.*s\n", (int)size, escaped);
          exit(1);
        }
        add_code_point(text, c);
        p = after;
        break;
      }
      default:
        fprintf(stderr, "the table has no such escape: %.*s\n", (int)size, escaped);
        exit(1);
    }
  }
}

void add_escaped(Text* text, const char* bytes, int64_t size) {
  for (int64_t i = 0; i < size; ++i) {
    switch (bytes[i]) {
      case '\\':
        add(text, "\\\\");
        break;
      case '\n':
        add(text, "\\n");
        break;
      case '\r':
        add(text, "\\r");
        break;
      case '\t':
        add(text, "\\t");
        break;
      case 0:
        add(text, "\\0");
        break;
      default:
        add_bytes(text, bytes + i, 1);
    }
  }
}

void replace(Text* text, const char* from, const char* to) {
  Text made = {0};
  const int64_t length = (int64_t)strlen(from);
  add_bytes(&made, "", 0);
  for (int64_t i = 0; i < text->size;) {
    if (length > 0 && text->size - i >= length && memcmp(text->bytes + i, from, (size_t)length) == 0) {
      add(&made, to);
      i += length;
    } else {
      add_bytes(&made, text->bytes + i++, 1);
    }
  }
  clear(text);
  *text = made;
}

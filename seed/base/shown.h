/* Text of an app or its pod, shown so that it does nothing to a terminal. */
#ifndef BASE_SHOWN_H
#define BASE_SHOWN_H

#include "base/text.h"

size_t decode_character(const char *at, uint32_t *code);
void append_shown(struct text *text, const char *said);
void append_quoted(struct text *text, const char *word);

#endif

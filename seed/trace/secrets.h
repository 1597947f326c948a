/* The values that are secret. */
#ifndef TRACE_SECRETS_H
#define TRACE_SECRETS_H

#include "base/text.h"

void add_lines(const char *bytes, size_t size);
void append_masked(struct text *text, const char *bytes, size_t size);

#endif

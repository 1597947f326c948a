/* The values that are secret. */
#ifndef TRACE_SECRETS_H
#define TRACE_SECRETS_H

#include "base/text.h"

void add_secret(const char *bytes, size_t size);
void add_lines(const char *bytes, size_t size);
void sort_secrets(void);
void append_masked(struct text *text, const char *bytes, size_t size);

#endif

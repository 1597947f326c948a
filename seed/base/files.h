/* Whole files. */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include "base/text.h"

bool read_at(int folder, const char *path, struct text *text);
bool write_all(int file, const char *bytes, size_t size);

#endif

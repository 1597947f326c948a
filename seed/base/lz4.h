/* LZ4. */
#ifndef BASE_LZ4_H
#define BASE_LZ4_H

#include <stdbool.h>
#include <stddef.h>

bool unpack(const char *packed, size_t packed_size, char *content, size_t size);

#endif

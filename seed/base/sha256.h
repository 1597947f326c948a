/* SHA-256. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t size;
    char block[64];
};
void sha256_begin(struct sha256 *sum);
void sha256_add(struct sha256 *sum, const char *bytes, size_t size);
void sha256_end(struct sha256 *sum, char hex[65]);

#endif

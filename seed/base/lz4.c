/* Unpack a block in LZ4's format, https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md. */
#include "base/lz4.h"

#include <stdint.h>
#include <string.h>

enum { LEAST_MATCH = 4, MORE = 15 };

/* Take what a length is beyond the 15 that its half of the token can say. */
static bool take_length(const uint8_t **at, const uint8_t *end, size_t *length) {
    uint8_t byte = UINT8_MAX;
    if (*length != MORE)
        return true;
    for (; byte == UINT8_MAX; *length += byte) {
        if (*at == end)
            return false;
        byte = *(*at)++;
    }
    return true;
}

/* Say whether the packed bytes are a block that has exactly the size of the content. */
bool unpack(const char *packed, size_t packed_size, char *content, size_t size) {
    const uint8_t *in = (const uint8_t *)packed, *in_end = in + packed_size;
    char *out = content, *out_end = content + size;
    while (in < in_end) {
        size_t literals = *in >> 4, match = *in++ & MORE;
        if (!take_length(&in, in_end, &literals))
            return false;
        if (literals > (size_t)(in_end - in) || literals > (size_t)(out_end - out))
            return false;
        memcpy(out, in, literals);
        in += literals;
        out += literals;
        // The last sequence has no match.
        if (in == in_end)
            return out == out_end;
        if (in_end - in < 2)
            return false;
        size_t back = in[0] | (size_t)in[1] << 8;
        in += 2;
        if (!take_length(&in, in_end, &match))
            return false;
        match += LEAST_MATCH;
        if (!back || back > (size_t)(out - content) || match > (size_t)(out_end - out))
            return false;
        // Byte by byte: a match may reach into what it makes.
        for (; match; match--, out++)
            *out = out[-(ptrdiff_t)back];
    }
    return false;
}

/* Text of an app or its pod, shown so that it does nothing to a terminal. */
#include "base/shown.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/* Decode a character of UTF-8, in its one right form; return its size, 0 if it is none. */
size_t decode_character(const char *at, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)*at;
    size_t size = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    *code = size < 2 ? first : first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | ((unsigned char)at[i] & 0x3f);
    }
    bool is_one = *code >= least[size] && *code <= 0x10ffff && *code >> 11 != 0x1b && first < 0xf8;
    return is_one ? size : 0;
}

/* Say whether a character acts on a terminal, or on the order in which it shows the others: controls
   of both halves, line and paragraph separators, marks of direction. */
static bool is_unsafe(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
           code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

/* Return how large the next character is; ``safe`` says whether it may be shown as it is. */
static size_t next_character(const char *at, bool *safe) {
    uint32_t code;
    size_t size = decode_character(at, &code);
    *safe = size && !is_unsafe(code);
    return size ? size : 1;
}

static void append_codes(struct text *text, const char *bytes, size_t size) {
    static const char digits[] = "0123456789abcdef";
    for (; size; bytes++, size--) {
        char code[] = {'\\', 'x', digits[(*bytes >> 4) & 15], digits[*bytes & 15]};
        append(text, code, sizeof code);
    }
}

/* Append what an app, or its pod, may have written, with codes for what is not safe to show. */
void append_shown(struct text *text, const char *said) {
    bool safe;
    for (size_t size; *said; said += size) {
        size = next_character(said, &safe);
        (safe ? append : append_codes)(text, said, size);
    }
}

static bool is_plain(const char *word) {
    for (const char *at = word; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_@%+=:,./-", *at))
            return false;
    return *word;
}

/* Append what a shell takes for the word, and what does nothing to a terminal: an app may choose its
   own words. */
void append_quoted(struct text *text, const char *word) {
    append(text, " ", 1);
    if (is_plain(word)) {
        append_all(text, word, NULL);
        return;
    }
    bool safe, has_codes = false;
    for (const char *at = word; *at; at += next_character(at, &safe), has_codes |= !safe)
        continue;
    append_all(text, has_codes ? "$'" : "'", NULL);
    for (size_t size; *word; word += size) {
        size = next_character(word, &safe);
        if (!safe)
            append_codes(text, word, size);
        else if (has_codes && strchr("'\\", *word))
            append_all(text, "\\", (char[]){*word, 0}, NULL);
        else if (*word == '\'')
            append_all(text, "'\\''", NULL);
        else
            append(text, word, size);
    }
    append_all(text, "'", NULL);
}

/* Text that grows, words, numbers. */
#include "seed.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_ROOM = 256 };

static _Noreturn void fail_for_memory(void) {
    say("seed: no memory", NULL);
    _exit(FAILURE);
}

void *take_room(size_t size) {
    void *room = calloc(1, size);
    if (!room)
        fail_for_memory();
    return room;
}

void append(struct text *text, const char *bytes, size_t size) {
    if (text->room - text->size <= size) {
        size_t wanted = text->room ? text->room : LEAST_ROOM;
        while (wanted - text->size <= size)
            wanted *= 2;
        char *larger = realloc(text->data, wanted);
        if (!larger)
            fail_for_memory();
        text->data = larger;
        text->room = wanted;
    }
    memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = 0;
}

void append_all(struct text *text, const char *first, ...) {
    va_list rest;
    va_start(rest, first);
    for (const char *part = first; part; part = va_arg(rest, const char *))
        append(text, part, strlen(part));
    va_end(rest);
}

/* Split what is separated by NUL bytes, as in /proc/PID/cmdline. */
struct words split(const struct text *text) {
    size_t count = 0;
    for (size_t at = 0; at < text->size; at += strlen(text->data + at) + 1)
        count++;
    struct words words = {take_room((count + 1) * sizeof(char *)), 0};
    for (size_t at = 0; at < text->size; at += strlen(text->data + at) + 1)
        words.items[words.count++] = text->data + at;
    return words;
}

struct words concat(struct words first, struct words second) {
    struct words all = {NULL, first.count + second.count};
    all.items = take_room((all.count + 1) * sizeof(char *));
    memcpy(all.items, first.items, first.count * sizeof(char *));
    memcpy(all.items + first.count, second.items, second.count * sizeof(char *));
    return all;
}

/* Read digits and go past them; false without one, or where the number is larger than a file. */
bool parse_number(const char **at, int base, uint64_t *value) {
    char *end;
    // Not the spaces and signs that strtoull takes as well.
    if (!isdigit((unsigned char)**at))
        return false;
    errno = 0;
    *value = strtoull(*at, &end, base);
    bool is_there = end != *at && errno == 0 && *value < INT64_MAX;
    *at = end;
    return is_there;
}

void append_number(struct text *text, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    append(text, digits + at, sizeof digits - at);
}

bool is_number(const char *word, uint64_t *value) {
    return parse_number(&word, 10, value) && !*word;
}

/* Decode a character of UTF-8, in its one right form; return its size, 0 where it is none. */
static size_t decode(const char *at, uint32_t *code) {
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
size_t next_character(const char *at, bool *safe) {
    uint32_t code;
    size_t size = decode(at, &code);
    *safe = size && !is_unsafe(code);
    return size ? size : 1;
}

void append_codes(struct text *text, const char *bytes, size_t size) {
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

bool equal(const char *one, const char *other) { return strcmp(one, other) == 0; }

bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

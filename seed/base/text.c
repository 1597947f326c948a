/* Text that grows, words, numbers. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAST_ROOM = 256 };

static _Noreturn void fail_for_memory(void) {
    static const char told[] = "seed: no memory\n";
    _exit(write(STDERR_FILENO, told, sizeof told - 1) < 0 ? 2 : 1);
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

static void append_list(struct text *text, const char *first, va_list rest) {
    for (const char *part = first; part; part = va_arg(rest, const char *))
        append(text, part, strlen(part));
}

void append_all(struct text *text, const char *first, ...) {
    va_list rest;
    va_start(rest, first);
    append_list(text, first, rest);
    va_end(rest);
}

/* Have nothing but these parts in a text. */
void set_text(struct text *text, const char *first, ...) {
    va_list rest;
    va_start(rest, first);
    text->size = 0;
    append_list(text, first, rest);
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

/* Read digits and go past them; false without one, or if the number is larger than a file. */
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

bool equal(const char *one, const char *other) { return strcmp(one, other) == 0; }

bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

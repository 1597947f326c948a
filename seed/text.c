/* Text that grows, words, numbers. */
#define _GNU_SOURCE
#include "seed.h"

#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

enum { LEAST_ROOM = 4096 };

void *take_room(size_t size) {
    void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) {
        say("seed: no memory", NULL);
        _exit(FAILURE);
    }
    return room;
}

void append(struct text *text, const char *bytes, size_t size) {
    if (text->room - text->size <= size) {
        size_t wanted = text->room ? text->room : LEAST_ROOM;
        while (wanted - text->size <= size)
            wanted *= 2;
        char *larger = take_room(wanted);
        memcpy(larger, text->data, text->size);
        if (text->room)
            munmap(text->data, text->room);
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

/* Read digits and go past them; false without one, or where the number has over 62 bits. */
bool parse_number(const char **at, unsigned base, uint64_t *value) {
    const char *begin = *at;
    *value = 0;
    for (; **at >= '0' && **at < (char)('0' + base); ++*at) {
        if (*value >> 58)
            return false;
        *value = *value * base + (unsigned)(**at - '0');
    }
    return *at != begin;
}

bool is_number(const char *word, uint64_t *value) {
    return parse_number(&word, 10, value) && !*word;
}

bool equal(const char *one, const char *other) { return strcmp(one, other) == 0; }

bool begins(const char *text, const char *with) {
    while (*with && *text == *with)
        text++, with++;
    return !*with;
}

bool is_one_of(char byte, const char *set) {
    for (; *set; set++)
        if (byte == *set)
            return true;
    return false;
}

/* Return where the first of the stops is, or the end. */
const char *find_stop(const char *text, const char *stops) {
    while (*text && !is_one_of(*text, stops))
        text++;
    return text;
}

const char *base_name(const char *path) {
    for (const char *at; *(at = find_stop(path, "/")); path = at + 1)
        continue;
    return path;
}

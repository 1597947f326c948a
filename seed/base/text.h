/* Text that grows, words, numbers. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow; data[size] is 0. Begins as all zeros, may be used again, is never freed. */
struct text {
    char *data;
    size_t size, room;
};

/* Words for exec: items[count] is NULL. */
struct words {
    char **items;
    size_t count;
};

void *take_room(size_t size);
void append(struct text *text, const char *bytes, size_t size);
void append_all(struct text *text, const char *first, ...) __attribute__((sentinel));
void set_text(struct text *text, const char *first, ...) __attribute__((sentinel));
struct words split(const struct text *text);
struct words concat(struct words first, struct words second);
bool parse_number(const char **at, int base, uint64_t *value);
bool is_number(const char *word, uint64_t *value);
void append_number(struct text *text, uint64_t value);
bool equal(const char *one, const char *other);
bool begins(const char *text, const char *with);
const char *base_name(const char *path);

#endif

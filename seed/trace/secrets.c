/* The values that are secret, and text without them. */
#include "trace/secrets.h"

#include <ctype.h>
#include <string.h>

enum { SHORTEST = 4, MOST_SECRETS = 8192 };

struct secret {
    size_t size;
    struct secret *next;
    char bytes[];
};
/* By their first byte, the longest first. */
static struct secret *secrets[256];
static size_t count;

static bool is_known(const struct secret *secret, const char *bytes, size_t size) {
    return secret && secret->size == size && memcmp(secret->bytes, bytes, size) == 0;
}

static void add_secret(const char *bytes, size_t size) {
    if (size < SHORTEST || count == MOST_SECRETS)
        return;
    struct secret **place = &secrets[(unsigned char)*bytes];
    while (*place && (*place)->size >= size && !is_known(*place, bytes, size))
        place = &(*place)->next;
    if (is_known(*place, bytes, size))
        return;
    struct secret *added = take_room(sizeof *added + size);
    memcpy(added->bytes, bytes, size);
    added->size = size;
    added->next = *place;
    *place = added;
    count++;
}

/* Add the whole, and each of its lines without the spaces around it. */
void add_lines(const char *bytes, size_t size) {
    add_secret(bytes, size);
    for (size_t at = 0, end; at < size; at = end + 1) {
        const char *next = memchr(bytes + at, '\n', size - at);
        size_t from = at, to = end = next ? (size_t)(next - bytes) : size;
        while (from < to && isspace((unsigned char)bytes[from]))
            from++;
        while (to > from && isspace((unsigned char)bytes[to - 1]))
            to--;
        if (to - from < size)
            add_secret(bytes + from, to - from);
    }
}

/* Return the size of the longest secret at the begin of a text, which may be cut off within it. */
static size_t secret_at(const char *bytes, size_t size, bool is_cut) {
    for (const struct secret *at = secrets[(unsigned char)*bytes]; at; at = at->next) {
        size_t wanted = at->size;
        if (wanted > size && is_cut && size >= SHORTEST)
            wanted = size;
        if (wanted <= size && memcmp(bytes, at->bytes, wanted) == 0)
            return wanted;
    }
    return 0;
}

static void find_end(const struct secret *secret, const char *bytes, size_t size, size_t *longest) {
    for (size_t part = secret->size - 1; part >= SHORTEST && part > *longest; part--)
        if (part <= size && memcmp(bytes, secret->bytes + secret->size - part, part) == 0)
            *longest = part;
}

/* Return the size of the longest end of a secret that a text begins with. */
static size_t end_of_secret(const char *bytes, size_t size) {
    size_t longest = 0;
    for (size_t i = 0; i < 256; i++)
        for (const struct secret *at = secrets[i]; at; at = at->next)
            find_end(at, bytes, size, &longest);
    return longest;
}

/* Say whether a text of this size may be cut off, by report.c, facts.c, tracees.c or output.c. */
static bool may_be_cut(size_t size) {
    return size == 256 || size == 512 || size == 1024 || size >= 4096;
}

/* Append a text with what is secret masked, also where secrets overlap. */
void append_masked(struct text *text, const char *bytes, size_t size) {
    bool is_cut = may_be_cut(size);
    size_t end = is_cut && count ? end_of_secret(bytes, size) : 0;
    if (end)
        append_all(text, "[masked]", NULL);
    for (size_t at = 0; at < size; at++) {
        size_t found = secret_at(bytes + at, size - at, is_cut);
        if (found && at >= end)
            append_all(text, "[masked]", NULL);
        if (at + found > end)
            end = at + found;
        if (at >= end)
            append(text, bytes + at, 1);
    }
}

/* The values that are secret, and text without them. */
#include "trace/secrets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SHORTEST = 4, MOST_SECRETS = 8192 };

static struct secret {
    const char *bytes;
    size_t size;
} secrets[MOST_SECRETS];
static size_t count;
/* Where those begin that have this first byte, and one more. */
static size_t begins_at[257];

void add_secret(const char *bytes, size_t size) {
    if (size < SHORTEST || count == MOST_SECRETS)
        return;
    char *kept = take_room(size);
    memcpy(kept, bytes, size);
    secrets[count++] = (struct secret){kept, size};
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

/* By the first byte; the longest first. */
static int compare(const void *one, const void *other) {
    const struct secret *first = one, *second = other;
    unsigned char bytes[] = {(unsigned char)*first->bytes, (unsigned char)*second->bytes};
    if (bytes[0] != bytes[1])
        return bytes[0] < bytes[1] ? -1 : 1;
    return (first->size < second->size) - (first->size > second->size);
}

void sort_secrets(void) {
    qsort(secrets, count, sizeof *secrets, compare);
    for (size_t byte = 0, at = 0; byte <= 256; byte++) {
        while (at < count && (unsigned char)*secrets[at].bytes < byte)
            at++;
        begins_at[byte] = at;
    }
}

/* Return the size of the longest secret at the begin of a text; what is cut off may end within one. */
static size_t secret_at(const char *bytes, size_t size, bool is_cut) {
    unsigned char byte = (unsigned char)*bytes;
    for (size_t i = begins_at[byte]; i < begins_at[byte + 1]; i++) {
        size_t wanted = secrets[i].size;
        if (wanted > size && is_cut && size >= SHORTEST)
            wanted = size;
        if (wanted <= size && memcmp(bytes, secrets[i].bytes, wanted) == 0)
            return wanted;
    }
    return 0;
}

/* Return the size of the longest end of a secret that a text begins with. */
static size_t end_of_secret(const char *bytes, size_t size) {
    size_t longest = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t part = secrets[i].size - 1; part >= SHORTEST && part > longest; part--)
            if (part <= size && memcmp(bytes, secrets[i].bytes + secrets[i].size - part, part) == 0)
                longest = part;
    return longest;
}

/* Say whether a text of this size may have been cut off (report.c, facts.c, tracees.c, output.c). */
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

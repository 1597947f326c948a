/* What was seen, in tables that don't grow: of what is alike only the number, and of too much what
   was seen last. */
#include "trace/notes.h"
#include "trace/tracees.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const unsigned short most[KINDS] = {
    [FAILED] = 256, [CONNECTED] = 64, [LISTENING] = 64, [ASKED] = 128, [OPENED] = 48,
};
enum { MOST_NOTES = 256 + 64 + 64 + 128 + 48 };

static struct note notes[MOST_NOTES];
static unsigned clock, counts[KINDS];
unsigned dropped_notes;

static void free_note(struct note *old) {
    free(old->facts);
    free(old->path);
    free(old->found);
    *old = (struct note){0};
}

void begin_notes(void) {
    for (unsigned i = 0; i < MOST_NOTES; i++)
        free_note(&notes[i]);
    memset(counts, 0, sizeof counts);
    dropped_notes = 0;
}

static struct note *first_of(enum kind kind) {
    struct note *first = notes;
    for (unsigned i = 0; i < kind; i++)
        first += most[i];
    return first;
}

/* FNV-1a. */
static uint32_t hash_of(const char *text) {
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

static uint32_t base_of(const char *path) { return path ? hash_of(base_name(path)) : 0; }

static bool is_same(const struct note *old, const struct seen *seen, uint32_t hash) {
    if (old->hash != hash || old->error != seen->error || !equal(old->facts, seen->facts))
        return false;
    return old->call == seen->call || (old->call && seen->call && equal(old->call, seen->call));
}

/* Say whether a note is of less use: the thing was found elsewhere, or was only asked for. */
static bool is_weak(const struct note *old) {
    if (old->kind != FAILED || old->found)
        return old->found;
    return old->error == ENOENT && !begins(old->call, "open") && !begins(old->call, "exec");
}

/* Return the place of the note to be given up: a weak one, the longest not seen. */
static struct note *choose(enum kind kind) {
    struct note *first = first_of(kind), *chosen = first;
    if (counts[kind] < most[kind])
        return first + counts[kind]++;
    for (struct note *old = first + 1; old < first + most[kind]; old++) {
        bool weak = is_weak(old), chosen_weak = is_weak(chosen);
        if (weak == chosen_weak ? old->seen < chosen->seen : weak)
            chosen = old;
    }
    if (kind != OPENED)
        dropped_notes++;
    free_note(chosen);
    return chosen;
}

static struct note *find_note(const struct seen *seen, uint32_t hash) {
    struct note *first = first_of(seen->kind);
    for (unsigned i = 0; i < counts[seen->kind]; i++)
        if (is_same(&first[i], seen, hash))
            return &first[i];
    return NULL;
}

/* Note what was seen, or count it once more. */
struct note *note(const struct seen *seen) {
    uint32_t hash = hash_of(seen->facts);
    struct note *place = find_note(seen, hash);
    if (!place) {
        place = choose(seen->kind);
        *place = (struct note){
            .kind = seen->kind, .call = seen->call, .error = seen->error, .hash = hash,
            .base = base_of(seen->path), .first = seen->since, .facts = strdup(seen->facts),
            .path = seen->path && *seen->path ? strdup(seen->path) : NULL,
        };
    }
    place->pid = seen->pid;
    place->at = run_time();
    place->count++;
    place->seen = ++clock;
    return place;
}

/* Note where something is, whose base name was looked for in vain before. */
void note_found(const char *path) {
    uint32_t base = base_of(path);
    const char *name = base_name(path);
    if (!*name)
        return;
    for (struct note *old = notes; old < notes + counts[FAILED]; old++)
        if (old->base == base && old->path && !old->found && equal(base_name(old->path), name) &&
            (old->error == ENOENT || !equal(old->path, path)))
            old->found = strdup(path);
}

/* Return the next note of a kind, or NULL; they are in no order. */
const struct note *next_note(enum kind kind, const struct note *before) {
    const struct note *first = first_of(kind), *next = before ? before + 1 : first;
    return next < first + counts[kind] ? next : NULL;
}

/* What was seen, in tables that don't grow. */
#ifndef TRACE_NOTES_H
#define TRACE_NOTES_H

#include "base/text.h"

#include <sys/types.h>

enum kind { FAILED, CONNECTED, LISTENING, ASKED, OPENED, KINDS };

struct note {
    enum kind kind;
    /* The name of a call that failed; without an error it is one that is pending. */
    const char *call;
    int error;
    pid_t pid;
    unsigned count, seen;
    uint64_t first, at, waited;
    uint32_t hash, base;
    /* Members of an object, and the path in them. */
    char *facts, *path, *found;
    bool is_program;
};

/* What is to be noted. */
struct seen {
    enum kind kind;
    const char *call;
    int error;
    pid_t pid;
    uint64_t since;
    const char *facts, *path;
};

extern unsigned dropped_notes;

void begin_notes(void);
struct note *note(const struct seen *seen);
void note_found(const char *path);
const struct note *next_note(enum kind kind, const struct note *before);

#endif

/* Calls as members of an object. */
#ifndef TRACE_FACTS_H
#define TRACE_FACTS_H

#include "trace/tracees.h"

/* What a call is about; ``path`` is NULL if it has none. */
struct object {
    struct text facts;
    const char *path;
    uint64_t flags;
};

bool read_object(struct thread *thread, struct object *object);

#endif

/* The system calls that are looked at. */
#ifndef TRACE_CALLS_H
#define TRACE_CALLS_H

#include <stddef.h>
#include <stdint.h>

/* What a call is about, by which its end is read. */
enum shape {
    PATHS,     /* a path, at ``path`` in the folder at ``folder``, or two */
    OPENS,     /* the same, with flags at ``numbers`` */
    TESTS,     /* the same, with an access mode at ``numbers`` */
    HANDLES,   /* an open file, at ``path`` */
    EXECUTES,  /* a program, and its words at ``numbers`` */
    MOUNTS,
    LOCKS,
    CONNECTS,
    BINDS,
    LISTENS,
    SOCKETS,
    ASKS_ERROR,
    SENDS,     /* to an address at ``path``, or none if it is 0 */
    SENDS_MESSAGE,
    WRITES,
    NUMBERS,   /* ``count`` numbers, the first of them at ``numbers`` */
    MAPS,
    KILLS,     /* a process at ``path`` */
    TRACES,
    EXITS,
};

/* When a call is stopped at. */
enum when {
    ALWAYS,
    WITH_PATH,
    TO_ADDRESS,
    NOT_STANDARD,
    LOCKING,
    LARGE,
    OF_ERROR,
    SETTING,
    KILLING,
    /* Always, and it may be denied by the filter of the container: then others are not asked. */
    DENIABLE,
    /* The same, if it asks for namespaces. */
    SPAWNING,
};

enum { WORKING_FOLDER = -1 };

struct traced {
    uint16_t number;
    const char *name;
    unsigned char shape, when;
    signed char folder, path, other_folder, other_path;
    unsigned char numbers, count;
};

extern const struct traced traced_calls[];
extern const size_t count_of_traced;

const struct traced *find_traced(uint64_t number);
const char *call_name(uint64_t number);

#endif

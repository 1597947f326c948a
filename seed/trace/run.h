/* One run of the app. */
#ifndef TRACE_RUN_H
#define TRACE_RUN_H

#include "app/launch.h"

#include <sys/types.h>

struct run {
    const struct launch *launch;
    /* 0 is for ever. */
    uint64_t most_ms;
    /* In a session: its stdin is the app's, and the app's output goes to it at once. */
    bool is_session;
    pid_t app;
    /* The errno of a program that cannot be started. */
    int cause, failed;
    bool ended;
    int status;
    uint64_t at, oom_kills;
    /* Why it was not traced, or empty. */
    struct text untraced;
    /* The calls in which its threads are at last: objects in a list. */
    struct text waits;
};

void run_once(struct run *run);

/* What the loop needs of the start, and of the output. */
bool read_failure(struct run *run, bool is_traced);
bool start_app(struct run *run, bool is_traced);
void begin_output(void);
void output_pipes(int writing[2]);
void close_writing(void);
void read_output(bool passes);
void tell_output(int stream, struct text *line);

#endif

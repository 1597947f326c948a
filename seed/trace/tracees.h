/* The processes of the app, and their threads. */
#ifndef TRACE_TRACEES_H
#define TRACE_TRACEES_H

#include "base/text.h"
#include "trace/calls.h"
#include "trace/registers.h"

/* A signal that a process got; ``facts`` are members of an object. */
struct got {
    int number;
    uint64_t at;
    char *facts;
};

struct process {
    pid_t pid, parent;
    bool ended, is_watched;
    int status, memory;
    unsigned threads;
    uint64_t at, end, watched_until;
    char *words, *exe;
    /* The last one, and the last fault of its own. */
    struct got last, fault;
};

struct thread {
    pid_t id;
    struct process *process;
    /* It is in a call; ``traced`` if its end is to be seen. */
    bool in_call;
    const struct traced *traced;
    struct asked asked;
    uint64_t since;
    /* What it is about to become. */
    char *program;
};

extern unsigned count_of_processes, dropped_processes;

uint64_t run_time(void);
void begin_tracees(void);
struct process *process_at(unsigned index);
struct process *find_process(pid_t pid);
struct thread *find_thread(pid_t id);
struct thread *adopt(pid_t id);
void forget_thread(struct thread *thread);
void forget_others(const struct thread *kept);
void each_thread(void (*visit)(struct thread *thread));
void set_words(struct process *process, struct words words);
void note_program(struct process *process);
void note_end(struct process *process, int status);

#endif

/* A thread's registers. */
#ifndef TRACE_REGISTERS_H
#define TRACE_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { ARGUMENTS = 6 };

/* A system call that a thread makes, and where its code is. */
struct asked {
    uint64_t number, arguments[ARGUMENTS], code;
    int64_t result;
};

bool read_registers(pid_t thread, struct asked *asked);
bool write_result(pid_t thread, int64_t result);

#endif

/* What a program cannot do while it is traced. */
#ifndef TRACE_PRIVILEGES_H
#define TRACE_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

bool gains_privileges(pid_t pid, const char *path);
bool traces_itself(uint64_t request);

#endif

/* What a program cannot do while it is traced. */
#ifndef TRACE_PRIVILEGES_H
#define TRACE_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>

bool gains_privileges(const char *path);
bool traces_itself(uint64_t request);

#endif

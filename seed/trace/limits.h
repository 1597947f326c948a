/* The limits of the container, by its cgroup. */
#ifndef TRACE_LIMITS_H
#define TRACE_LIMITS_H

#include <stdint.h>

uint64_t oom_kills(void);
uint64_t peak_memory(void);
uint64_t memory_limit(void);
uint64_t process_limit(void);

#endif

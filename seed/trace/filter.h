/* The seccomp filter that stops a program at the calls that are looked at. */
#ifndef TRACE_FILTER_H
#define TRACE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

/* What si_errno has where the filter denies a call in place of the container's. */
enum { DENIED_HERE = 0x5743 };

bool set_filter(void);

#endif

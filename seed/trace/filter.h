/* The seccomp filter that stops a program at the calls that are looked at. */
#ifndef TRACE_FILTER_H
#define TRACE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

bool set_filter(void);

#endif

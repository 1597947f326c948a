/* The calls in which threads are. */
#ifndef TRACE_WAITS_H
#define TRACE_WAITS_H

#include "trace/run.h"

void read_waits(struct run *run);

#endif

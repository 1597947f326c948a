/* What is done when a traced thread stops. */
#ifndef TRACE_STOPS_H
#define TRACE_STOPS_H

#include "trace/run.h"

void take_event(struct run *run, pid_t id, int status);

#endif

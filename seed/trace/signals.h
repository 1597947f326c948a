/* The signals that processes get. */
#ifndef TRACE_SIGNALS_H
#define TRACE_SIGNALS_H

#include "trace/tracees.h"

void signal_got(struct thread *thread, int number);
void kill_begun(const struct thread *thread);
void process_killed(struct process *process, int number);

#endif

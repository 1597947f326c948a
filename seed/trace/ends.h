/* What is seen at the end of a call. */
#ifndef TRACE_ENDS_H
#define TRACE_ENDS_H

#include "trace/tracees.h"

void call_ended(struct thread *thread, int64_t result);

#endif

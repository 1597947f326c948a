/* The datagrams that go to DNS servers, and come from them. */
#ifndef TRACE_DATAGRAMS_H
#define TRACE_DATAGRAMS_H

#include "trace/tracees.h"

void datagram_sent(struct thread *thread);
void watched_ended(struct thread *thread, int64_t result);

#endif

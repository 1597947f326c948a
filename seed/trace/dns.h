/* Questions to DNS servers, and their answers. */
#ifndef TRACE_DNS_H
#define TRACE_DNS_H

#include "trace/sockets.h"

void begin_questions(void);
void dns_sent(struct thread *thread, const struct used_socket *used, uint64_t address,
              uint64_t size);
void dns_received(struct thread *thread, const struct used_socket *used, uint64_t address,
                  uint64_t size);
bool is_waiting_for_dns(pid_t pid);
void note_unanswered(void);

/* The loop's: see all calls of a thread's process for a while. */
void watch_dns(struct thread *thread);

#endif

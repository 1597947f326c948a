/* The memory of a traced process. */
#ifndef TRACE_MEMORY_H
#define TRACE_MEMORY_H

#include "trace/tracees.h"

/* A path is no longer (PATH_MAX). */
enum { LONGEST_TEXT = 4096 };

void hold_memory(struct thread *thread);
size_t read_memory(struct thread *thread, uint64_t address, void *bytes, size_t size);
bool read_whole(struct thread *thread, uint64_t address, void *bytes, size_t size);
const char *read_text(struct thread *thread, uint64_t address, size_t longest);

#endif

/* The paths that a thread means. */
#ifndef TRACE_PATHS_H
#define TRACE_PATHS_H

#include "trace/tracees.h"

bool handle_path(const struct thread *thread, int64_t handle, struct text *path);
bool path_argument(struct thread *thread, int folder, int at, struct text *path);
void thread_link(const struct thread *thread, const char *name, int64_t number, struct text *link);
bool is_uninteresting(const char *path);

#endif

/* Folders that were opened as files. */
#ifndef TRACE_FOLDERS_H
#define TRACE_FOLDERS_H

#include "trace/tracees.h"

void begin_folders(void);
void keep_folder(const struct thread *thread, int64_t handle, const char *path);
void forget_folder(const struct thread *thread, int64_t handle, bool is_closed);
void forget_listed(const char *path);
void note_folders(void);

#endif

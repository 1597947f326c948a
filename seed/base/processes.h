/* What /proc tells of processes. */
#ifndef BASE_PROCESSES_H
#define BASE_PROCESSES_H

#include "base/text.h"

typedef bool visitor(const char *pid, void *about);
bool each_number(const char *path, visitor *visit, void *about);
bool each_process(visitor *visit, void *about);
bool read_process(const char *pid, const char *name, struct text *text);
bool process_link(const char *pid, const char *name, struct text *text);
bool is_as_ours(const char *pid, const char *name);
bool is_seed(const char *first_word);
bool runs_seed(const char *pid);

#endif

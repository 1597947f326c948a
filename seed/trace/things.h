/* What is at a path. */
#ifndef TRACE_THINGS_H
#define TRACE_THINGS_H

#include "base/text.h"

bool tell_thing(struct text *line, const char *path);
void tell_nearest(struct text *line, const char *path, bool with_names);
void tell_program(struct text *line, const char *path);

#endif

/* Find a program as a container's runtime does, and become it. */
#ifndef BASE_PROGRAMS_H
#define BASE_PROGRAMS_H

#include "base/text.h"

const char *variable(char **environment, const char *name);
const char *path_of(char **environment);
int find_program(const char *name, const char *path, struct text *found);
int replace_by(const char *who, struct words words, char **environment, const char *missing);

#endif

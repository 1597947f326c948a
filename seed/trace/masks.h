/* Secrets that a report must not have. */
#ifndef TRACE_MASKS_H
#define TRACE_MASKS_H

#include "base/text.h"

enum { MOST_NAMED = 256 };

struct named {
    size_t count;
    char *names[MOST_NAMED];
};

/* What is named: variables, those that are no secrets, folders. */
struct masks {
    struct named variables, excepted, folders;
};

bool take_mask(struct words words, struct masks *masks);
void read_masks(const struct masks *masks, char **environment);
void mask_report(const struct text *report, struct text *masked);

#endif

/* A run of a session that is explained. */
#ifndef TRACE_EXPLAIN_H
#define TRACE_EXPLAIN_H

#include "app/launch.h"

int run_and_explain(const struct launch *launch, uint64_t seconds);

#endif

/* The report of a run. */
#ifndef TRACE_REPORT_H
#define TRACE_REPORT_H

#include "trace/run.h"

void write_report(const struct run *run, struct text *report);

#endif

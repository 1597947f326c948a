/* The clock, and signals that are waited for. */
#ifndef BASE_WAITING_H
#define BASE_WAITING_H

#include <stdbool.h>
#include <stdint.h>

uint64_t now_ms(void);
void watch_signals(void);
void restore_signals(void);
bool signalled_within(uint64_t microseconds);

#endif

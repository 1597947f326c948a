/* Waiting: for files, for signals. */
#define _GNU_SOURCE
#include "seed.h"

#include <signal.h>
#include <time.h>

uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void pause_ms(unsigned ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

/* Wait until a file is in the toolkit folder; false when the time is over. */
bool wait_for(const char *name, unsigned every_ms, unsigned at_most_ms) {
    uint64_t end = now_ms() + at_most_ms;
    while (!toolkit_has(name)) {
        if (now_ms() >= end)
            return false;
        pause_ms(every_ms);
    }
    return true;
}

/* All but those that end nobody by themselves: an image may name any as its STOPSIGNAL. */
static const uint64_t ending = ~(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) |
                                 SIGNAL_BIT(SIGWINCH));

/* Keep all signals for signalled_within(), and children from staying as zombies. */
void watch_signals(void) {
    block_signals(~(uint64_t)0);
    on_signal(SIGCHLD, SIG_IGN);
    // Those that had ended before, as where a script has become us.
    while (reap_child())
        continue;
}

bool signalled_within(uint64_t microseconds) {
    struct timespec time = {
        (time_t)(microseconds / 1000000),
        (long)(microseconds % 1000000) * 1000,
    };
    return take_signal(ending, &time);
}

/* The clock, and signals that are waited for. */
#include "base/waiting.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Fill a set with every signal: sigfillset leaves out the three that musl keeps for itself, one of
   which an image may name as its STOPSIGNAL, for glibc's SIGRTMIN is 34. */
static void fill(sigset_t *set) { memset(set, 0xff, sizeof *set); }

/* Keep all signals for signalled_within(), and children from staying as zombies. */
void watch_signals(void) {
    sigset_t all;
    fill(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGCHLD, SIG_IGN);
    // Those that had ended before, as where a script has become us.
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

bool signalled_within(uint64_t microseconds) {
    static const int harmless[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};
    struct timespec time = {
        (time_t)(microseconds / 1000000),
        (long)(microseconds % 1000000) * 1000,
    };
    // An image may name any other as its STOPSIGNAL.
    sigset_t ending;
    fill(&ending);
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        sigdelset(&ending, harmless[i]);
    return sigtimedwait(&ending, NULL, &time) > 0;
}

/* Have all signals as at the start of a container, also the three that signal() refuses. */
void restore_signals(void) {
    // The kernel's struct sigaction, with SIG_DFL.
    static const unsigned long action[4];
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, action, NULL, sizeof *action);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

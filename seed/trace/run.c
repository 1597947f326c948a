/* One run of the app: from its start to the end of all that it has started. */
#include "trace/run.h"
#include "base/files.h"
#include "base/processes.h"
#include "base/say.h"
#include "base/waiting.h"
#include "trace/dns.h"
#include "trace/folders.h"
#include "trace/limits.h"
#include "trace/notes.h"
#include "trace/sockets.h"
#include "trace/stops.h"
#include "trace/tracees.h"
#include "trace/waits.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 100, REAP_MS = 3000, REAP_POLL_MS = 2 };

/* What interrupts the wait for the app's threads: a clock, its output, and what ends us. */
static volatile sig_atomic_t has_ticked, has_output, is_to_end;

static void take_signal(int number) {
    if (number == SIGALRM)
        has_ticked = true;
    else if (number == SIGIO)
        has_output = true;
    else
        is_to_end = true;
}

/* A user's ^C is for the app; what ends us ends the run. */
static void take_signals(void) {
    static const unsigned char taken[] = {SIGALRM, SIGIO, SIGTERM, SIGHUP};
    static const unsigned char ignored[] = {SIGINT, SIGQUIT, SIGTSTP, SIGPIPE};
    // No restart: the wait is to be interrupted.
    struct sigaction action = {.sa_handler = take_signal};
    struct itimerval every = {{0, TICK_MS * 1000}, {0, TICK_MS * 1000}};
    sigset_t none;
    for (size_t i = 0; i < sizeof taken; i++)
        sigaction(taken[i], &action, NULL);
    for (size_t i = 0; i < sizeof ignored; i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

/* Do what is due by the clock, which also looks after a signal that came too early to interrupt. */
static void tick(const struct run *run) {
    // Who waits for the report may be gone.
    struct pollfd reader = {STDOUT_FILENO, 0, 0};
    has_ticked = false;
    has_output = true;
    look_at_pending(false);
    is_to_end |= !run->is_session && poll(&reader, 1, 0) > 0;
    is_to_end |= run->most_ms && run_time() >= run->most_ms;
}

/* Take what has happened to the app's threads, until the run ends or is given up. */
static void follow(struct run *run, bool is_traced) {
    for (is_to_end = false; !is_to_end && !run->ended && !(is_traced && run->untraced.size);) {
        int status;
        pid_t id = waitpid(-1, &status, __WALL);
        if (id > 0 && (is_traced || !WIFSTOPPED(status)))
            take_event(run, id, status);
        if (id < 0 && errno != EINTR)
            return;
        if (has_ticked)
            tick(run);
        if (has_output) {
            has_output = false;
            read_output(run->is_session);
        }
    }
}

static bool kill_child(const char *pid, void *about) {
    static struct text status, parent;
    (void)about;
    set_text(&parent, "\nPPid:\t", NULL);
    append_number(&parent, (uint64_t)getpid());
    append_all(&parent, "\n", NULL);
    if (read_process(pid, "status", &status) && strstr(status.data, parent.data))
        kill((pid_t)strtol(pid, NULL, 10), SIGKILL);
    return false;
}

/* End all that the app has started: who has lost its parent is our child. */
static void kill_all(struct run *run) {
    uint64_t end = now_ms() + REAP_MS;
    for (unsigned i = 0; i < count_of_processes; i++)
        if (!process_at(i)->ended)
            kill(process_at(i)->pid, SIGKILL);
    for (pid_t id = 0; id >= 0 && now_ms() < end;) {
        int status;
        id = waitpid(-1, &status, __WALL | WNOHANG);
        if (id > 0 && WIFSTOPPED(status))
            kill(id, SIGKILL);
        if (id == 0) {
            each_process(kill_child, NULL);
            read_output(run->is_session);
            usleep(REAP_POLL_MS * 1000);
        }
    }
    read_output(run->is_session);
}

static void begin_run(void) {
    begin_tracees();
    begin_notes();
    begin_sockets();
    begin_folders();
    begin_questions();
    begin_output();
}

/* Note what is only known at the end. */
static void finish(struct run *run, bool is_traced) {
    if (!run->ended) {
        run->at = run_time();
        if (is_traced)
            read_waits(run);
    }
    look_at_pending(!run->ended);
    note_unanswered();
    note_folders();
}

/* Run the app; false if that was to be traced and cannot be. */
static bool run_so(struct run *run, bool is_traced) {
    begin_run();
    run->ended = false;
    if (start_app(run, is_traced))
        follow(run, is_traced);
    bool gives_up = is_traced && run->untraced.size;
    if (!gives_up)
        finish(run, is_traced);
    kill_all(run);
    return read_failure(run, is_traced) && !gives_up;
}

/* Run the app once, traced if it can be. */
void run_once(struct run *run) {
    uint64_t killed_before = oom_kills();
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    take_signals();
    if (!run_so(run, true))
        run_so(run, false);
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    // From now on ^C is for us.
    restore_signals();
    signal(SIGPIPE, SIG_IGN);
    run->oom_kills = oom_kills() - killed_before;
}

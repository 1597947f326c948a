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
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 200, MOST_EVENTS = 64, REAP_MS = 3000, REAP_POLL_MS = 2 };

/* A user's ^C is for the app; what ends us ends the run. */
static int open_signals(void) {
    static const unsigned char taken[] = {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGPIPE};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof taken; i++) {
        signal(taken[i], SIG_DFL);
        sigaddset(&set, taken[i]);
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Say whether a signal has come that ends the run. */
static bool read_signals(int signals) {
    struct signalfd_siginfo info;
    bool ends = false;
    while (read(signals, &info, sizeof info) == sizeof info)
        ends |= info.ssi_signo == SIGTERM || info.ssi_signo == SIGHUP;
    return ends;
}

/* Take what has happened to the app's threads; false if there may be more. */
static bool take_events(struct run *run, bool is_traced) {
    for (int i = 0; i < MOST_EVENTS; i++) {
        int status;
        pid_t id = waitpid(-1, &status, __WALL | WNOHANG);
        if (id <= 0)
            return true;
        if (is_traced || !WIFSTOPPED(status))
            take_event(run, id, status);
        if (run->ended || (is_traced && run->untraced.size))
            return true;
    }
    return false;
}

/* Return for how long there is nothing to do by the clock, -1 for ever. */
static int pause_ms(const struct run *run) {
    uint64_t now = run_time(), left = now >= run->most_ms ? 0 : run->most_ms - now;
    if (!has_pending())
        return run->most_ms ? (int)(left < 1000000 ? left : 1000000) : -1;
    return (int)(run->most_ms && left < TICK_MS ? left : TICK_MS);
}

/* Wait until something happens; false if the run is to end. */
static bool wait_for_events(struct run *run, int signals, bool may_wait) {
    static uint64_t looked_at;
    struct pollfd polled[] = {
        {signals, POLLIN, 0},
        {output_handle(0), POLLIN, 0},
        {output_handle(1), POLLIN, 0},
        // Who waits for the report may be gone.
        {run->is_session ? -1 : STDOUT_FILENO, 0, 0},
    };
    poll(polled, 4, may_wait ? pause_ms(run) : 0);
    read_output(run->is_session);
    uint64_t now = run_time();
    if (now - looked_at >= TICK_MS) {
        looked_at = now;
        look_at_pending(false);
    }
    bool ends = polled[0].revents && read_signals(signals);
    return !ends && !polled[3].revents && (!run->most_ms || now < run->most_ms);
}

static void follow(struct run *run, int signals, bool is_traced) {
    bool has_all = true;
    do
        has_all = take_events(run, is_traced);
    while (!run->ended && !(is_traced && run->untraced.size) &&
           wait_for_events(run, signals, has_all));
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
static bool run_so(struct run *run, int signals, bool is_traced) {
    begin_run();
    run->ended = false;
    if (start_app(run, is_traced))
        follow(run, signals, is_traced);
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
    int signals = open_signals();
    if (!run_so(run, signals, true))
        run_so(run, signals, false);
    close(signals);
    run->oom_kills = oom_kills() - killed_before;
}

/* What is done when a traced thread stops, or ends. */
#include "base/text.h"
#include "trace/datagrams.h"
#include "trace/dns.h"
#include "trace/ends.h"
#include "trace/filter.h"
#include "trace/stops.h"
#include "trace/memory.h"
#include "trace/notes.h"
#include "trace/paths.h"
#include "trace/privileges.h"
#include "trace/signals.h"
#include "trace/sockets.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum { WATCH_MS = 8000, STOP_MS = 200, CALL_STOP = SIGTRAP | 0x80 };

static bool is_watched(struct process *process) {
    if (process->is_watched && run_time() > process->watched_until)
        process->is_watched = false;
    return process->is_watched;
}

/* Let a thread go on, to the end of its call if that is to be seen. */
static void resume(struct thread *thread, int signal) {
    bool stops = (thread->in_call && thread->traced) || is_watched(thread->process);
    if (!stops)
        thread->in_call = false;
    ptrace(stops ? PTRACE_SYSCALL : PTRACE_CONT, thread->id, 0, signal);
}

static struct process *watched;

static void interrupt(struct thread *thread) {
    if (thread->process == watched)
        ptrace(PTRACE_INTERRUPT, thread->id, 0, 0);
}

/* See all calls of a process for a while: another thread may read the answer. */
void watch_dns(struct thread *thread) {
    bool begins = !is_watched(thread->process);
    thread->process->is_watched = true;
    thread->process->watched_until = run_time() + WATCH_MS;
    watched = thread->process;
    if (begins && watched->threads > 1)
        each_thread(interrupt);
}

static void begin_call(struct thread *thread) {
    thread->in_call = read_registers(thread->id, &thread->asked);
    thread->since = run_time();
    thread->traced = NULL;
}

/* Look at a program that is to be executed: its name is gone when it is there. */
static void program_asked(struct run *run, struct thread *thread) {
    static struct text path;
    if (!path_argument(thread, thread->traced->folder, thread->traced->path, &path))
        return;
    free(thread->program);
    thread->program = strdup(path.data);
    if (gains_privileges(thread->process->pid, path.data))
        set_text(&run->untraced, "setuid: ", path.data, NULL);
}

/* A thread is at one of the calls that are looked at. */
static void stopped_at_call(struct run *run, struct thread *thread) {
    begin_call(thread);
    thread->traced = find_traced(thread->asked.number);
    switch (thread->traced ? thread->traced->shape : EXITS) {
    case EXECUTES:
        program_asked(run, thread);
        break;
    case TRACES:
        if (traces_itself(thread->asked.arguments[0]))
            set_text(&run->untraced, "it traces itself", NULL);
        break;
    case KILLS:
        kill_begun(thread);
        break;
    case SENDS:
    case SENDS_MESSAGE:
    case WRITES:
        datagram_sent(thread);
        break;
    case EXITS:
        look_at_pending(false);
        thread->traced = NULL;
        break;
    default:
        break;
    }
}

/* A thread is at the begin or at the end of a call. */
static void stopped_in_call(struct thread *thread) {
    struct asked now;
    if (!thread->in_call) {
        begin_call(thread);
        return;
    }
    thread->in_call = false;
    if (!read_registers(thread->id, &now))
        return;
    if (thread->traced)
        call_ended(thread, now.result);
    else
        watched_ended(thread, now.result);
    thread->traced = NULL;
}

static pid_t event_message(pid_t id) {
    unsigned long message = 0;
    ptrace(PTRACE_GETEVENTMSG, id, 0, &message);
    return (pid_t)message;
}

/* A process has become another program; who asked for it has the process's number now. */
static void executed(struct thread *thread) {
    struct thread *asker = find_thread(event_message(thread->id));
    if (asker && asker->program && asker->process == thread->process)
        note_found(asker->program);
    forget_others(thread);
    free(thread->program);
    thread->program = NULL;
    thread->process->is_watched = false;
    thread->in_call = false;
    note_program(thread->process);
    hold_memory(thread);
}

/* Have a call fail that the container's filter denies, as it would have; false if it is another
   signal. */
static bool was_denied(struct thread *thread, int signal) {
    siginfo_t info = {0};
    if (signal != SIGSYS || ptrace(PTRACE_GETSIGINFO, thread->id, 0, &info) != 0 ||
        info.si_code != SYS_SECCOMP || info.si_errno != DENIED_HERE)
        return false;
    begin_call(thread);
    thread->in_call = false;
    thread->traced = find_traced(thread->asked.number);
    if (thread->traced)
        call_ended(thread, -EPERM);
    thread->traced = NULL;
    return write_result(thread->id, -EPERM);
}

static bool is_stopping(int signal) {
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* Stop as the app does, so that the user's shell sees it: once for all of the app's processes, of
   which those that stopped meanwhile have been continued with us. */
static void stop_too(void) {
    static uint64_t continued;
    if (continued && run_time() - continued < STOP_MS)
        return;
    raise(SIGSTOP);
    continued = run_time();
}

static void ended(struct run *run, pid_t id, int status) {
    struct thread *thread = find_thread(id);
    if (id == run->app) {
        run->ended = true;
        run->status = status;
        run->at = run_time();
    }
    if (!thread)
        return;
    if (thread->process->pid == id) {
        note_end(thread->process, status);
        if (WIFSIGNALED(status))
            process_killed(thread->process, WTERMSIG(status));
        forget_others(thread);
    }
    forget_thread(thread);
}

/* Let a thread of which nothing is known go on. */
static void resume_unknown(pid_t id, int event, int signal) {
    bool is_signal = !event && signal != CALL_STOP;
    ptrace(PTRACE_CONT, id, 0, is_signal ? signal : 0);
}

static void stopped(struct run *run, struct thread *thread, int event, int signal) {
    int delivered = 0;
    switch (event) {
    case PTRACE_EVENT_SECCOMP:
        stopped_at_call(run, thread);
        break;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        hold_memory(adopt(event_message(thread->id)));
        break;
    case PTRACE_EVENT_EXEC:
        executed(thread);
        break;
    case PTRACE_EVENT_STOP:
        if (is_stopping(signal)) {
            ptrace(PTRACE_LISTEN, thread->id, 0, 0);
            if (run->is_session && signal == SIGTSTP)
                stop_too();
            return;
        }
        break;
    default:
        if (signal == CALL_STOP) {
            stopped_in_call(thread);
        } else if (!was_denied(thread, signal)) {
            delivered = signal;
            signal_got(thread, signal);
        }
    }
    if (!run->untraced.size)
        resume(thread, delivered);
}

/* Take what waitpid tells of a thread. */
void take_event(struct run *run, pid_t id, int status) {
    if (!WIFSTOPPED(status)) {
        ended(run, id, status);
        return;
    }
    struct thread *thread = adopt(id);
    int event = status >> 16;
    if (thread)
        stopped(run, thread, event, WSTOPSIG(status));
    else
        resume_unknown(id, event, WSTOPSIG(status));
}

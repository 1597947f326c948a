/* The calls in which the app's threads are, when the time is over. */
#include "trace/waits.h"
#include "base/files.h"
#include "base/json.h"
#include "trace/facts.h"
#include "trace/notes.h"
#include "trace/paths.h"
#include "trace/sockets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

enum { MOST_WAITS = 32 };

static struct run *run;
static unsigned count;

/* Parse "NUMBER 0xARGUMENT ...", of /proc/PID/syscall; a thread that runs has none. */
static bool parse_asked(const char *told, struct asked *asked) {
    char *end;
    if (!parse_number(&told, 10, &asked->number))
        return false;
    for (int i = 0; i < ARGUMENTS; i++, told = end)
        asked->arguments[i] = strtoull(told, &end, 16);
    return true;
}

/* Say whether a call's first argument is the handle that it waits for. */
static bool waits_for_handle(uint64_t number) {
    static const unsigned short numbers[] = {
        SYS_read, SYS_readv, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg, SYS_accept, SYS_accept4,
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

static void append_members(struct text *list, const char *members) {
    if (members && *members) {
        json_separate(list);
        append_all(list, members, NULL);
    }
}

static void tell_handle(struct thread *thread, struct text *list) {
    static struct text path;
    int64_t handle = (int)thread->asked.arguments[0];
    const struct used_socket *used = find_socket(thread, handle);
    if (used)
        append_members(list, used->remote ? used->remote : used->local);
    else if (handle_path(thread, handle, &path))
        json_word(list, "path", path.data);
}

/* Note a connection that has not been made. */
static void note_waiting(const struct thread *thread, const char *facts) {
    if (thread->traced->shape == CONNECTS && thread->in_call)
        note(&(struct seen){FAILED, "connect", 0, thread->process->pid, thread->since, facts, NULL})
            ->waited = run_time() - thread->since;
}

static void tell_wait(struct thread *thread) {
    static struct object object;
    struct text *list = &run->waits;
    const char *name = call_name(thread->asked.number);
    json_separate(list);
    append_all(list, "{", NULL);
    json_number(list, "pid", (uint64_t)thread->process->pid);
    json_number(list, "thread", (uint64_t)thread->id);
    json_word(list, "call", name ? name : "other");
    if (thread->in_call)
        json_number(list, "since", thread->since);
    if (thread->traced && read_object(thread, &object)) {
        append_members(list, object.facts.data);
        note_waiting(thread, object.facts.data);
    }
    if (waits_for_handle(thread->asked.number))
        tell_handle(thread, list);
    append_all(list, "}", NULL);
}

static void visit(struct thread *thread) {
    static struct text path, told;
    struct asked asked = {0};
    if (count >= MOST_WAITS)
        return;
    thread_link(thread, "syscall", -1, &path);
    if (!read_at(AT_FDCWD, path.data, &told) || !parse_asked(told.data, &asked))
        return;
    // A call that was restarted has another number.
    if (asked.number != thread->asked.number && asked.number != SYS_restart_syscall)
        thread->in_call = false;
    if (!thread->in_call) {
        thread->asked = asked;
        thread->traced = find_traced(asked.number);
    }
    count++;
    tell_wait(thread);
}

static void visit_first(struct thread *thread) {
    if (thread->process->pid == run->app && thread->id == run->app)
        visit(thread);
}

static void visit_others(struct thread *thread) {
    if (thread->id != run->app)
        visit(thread);
}

/* Read in which calls the threads are, that of the app's first thread before others. */
void read_waits(struct run *current) {
    run = current;
    count = 0;
    set_text(&run->waits, "[", NULL);
    each_thread(visit_first);
    each_thread(visit_others);
    append_all(&run->waits, "]", NULL);
}

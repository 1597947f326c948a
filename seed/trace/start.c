/* The start of the app, as a child that waits until it is traced. */
#include "base/json.h"
#include "base/programs.h"
#include "base/say.h"
#include "base/waiting.h"
#include "trace/filter.h"
#include "trace/notes.h"
#include "trace/run.h"
#include "trace/tracees.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

enum { NO_FILTER = 'f', NO_PROGRAM = 'p' };
enum {
    OPTIONS = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
              PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL,
};

/* What the child and we tell each other: that it is traced, and what has failed. */
struct lines {
    int go[2], failed[2];
};

static int code_of(int cause) {
    return cause == ENOENT || cause == ENOTDIR ? NOT_FOUND : CANNOT_RUN;
}

static void take_streams(const struct run *run) {
    int writing[2];
    output_pipes(writing);
    if (!run->is_session) {
        // As the first process of a container, which has no terminal.
        setsid();
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    }
    dup2(writing[0], STDOUT_FILENO);
    dup2(writing[1], STDERR_FILENO);
}

static _Noreturn void give_up(const struct lines *lines, char what, int cause) {
    char told[] = {what, (char)cause};
    ssize_t written = write(lines->failed[1], told, sizeof told);
    _exit(written < 0 ? FAILURE : code_of(cause));
}

static _Noreturn void become_app(const struct run *run, const struct lines *lines, bool is_traced,
                                 const char *program) {
    char byte;
    int cause = run->cause;
    restore_signals();
    take_streams(run);
    if (read(lines->go[0], &byte, 1) != 1)
        _exit(FAILURE);
    if (is_traced && !set_filter())
        give_up(lines, NO_FILTER, errno);
    if (!cause) {
        execve(program, run->launch->words.items, run->launch->environment);
        cause = errno;
    }
    give_up(lines, NO_PROGRAM, cause);
}

/* Note that a program cannot be started, unless that was seen. */
static void note_unstarted(const struct run *run, int cause) {
    static struct text facts;
    const char *name = run->launch->words.items[0];
    set_text(&facts, "", NULL);
    json_word(&facts, "path", name);
    json_word(&facts, "access", "x");
    note(&(struct seen){FAILED, "execve", cause, run->app, 0, facts.data, name})->is_program = true;
}

static bool refuse(struct run *run, int cause) {
    set_text(&run->untraced, "refused: ", strerror(cause), NULL);
    return false;
}

static bool let_go(struct run *run, const struct lines *lines, bool is_traced) {
    if (is_traced && ptrace(PTRACE_SEIZE, run->app, 0, OPTIONS) != 0)
        return refuse(run, errno);
    struct thread *thread = adopt(run->app);
    if (thread)
        set_words(thread->process, run->launch->words);
    return write(lines->go[1], "", 1) == 1;
}

/* There is no process left for the app. */
static bool fail(struct run *run, int cause) {
    note(&(struct seen){FAILED, "fork", cause, 0, 0, "", NULL});
    run->app = 0;
    run->ended = true;
    run->status = CANNOT_RUN << 8;
    return false;
}

/* Read what the child has told of a failure; false if it could not be traced. */
bool read_failure(struct run *run, bool is_traced) {
    char told[2];
    bool is_told = read(run->failed, told, sizeof told) == sizeof told;
    close(run->failed);
    if (is_told && told[0] == NO_FILTER)
        return refuse(run, told[1]);
    if (is_told && (run->cause || !is_traced))
        note_unstarted(run, told[1]);
    return true;
}

/* Start the app; false if it cannot be traced. */
bool start_app(struct run *run, bool is_traced) {
    static struct text program;
    struct lines lines;
    const char *name = run->launch->words.items[0];
    program.size = 0;
    run->cause = find_program(name, path_of(run->launch->environment), &program);
    // What has a path is tried, and seen to fail.
    if (strchr(name, '/'))
        run->cause = 0;
    if (pipe2(lines.go, O_CLOEXEC) != 0 || pipe2(lines.failed, O_CLOEXEC | O_NONBLOCK) != 0)
        return refuse(run, errno);
    run->app = fork();
    if (run->app == 0)
        become_app(run, &lines, is_traced, program.data);
    close_writing();
    bool is_started = run->app < 0 ? fail(run, errno) : let_go(run, &lines, is_traced);
    close(lines.go[0]);
    close(lines.go[1]);
    close(lines.failed[1]);
    run->failed = lines.failed[0];
    return is_started;
}

/* The report of a run: JSON Lines. */
#include "trace/report.h"
#include "base/json.h"
#include "base/processes.h"
#include "trace/limits.h"
#include "trace/names.h"
#include "trace/notes.h"
#include "trace/things.h"
#include "trace/tracees.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the whole, and what is left of it for the last lines, and for those after the processes. */
enum { LARGEST = 512 << 10, LAST = 128 << 10, AFTER_PROCESSES = 320 << 10 };
enum { MOST_WORDS = 64, LONGEST_WORD = 1024, MOST_NAMES = 1024, LONGEST_NAME = 256 };
enum { VERSION = 1 };

#ifdef __x86_64__
#define ARCHITECTURE "amd64"
#else
#define ARCHITECTURE "arm64"
#endif

static struct text line;
static unsigned left_out;

static void begin_line(const char *kind) {
    set_text(&line, "{", NULL);
    json_word(&line, "kind", kind);
}

static void append_members(const char *members) {
    if (members && *members) {
        json_separate(&line);
        append_all(&line, members, NULL);
    }
}

/* Append a line, if that leaves room for so much. */
static void end_line(struct text *report, size_t room) {
    append_all(&line, "}\n", NULL);
    if (report->size + line.size + room <= LARGEST)
        append(report, line.data, line.size);
    else
        left_out++;
}

static void tell_list(const char *key, struct words words, size_t most, size_t longest) {
    json_open(&line, key, "[");
    for (size_t i = 0; i < words.count && i < most; i++)
        json_item(&line, words.items[i], strnlen(words.items[i], longest));
    append_all(&line, "]", NULL);
}

static void tell_groups(void) {
    gid_t groups[64];
    int count = getgroups(64, groups);
    json_open(&line, "groups", "[");
    for (int i = 0; i < count; i++) {
        json_separate(&line);
        append_number(&line, groups[i]);
    }
    append_all(&line, "]", NULL);
}

static void tell_capabilities(void) {
    static struct text status;
    const char *name = "\nCapEff:\t";
    const char *at = read_process("self", "status", &status) ? strstr(status.data, name) : NULL;
    char found[17] = "";
    if (!at)
        return;
    strncpy(found, at + strlen(name), 16);
    json_word(&line, "caps", found);
}

static void tell_limit(const char *key, uint64_t limit) {
    if (limit)
        json_number(&line, key, limit);
}

static void report_run(const struct run *run, struct text *report) {
    char folder[PATH_MAX];
    begin_line("run");
    json_number(&line, "version", VERSION);
    json_word(&line, "arch", ARCHITECTURE);
    json_number(&line, "uid", geteuid());
    json_number(&line, "gid", getegid());
    tell_groups();
    tell_capabilities();
    tell_list("words", run->launch->words, MOST_WORDS, LONGEST_WORD);
    json_word(&line, "folder", getcwd(folder, sizeof folder));
    tell_limit("limit_memory", memory_limit());
    tell_limit("limit_pids", process_limit());
    if (run->untraced.size)
        json_word(&line, "untraced", run->untraced.data);
    end_line(report, 0);
}

static void tell_variables(const char *key, char **environment, bool only_empty) {
    json_open(&line, key, "[");
    for (size_t i = 0; environment[i] && i < MOST_NAMES; i++) {
        size_t size = strcspn(environment[i], "=");
        bool is_empty = environment[i][size] && !environment[i][size + 1];
        if (!only_empty || is_empty)
            json_item(&line, environment[i], size < LONGEST_NAME ? size : LONGEST_NAME);
    }
    append_all(&line, "]", NULL);
}

static void report_variables(const struct run *run, struct text *report) {
    begin_line("env");
    tell_variables("names", run->launch->environment, false);
    tell_variables("empty", run->launch->environment, true);
    end_line(report, AFTER_PROCESSES);
}

static void tell_end(int status) {
    if (WIFSIGNALED(status))
        json_word(&line, "signal", signal_name(WTERMSIG(status)));
    else
        json_number(&line, "code", WEXITSTATUS(status));
}

static void report_process(const struct process *process, struct text *report) {
    begin_line("process");
    json_number(&line, "pid", (uint64_t)process->pid);
    json_number(&line, "parent", (uint64_t)process->parent);
    json_number(&line, "at", process->at);
    if (process->words) {
        json_key(&line, "words");
        append_all(&line, process->words, NULL);
    }
    json_word(&line, "exe", process->exe);
    if (process->ended) {
        json_number(&line, "end", process->end);
        tell_end(process->status);
    }
    end_line(report, AFTER_PROCESSES);
}

static void report_signal(const struct process *process, const struct got *got,
                          struct text *report) {
    if (!got->number)
        return;
    begin_line("signal");
    json_number(&line, "pid", (uint64_t)process->pid);
    json_number(&line, "at", got->at);
    append_members(got->facts);
    if (process->ended && WIFSIGNALED(process->status) && WTERMSIG(process->status) == got->number)
        json_true(&line, "fatal");
    end_line(report, LAST);
}

/* Say whether it is of no use to know what is at a path: the same name was found elsewhere, as when
   libraries and modules are searched for. */
static bool is_searched(const struct note *note) {
    return note->found && (strstr(base_name(note->path), ".so") || !begins(note->call, "open"));
}

/* Tell what is at the path of a call that failed, and what would be needed to see why. */
static void tell_things(const struct note *note) {
    bool is_there = tell_thing(&line, note->path);
    bool is_missing = note->error == ENOENT || note->error == ENOTDIR;
    if (note->is_program)
        tell_program(&line, note->path);
    if (!is_there || !is_missing)
        tell_nearest(&line, note->path, is_missing && !is_there);
}

static void report_note(const struct note *note, const char *kind, struct text *report) {
    begin_line(kind);
    json_word(&line, "call", note->call);
    json_number(&line, "pid", (uint64_t)note->pid);
    json_number(&line, "at", note->at);
    json_number(&line, "first", note->first);
    json_number(&line, "count", note->count);
    if (note->kind == FAILED && note->error)
        json_word(&line, "error", error_name(note->error) ? error_name(note->error) : "other");
    else if (note->kind == FAILED)
        json_true(&line, "pending");
    append_members(note->facts);
    json_word(&line, "found", note->found);
    if (note->waited)
        json_number(&line, "waited", note->waited);
    if (note->kind == FAILED && note->path && !is_searched(note))
        tell_things(note);
    end_line(report, LAST);
}

/* Report all of a kind, what was seen last first: of too much the rest is left out. */
static void report_notes(enum kind kind, const char *name, struct text *report) {
    unsigned before = UINT_MAX;
    for (;;) {
        const struct note *last = NULL;
        for (const struct note *at = NULL; (at = next_note(kind, at));)
            if (at->seen < before && (!last || at->seen > last->seen))
                last = at;
        if (!last)
            return;
        report_note(last, name, report);
        before = last->seen;
    }
}

static void report_output(struct text *report) {
    for (int stream = 0; stream < 2; stream++) {
        tell_output(stream, &line);
        if (line.size)
            append_all(report, line.data, "\n", NULL);
    }
}

static void report_end(const struct run *run, struct text *report) {
    begin_line("end");
    json_number(&line, "at", run->at);
    json_number(&line, "pid", (uint64_t)run->app);
    if (run->ended)
        tell_end(run->status);
    else
        json_true(&line, "running");
    tell_limit("peak_memory", peak_memory());
    if (run->oom_kills)
        json_number(&line, "oom_kills", run->oom_kills);
    json_number(&line, "dropped", dropped_notes + dropped_processes + left_out);
    json_number(&line, "elapsed", run->at);
    if (!run->ended && run->waits.size) {
        json_key(&line, "waits");
        append_all(&line, run->waits.data, NULL);
    }
    end_line(report, 0);
}

static void report_traced(struct text *report) {
    for (unsigned i = 0; i < count_of_processes; i++)
        report_process(process_at(i), report);
    for (unsigned i = 0; i < count_of_processes; i++) {
        report_signal(process_at(i), &process_at(i)->fault, report);
        report_signal(process_at(i), &process_at(i)->last, report);
    }
    report_notes(FAILED, "call", report);
    report_notes(CONNECTED, "connected", report);
    report_notes(LISTENING, "listening", report);
    report_notes(ASKED, "dns", report);
    report_notes(OPENED, "opened", report);
}

/* Write the report of a run that is over. */
void write_report(const struct run *run, struct text *report) {
    left_out = 0;
    report_run(run, report);
    report_variables(run, report);
    if (run->untraced.size)
        report_notes(FAILED, "call", report);
    else
        report_traced(report);
    report_output(report);
    report_end(run, report);
}

/* The commands: trace reports at once, run-app --why has the client answer. */
#include "trace/explain.h"
#include "base/files.h"
#include "base/say.h"
#include "base/waiting.h"
#include "commands.h"
#include "toolkit/folder.h"
#include "trace/masks.h"
#include "trace/report.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFAULT_SECONDS = 60, ANSWER_POLL_MS = 20, ANSWER_WAIT_MS = 20000, REPORT_POLL_MS = 50 };
/* What tells the client that there is a report: a terminal passes over it. */
#define HAS_REPORT "\x1b]7717;why\x07"

int trace(struct words words) {
    static struct text report, masked;
    static struct masks masks;
    struct words arguments = {0};
    struct launch launch;
    struct run run = {.launch = &launch};
    uint64_t seconds = DEFAULT_SECONDS;
    while (words.count && !equal(*words.items, "--")) {
        bool is_time = words.count > 1 && equal(*words.items, "--for");
        if (is_time ? !is_number(words.items[1], &seconds) : !take_mask(words, &masks))
            return WRONG_USAGE;
        words = (struct words){words.items + 2, words.count - 2};
    }
    bool has_arguments = words.count;
    if (has_arguments)
        arguments = (struct words){words.items + 1, words.count - 1};
    int code = prepare_launch(has_arguments ? &arguments : NULL, &launch);
    if (code != SUCCESS)
        return code;
    run.most_ms = seconds * 1000;
    run_once(&run);
    write_report(&run, &report);
    read_masks(&masks, launch.environment);
    mask_report(&report, &masked);
    return write_all(STDOUT_FILENO, masked.data, masked.size) ? SUCCESS : FAILURE;
}

static void remove_from_toolkit(const char *name) {
    int folder = open_toolkit();
    if (folder >= 0)
        unlinkat(folder, name, 0);
}

/* Show the client's answer, so that it does nothing to the terminal. */
static void show_answer(void) {
    static struct text answer;
    if (!wait_for("answer", ANSWER_POLL_MS, ANSWER_WAIT_MS) || !read_toolkit("answer", &answer)) {
        say("run-app: no answer from kubectl scratch; run kubectl scratch why instead", NULL);
        return;
    }
    for (char *line = answer.data, *end; *line; line = end) {
        end = strchrnul(line, '\n');
        bool has_more = *end;
        *end = 0;
        say(line, NULL);
        end += has_more;
    }
}

static void explain(const struct run *run) {
    static struct text report;
    write_report(run, &report);
    remove_from_toolkit("answer");
    if (!write_toolkit_as("report", report.data, report.size, 0600)) {
        say("run-app: ", toolkit_folder(), ": ", reason(), NULL);
        return;
    }
    if (isatty(STDERR_FILENO))
        write_all(STDERR_FILENO, HAS_REPORT, sizeof HAS_REPORT - 1);
    show_answer();
    remove_from_toolkit("report");
    remove_from_toolkit("answer");
}

/* Run the app in a session, and explain how it ended; 0 seconds is for ever. */
int run_and_explain(const struct launch *launch, uint64_t seconds) {
    struct run run = {.launch = launch, .most_ms = seconds * 1000, .is_session = true};
    remove_from_toolkit("report");
    run_once(&run);
    explain(&run);
    if (!run.ended)
        return FAILURE;
    return WIFSIGNALED(run.status) ? 128 + WTERMSIG(run.status) : WEXITSTATUS(run.status);
}

/* Say whether who reads our output has gone. */
static bool is_left(void) {
    struct pollfd own = {STDOUT_FILENO, 0, 0};
    return poll(&own, 1, 0) > 0;
}

int report(struct words words) {
    static struct text found, masked;
    static struct masks masks;
    struct launch launch;
    while (words.count) {
        if (!take_mask(words, &masks))
            return WRONG_USAGE;
        words = (struct words){words.items + 2, words.count - 2};
    }
    while (!wait_for("report", REPORT_POLL_MS, REPORT_POLL_MS * 10))
        if (is_left())
            return FAILURE;
    int code = prepare_launch(NULL, &launch);
    if (code != SUCCESS)
        return code;
    if (!read_toolkit("report", &found))
        return FAILURE;
    read_masks(&masks, launch.environment);
    mask_report(&found, &masked);
    return write_all(STDOUT_FILENO, masked.data, masked.size) ? SUCCESS : FAILURE;
}

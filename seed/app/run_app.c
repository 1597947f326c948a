/* run-app: become the app of the held target, or run it once under the tracer. */
#include "commands.h"
#include "app/launch.h"
#include "base/files.h"
#include "base/programs.h"
#include "base/say.h"
#include "trace/explain.h"

#include <string.h>
#include <unistd.h>

enum { LONGEST_SECONDS = 31536000 };

struct options {
    bool strace, why, has_arguments;
    uint64_t seconds;
    struct words arguments;
};

static int tell_help(void) {
    static const char help[] =
        "run-app [--strace | --why [--for DURATION]] [-- ARGS...]\n"
        "Start the app as its container would have started it.\n"
        "  --strace        Run it under strace, if the toolkit has strace.\n"
        "  --why           Trace the app, and explain why it ends.\n"
        "  --for DURATION  With --why, kill the app after this time (default: never).\n"
        "  -- ARGS         Pass these arguments instead of its own.\n";
    return write_all(STDOUT_FILENO, help, sizeof help - 1) ? SUCCESS : FAILURE;
}

/* Say whether a word is a time as kubectl has it, 90s or 1m30s, or a plain number of seconds. */
static bool is_duration(const char *word, uint64_t *seconds) {
    uint64_t all = 0, part;
    do {
        if (!parse_number(&word, 10, &part) || part > LONGEST_SECONDS)
            return false;
        all += part * (*word == 'h' ? 3600 : *word == 'm' ? 60 : 1);
        // A number without a unit stands alone.
        if (*word ? !strchr("hms", *word) : all != part)
            return false;
        word += *word != 0;
    } while (*word);
    *seconds = all;
    return all > 0;
}

/* Become strace, which finds the app in the app's environment as we would. */
static int become_strace(struct words words, char **environment) {
    char *strace[] = {"strace", "-f"};
    struct text found = {0};
    if (find_program("strace", path_of(environ), &found) != 0) {
        say("run-app: strace not found; use debug --toolkit-file to bring one", NULL);
        return NOT_FOUND;
    }
    struct words all = concat((struct words){strace, 2}, words);
    all.items[0] = found.data;
    return replace_by("run-app", all, environment, "no such file");
}

/* Parse the flags; false with a line told for one that is not known. */
static bool parse_options(struct words words, struct options *options) {
    for (size_t i = 0; i < words.count; i++) {
        const char *word = words.items[i];
        if (equal(word, "--strace")) {
            options->strace = true;
        } else if (equal(word, "--why")) {
            options->why = true;
        } else if (begins(word, "--for=") && is_duration(word + 6, &options->seconds)) {
            continue;
        } else if (equal(word, "--for") && i + 1 < words.count &&
                   is_duration(words.items[i + 1], &options->seconds)) {
            i++;
        } else if (equal(word, "--")) {
            options->has_arguments = true;
            options->arguments = (struct words){words.items + i + 1, words.count - i - 1};
            return true;
        } else {
            say("run-app: ", word, ": unknown flag, or without its value; see run-app --help",
                NULL);
            return false;
        }
    }
    return true;
}

int run_app(struct words words) {
    struct options options = {0};
    struct launch launch;
    if (words.count && equal(words.items[0], "--help"))
        return tell_help();
    if (!parse_options(words, &options))
        return FAILURE;
    int code = prepare_launch(options.has_arguments ? &options.arguments : NULL, &launch);
    if (code != SUCCESS)
        return code;
    if (options.strace)
        return become_strace(launch.words, launch.environment);
    if (options.why)
        return run_and_explain(&launch, options.seconds);
    return replace_by("run-app", launch.words, launch.environment, "no such file");
}

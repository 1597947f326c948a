/* run-app: become the app of the held target. */
#include "commands.h"
#include "app/holder.h"
#include "base/files.h"
#include "base/processes.h"
#include "base/programs.h"
#include "base/say.h"

#include <unistd.h>

struct options {
    bool strace, has_arguments;
    struct words arguments;
};

static int tell_unknown(void) {
    say("run-app: the image's command is unknown", why_undiscovered(), NULL);
    say("run-app: use debug --command 'WORDS', or debug --learn to discover it", NULL);
    return FAILURE;
}

static int tell_state(enum state state) {
    if (state == BESIDE)
        say("run-app: this shell is beside the target; use ", goes_inside, NULL);
    else
        say("run-app: the target is not on hold and runs its own command; use debug --hold", NULL);
    return FAILURE;
}

static int tell_help(void) {
    static const char help[] =
        "run-app [--strace] [-- ARGS...]\n"
        "Start the app as its container would have started it.\n"
        "  --strace    Run it under strace, if the toolkit has strace.\n"
        "  -- ARGS     Pass these arguments instead of its own.\n";
    return write_all(STDOUT_FILENO, help, sizeof help - 1) ? SUCCESS : FAILURE;
}

/* Become strace, which finds the app in the app's environment as we would. */
static int trace(struct words words, char **environment) {
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

static int start(const struct app *app, const struct options *options) {
    struct text environment = {0}, folder = {0};
    if (!read_process(app->pid.data, "environ", &environment)) {
        say("run-app: cannot read the app's environment: ", reason(), NULL);
        return FAILURE;
    }
    append_all(&folder, "/proc/", app->pid.data, "/cwd", NULL);
    // A runtime enters it as root before it takes the app's user, and so it has done for us.
    if (chdir(folder.data) != 0 && !is_as_ours(app->pid.data, "cwd")) {
        say("run-app: cannot enter the app's working directory: ", reason(),
            "; a new session begins in it", NULL);
        return FAILURE;
    }
    struct words arguments = options->has_arguments ? options->arguments : app->arguments;
    struct words all = concat(app->command, arguments);
    char **variables = split(&environment).items;
    if (!all.count)
        return tell_unknown();
    if (options->strace)
        return trace(all, variables);
    return replace_by("run-app", all, variables, "no such file");
}

/* Parse the flags; false with a line told for one that is not known. */
static bool parse_options(struct words words, struct options *options) {
    for (size_t i = 0; i < words.count; i++)
        if (equal(words.items[i], "--strace")) {
            options->strace = true;
        } else if (equal(words.items[i], "--")) {
            options->has_arguments = true;
            options->arguments = (struct words){words.items + i + 1, words.count - i - 1};
            return true;
        } else {
            say("run-app: ", words.items[i], ": unknown flag; see run-app --help", NULL);
            return false;
        }
    return true;
}

int run_app(struct words words) {
    struct options options = {0};
    struct app app = {0};
    if (words.count && equal(words.items[0], "--help"))
        return tell_help();
    if (!parse_options(words, &options))
        return FAILURE;
    enum state state = find_app(&app);
    if (state != HELD)
        return tell_state(state);
    if (is_images(&app) && !wait_for_discovery(&app))
        return tell_unknown();
    // Of a run without arguments of the pod's it is not known where the image's begin.
    if (is_images(&app) && options.has_arguments && !app.arguments.count) {
        say("run-app: it is unknown where the arguments in the image's command begin;"
            " use debug --command", NULL);
        return FAILURE;
    }
    return start(&app, &options);
}

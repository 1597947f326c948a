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
    say("run-app: the command is the image's own and not known", why_unlearned(), NULL);
    say("run-app: debug --command 'WORDS' names it, debug --learn watches one run", NULL);
    return FAILURE;
}

static int tell_state(enum state state) {
    if (state == BESIDE)
        say("run-app: this is beside the target; ", goes_inside, " goes inside it", NULL);
    else
        say("run-app: the target is not held, it runs its own command; debug --hold holds it", NULL);
    return FAILURE;
}

static int tell_help(void) {
    static const char help[] =
        "run-app [--strace] [-- ARGS...]\n"
        "Becomes the app, as its container would have started it.\n"
        "  --strace    under strace, if the toolkit has it\n"
        "  -- ARGS     with these arguments in place of its own\n";
    return write_all(STDOUT_FILENO, help, sizeof help - 1) ? SUCCESS : FAILURE;
}

/* Become strace, which finds the app in the app's environment as we would. */
static int trace(struct words words, char **environment) {
    char *strace[] = {"strace", "-f"};
    struct text found = {0};
    if (find_program("strace", path_of(environ), &found) != 0) {
        say("run-app: there is no strace; debug --toolkit-file brings one", NULL);
        return NOT_FOUND;
    }
    struct words all = concat((struct words){strace, 2}, words);
    all.items[0] = found.data;
    return replace_by("run-app", all, environment, "no such file");
}

static int start(const struct app *app, const struct options *options) {
    struct text environment = {0}, folder = {0};
    if (!read_process(app->pid.data, "environ", &environment)) {
        say("run-app: the app's environment can't be read: ", reason(), NULL);
        return FAILURE;
    }
    append_all(&folder, "/proc/", app->pid.data, "/cwd", NULL);
    // A runtime enters it as root before it takes the app's user, and so it has done for us.
    if (chdir(folder.data) != 0 && !is_as_ours(app->pid.data, "cwd")) {
        say("run-app: the app's working directory can't be entered: ", reason(),
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
            say("run-app: ", words.items[i], ": not known; run-app --help tells the flags", NULL);
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
    if (is_images(&app) && !wait_for_learned(&app))
        return tell_unknown();
    // Of a run without arguments of the pod's it is not known where the image's begin.
    if (is_images(&app) && options.has_arguments && !app.arguments.count) {
        say("run-app: where the image's own arguments begin is not known;"
            " debug --command names it", NULL);
        return FAILURE;
    }
    return start(&app, &options);
}

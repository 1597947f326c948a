/* What starts the app: the words, variables and folder of the held target. */
#include "app/launch.h"
#include "app/holder.h"
#include "base/processes.h"
#include "base/say.h"

#include <unistd.h>

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

static int enter_target(const struct app *app, const struct words *arguments,
                        struct launch *launch) {
    static struct text environment, folder;
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
    launch->words = concat(app->command, arguments ? *arguments : app->arguments);
    launch->environment = split(&environment).items;
    return launch->words.count ? SUCCESS : tell_unknown();
}

/* Find what the held target runs, with other arguments if there are any, and go into its folder;
   returns the exit code, with a line told if that fails. */
int prepare_launch(const struct words *arguments, struct launch *launch) {
    static struct app app;
    enum state state = find_app(&app);
    if (state != HELD)
        return tell_state(state);
    if (is_images(&app) && !wait_for_discovery(&app))
        return tell_unknown();
    // Of a run without arguments of the pod's it is not known where the image's begin.
    if (is_images(&app) && arguments && !app.arguments.count) {
        say("run-app: it is unknown where the arguments in the image's command begin;"
            " use debug --command", NULL);
        return FAILURE;
    }
    return enter_target(&app, arguments, launch);
}

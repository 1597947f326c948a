/* show-app: the app's command, where it is from, and its directory. */
#include "commands.h"
#include "app/holder.h"
#include "base/files.h"
#include "base/processes.h"
#include "base/programs.h"
#include "base/say.h"
#include "base/shown.h"
#include "toolkit/folder.h"

#include <string.h>
#include <unistd.h>

static void append_words(struct text *text, const char *name, struct words words) {
    append_all(text, name, ":", NULL);
    for (size_t i = 0; i < words.count; i++)
        append_quoted(text, words.items[i]);
    append_all(text, "\n", NULL);
}

static void append_directory(struct text *text, const char *pid) {
    struct text folder = {0};
    if (process_link(pid, "cwd", &folder))
        append_words(text, "directory", (struct words){&folder.data, 1});
    else
        append_all(text, "directory: unknown\n", NULL);
}

static void append_undiscovered(struct text *text, const struct app *app) {
    append_all(text, "command: unknown\n", NULL);
    if (app->arguments.count)
        append_words(text, "arguments", app->arguments);
    if (is_being_discovered())
        append_all(text, "from: the image, being discovered\n", NULL);
    else
        append_all(text, "from: the image, unknown", why_undiscovered(), "\n", NULL);
}

/* What was learned is in the target's toolkit, and what runs there is not ours to see. */
static void append_elsewhere(struct text *text) {
    append_all(text, "command: unknown here; use ", goes_inside, ", then show-app\n", NULL);
}

static void append_app(struct text *text, struct app *app, enum state state) {
    const char *from = equal(app->from, "user") ? "--command" : "the pod's spec";
    if (is_images(app)) {
        if (state == BESIDE) {
            append_elsewhere(text);
            return;
        }
        if (!take_discovered(app)) {
            append_undiscovered(text, app);
            return;
        }
        from = "entrypoint discovery";
    }
    append_words(text, "command", concat(app->command, app->arguments));
    append_all(text, "from: ", from, "\n", NULL);
}

/* Say whether a process is of one of our sessions: the seed has put the tools on its PATH. */
static bool is_session(const char *pid) {
    struct text environment = {0}, bin = {0};
    append_all(&bin, toolkit_folder(), "/bin", NULL);
    if (!read_process(pid, "environ", &environment))
        return false;
    const char *path = variable(split(&environment).items, "PATH");
    const char *last = path ? strrchr(path, ':') : NULL;
    return last && equal(last + 1, bin.data);
}

static bool visit_running(const char *pid, void *about) {
    struct text *text = about, cmdline = {0};
    uint64_t number;
    if (!is_number(pid, &number) || number == (uint64_t)getpid() || !is_of_this_container(pid))
        return false;
    if (!read_process(pid, "cmdline", &cmdline) || !cmdline.size || is_seed(cmdline.data))
        return false;
    if (is_session(pid))
        return false;
    append_words(text, "command", split(&cmdline));
    append_all(text, "from: the running process\n", NULL);
    append_directory(text, pid);
    return true;
}

int show_app(struct words words) {
    struct app app = {0};
    struct text told = {0};
    if (words.count)
        return WRONG_USAGE;
    enum state state = find_app(&app);
    if (state != NOT_HELD) {
        append_app(&told, &app, state);
        append_directory(&told, app.pid.data);
    } else if (!each_process(visit_running, &told)) {
        append_elsewhere(&told);
    }
    return write_all(STDOUT_FILENO, told.data, told.size) ? SUCCESS : FAILURE;
}

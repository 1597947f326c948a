/* run-app and show-app: the app of the held target. */
#include "seed.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LEARNED_POLL_MS = 20 };
/* After this who learns has given up (PATIENCE_SECONDS in learner.py, twice, and a deletion), or is
   gone, or has no connection by which to tell. */
enum { LEARNING_SECONDS = 300 };
/* A process of seed hold: SEED hold FROM N -- WORDS. */
enum { VERB = 1, FROM, COMMAND_SIZE, SEPARATOR, FIRST_WORD };

enum state { HELD, BESIDE, NOT_HELD };

struct app {
    struct text pid, cmdline, learned;
    const char *from;
    /* The command may be the image's, and come in when it is learned. */
    struct words command, arguments;
};

static const char goes_inside[] = "kubectl scratch attach COPY --view app";

struct options {
    bool strace, has_arguments;
    struct words arguments;
};

/* Say whether these are the words of a seed that holds; set how many of them are the command. */
static bool holds(struct words words, uint64_t *command) {
    return words.count >= FIRST_WORD && equal(words.items[VERB], "hold") &&
           is_number(words.items[COMMAND_SIZE], command) && *command <= words.count - FIRST_WORD;
}

static bool visit_holder(const char *pid, void *about) {
    struct app *app = about;
    uint64_t number;
    if (!read_process(pid, "cmdline", &app->cmdline) || !app->cmdline.size)
        return false;
    if (!is_seed(app->cmdline.data))
        return false;
    struct words all = split(&app->cmdline);
    if (!holds(all, &number))
        return false;
    append_all(&app->pid, pid, NULL);
    app->from = all.items[FROM];
    app->command = (struct words){all.items + FIRST_WORD, number};
    app->arguments = (struct words){app->command.items + number, all.count - FIRST_WORD - number};
    return true;
}

/* Say whether a process has what we have under a name in /proc; a sandbox may have no such name. */
static bool is_as_ours(const char *pid, const char *name) {
    struct text ours = {0}, theirs = {0};
    return !process_link("self", name, &ours) ||
           (process_link(pid, name, &theirs) && equal(ours.data, theirs.data));
}

static bool is_of_this_container(const char *pid) { return is_as_ours(pid, "ns/mnt"); }

static bool visit_own_holder(const char *pid, void *about) {
    return is_of_this_container(pid) && visit_holder(pid, about);
}

static enum state find_app(struct app *app) {
    // With the node's processes there are the holders of other copies, too.
    if (each_process(visit_own_holder, app))
        return HELD;
    // The debug container shares the target's processes, and has another file system.
    return each_process(visit_holder, app) ? BESIDE : NOT_HELD;
}

static bool is_images(const struct app *app) { return equal(app->from, "image"); }

static bool take_learned(struct app *app) {
    if (!read_toolkit("learned", &app->learned))
        return false;
    if (toolkit_has("unstopped"))
        say("seed: the watched run could not be killed at once", NULL);
    app->command = split(&app->learned);
    return true;
}

static bool is_being_learned(void) {
    return toolkit_has_since("learning", LEARNING_SECONDS) && !toolkit_has("unlearned");
}

/* Wait for a learning run that goes on; say whether it has told the image's command. */
static bool wait_for_learned(struct app *app) {
    for (bool told = false;; told = true) {
        // Looked at first: what is learned may come in between.
        bool learning = is_being_learned();
        if (take_learned(app))
            return true;
        if (!learning)
            return false;
        if (!told)
            say("run-app: waiting until the image's own command is learned", NULL);
        usleep(LEARNED_POLL_MS * 1000);
    }
}

/* Return ": REASON" where it was told why nothing was learned. */
static const char *why_unlearned(void) {
    static struct text file, told;
    if (!read_toolkit("unlearned", &file) || !file.size)
        return "";
    append_all(&told, ": ", NULL);
    // The app may have written it, too.
    *strchrnul(file.data, '\n') = 0;
    append_shown(&told, file.data);
    return told.data;
}

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
    const char *path = getenv("PATH");
    if (find_program("strace", path ? path : DEFAULT_PATH, &found) != 0) {
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

static bool is_plain(const char *word) {
    for (const char *at = word; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_@%+=:,./-", *at))
            return false;
    return *word;
}

/* Append what a shell takes for the word, and what does nothing to a terminal: an app may choose its
   own words. */
static void append_quoted(struct text *text, const char *word) {
    append(text, " ", 1);
    if (is_plain(word)) {
        append_all(text, word, NULL);
        return;
    }
    bool safe, has_codes = false;
    for (const char *at = word; *at; at += next_character(at, &safe), has_codes |= !safe)
        continue;
    append_all(text, has_codes ? "$'" : "'", NULL);
    for (size_t size; *word; word += size) {
        size = next_character(word, &safe);
        if (!safe)
            append_codes(text, word, size);
        else if (has_codes && strchr("'\\", *word))
            append_all(text, "\\", (char[]){*word, 0}, NULL);
        else if (*word == '\'')
            append_all(text, "'\\''", NULL);
        else
            append(text, word, size);
    }
    append_all(text, "'", NULL);
}

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
        append_all(text, "directory: not known\n", NULL);
}

static void append_unlearned(struct text *text, const struct app *app) {
    append_all(text, "command: not known\n", NULL);
    if (app->arguments.count)
        append_words(text, "arguments", app->arguments);
    if (is_being_learned())
        append_all(text, "from: the image, being learned\n", NULL);
    else
        append_all(text, "from: the image, not known", why_unlearned(), "\n", NULL);
}

/* What was learned is in the target's toolkit, and what runs there is not ours to see. */
static void append_elsewhere(struct text *text) {
    append_all(text, "command: not known here; ", goes_inside, ", and show-app tells it\n", NULL);
}

static void append_app(struct text *text, struct app *app, enum state state) {
    const char *from = equal(app->from, "user") ? "--command" : "the pod's spec";
    if (is_images(app)) {
        if (state == BESIDE) {
            append_elsewhere(text);
            return;
        }
        if (!take_learned(app)) {
            append_unlearned(text, app);
            return;
        }
        from = "a watched run of the image";
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
        return tell_usage();
    enum state state = find_app(&app);
    if (state != NOT_HELD) {
        append_app(&told, &app, state);
        append_directory(&told, app.pid.data);
    } else if (!each_process(visit_running, &told)) {
        append_elsewhere(&told);
    }
    return write_all(STDOUT_FILENO, told.data, told.size) ? SUCCESS : FAILURE;
}

/* seed learn and seed tell: see which command an image runs by itself. */
#include "commands.h"
#include "base/files.h"
#include "base/processes.h"
#include "base/say.h"
#include "base/waiting.h"
#include "toolkit/folder.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* An app may end within milliseconds; the time of one look at /proc is less than this. */
enum { LOOK_EVERY_US = 300, LATER_LOOK_EVERY_US = 1000 };
enum { TELL_POLL_MS = 5, TELL_WAIT_MS = 60000 };
/* What tell returns if the words are known, but the app could not be killed. */
enum { NOT_STOPPED = 3 };
/* The kernel's largest PID_MAX_LIMIT (include/linux/threads.h). */
enum { LARGEST_PID = 1 << 22 };
/* After so many more starts, of which the kubelet soon makes the first, a title is taken as it is. */
enum { MOST_TITLES = 2 };

/* The app's first process, by its container. */
struct sight {
    const char *container;
    struct text cmdline;
    bool runs_on;
    int titles;
};

/* Processes to be passed over for good. */
static unsigned char passed[LARGEST_PID / 8 + 1];

/* Pass a process over from now on; false, for it is not the app. */
static bool mark(const char *pid) {
    uint64_t number;
    if (is_number(pid, &number) && number <= LARGEST_PID)
        passed[number / 8] |= (unsigned char)(1 << number % 8);
    return false;
}

static bool is_marked(const char *pid) {
    uint64_t number;
    return !is_number(pid, &number) || number > LARGEST_PID || passed[number / 8] >> number % 8 & 1;
}

/* Say whether a name is a container runtime's, or that of a part of it: "runc:[2:INIT]". */
static bool is_runtime(const char *name) {
    static const char *const runtimes[] = {"runc", "crun", "youki", "conmon"};
    size_t size = strcspn(name, ":\n");
    for (size_t i = 0; i < sizeof runtimes / sizeof *runtimes; i++)
        if (size == strlen(runtimes[i]) && begins(name, runtimes[i]))
            return true;
    return false;
}

/* Say whether words are of a runtime that is about to become the app; runc may call itself exe. */
static bool is_runtime_init(const struct text *cmdline) {
    const char *first = base_name(cmdline->data);
    const char *second = cmdline->data + strlen(cmdline->data) + 1;
    bool has_second = second < cmdline->data + cmdline->size;
    return is_runtime(first) || (has_second && equal(first, "exe") && equal(second, "init"));
}

/* Say whether a process was started from outside of our PID namespace, as a container's first is.
   What a runtime starts beside it, an OCI hook, is a child of what becomes the app. */
static bool is_first(const char *pid) {
    static struct text status;
    return read_process(pid, "status", &status) && strstr(status.data, "\nPPid:\t0\n");
}

/* Say whether a process is of the watched container, by the source of its /dev/termination-log,
   .../pods/UID/containers/NAME/...: an injector may have put other containers into the pod. */
static bool is_of_container(const char *pid, const char *name) {
    static struct text mounts, wanted;
    set_text(&wanted, "/containers/", name, "/", NULL);
    if (!read_process(pid, "mountinfo", &mounts))
        return false;
    for (const char *at = mounts.data; (at = strstr(at, "/pods/")); at++)
        if (begins(strchrnul(at + 6, '/'), wanted.data))
            return true;
    return false;
}

static bool is_app(const char *pid, struct sight *app) {
    static struct text comm;
    struct text *cmdline = &app->cmdline;
    if (is_marked(pid) || !read_process(pid, "comm", &comm) || is_runtime(comm.data))
        return false;
    if (!is_first(pid))
        return mark(pid);
    // It is empty until the new program's words are there, all of them.
    if (!read_process(pid, "cmdline", cmdline) || !cmdline->size || is_runtime_init(cmdline))
        return false;
    return is_of_container(pid, app->container) || mark(pid);
}

/* Say whether a program has written a title over its words, "nginx: master process nginx", so that
   its next start is to be seen sooner; one that really is called so is taken in the end. */
static bool is_title(struct sight *app) {
    return strchr(app->cmdline.data, ' ') && app->titles++ < MOST_TITLES;
}

static bool visit(const char *pid, void *about) {
    struct sight *app = about;
    uint64_t number;
    if (!is_app(pid, app) || !is_number(pid, &number))
        return false;
    app->runs_on = kill((pid_t)number, SIGKILL) != 0 && errno != ESRCH;
    return is_title(app) ? mark(pid) : true;
}

/* Keep the words but for the last, the pod's own; fewer would be a program that changed them. */
static void write_discovered(const struct sight *app, uint64_t arguments) {
    struct words words = split(&app->cmdline);
    struct text learned = {0};
    append(&learned, "", 0);
    size_t count = words.count < arguments ? words.count : words.count - arguments;
    for (size_t i = 0; i < count; i++)
        append(&learned, words.items[i], strlen(words.items[i]) + 1);
    if (app->runs_on)
        make_empty("unstopped");
    if (!write_toolkit("learned", learned.data, learned.size))
        say("seed: ", toolkit_folder(), ": ", reason(), NULL);
}

/* Be there for tell, and kill each later start: what was killed, the kubelet starts again. It ends
   this container when the app's has ended for good, and waits no longer than the pod's grace. */
static void stay(struct sight *app) {
    for (bool ended = false; !ended || !toolkit_has("told");) {
        each_process(visit, app);
        ended |= signalled_within(LATER_LOOK_EVERY_US);
    }
}

int learn(struct words words) {
    static struct sight app;
    uint64_t arguments;
    if (words.count != 2 || !is_number(words.items[0], &arguments))
        return WRONG_USAGE;
    app.container = words.items[1];
    watch_signals();
    while (!each_process(visit, &app))
        if (signalled_within(LOOK_EVERY_US))
            return SUCCESS;
    write_discovered(&app, arguments);
    stay(&app);
    return SUCCESS;
}

int tell(struct words words) {
    struct text learned = {0};
    if (words.count)
        return WRONG_USAGE;
    if (!wait_for("learned", TELL_POLL_MS, TELL_WAIT_MS) || !read_toolkit("learned", &learned)) {
        say("seed: nothing ran", NULL);
        return FAILURE;
    }
    if (!write_all(STDOUT_FILENO, learned.data, learned.size) || !make_empty("told"))
        return FAILURE;
    return toolkit_has("unstopped") ? NOT_STOPPED : SUCCESS;
}

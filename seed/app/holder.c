/* The process that holds the target: the app's words, and what is discovered of them. */
#include "app/holder.h"
#include "base/processes.h"
#include "base/say.h"
#include "base/shown.h"
#include "toolkit/folder.h"

#include <string.h>
#include <unistd.h>

enum { DISCOVERY_POLL_MS = 20 };
/* By then the client's discovery has given up (twice the default --timeout, and a deletion:
   session/discovery_runner.py), or the client is gone, or it has no connection to report by. */
enum { DISCOVERY_SECONDS = 300 };

const char goes_inside[] = "kubectl scratch attach COPY --view app";

/* A process of seed hold: SEED hold FROM N -- WORDS. */
enum { VERB = 1, FROM, COMMAND_SIZE, SEPARATOR, FIRST_WORD };

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

bool is_of_this_container(const char *pid) { return is_as_ours(pid, "ns/mnt"); }

static bool visit_own_holder(const char *pid, void *about) {
    return is_of_this_container(pid) && visit_holder(pid, about);
}

enum state find_app(struct app *app) {
    // With the node's processes there are the holders of other copies, too.
    if (each_process(visit_own_holder, app))
        return HELD;
    // The debug container shares the target's processes, and has another file system.
    return each_process(visit_holder, app) ? BESIDE : NOT_HELD;
}

bool is_images(const struct app *app) { return equal(app->from, "image"); }

bool take_discovered(struct app *app) {
    if (!read_toolkit("learned", &app->learned))
        return false;
    if (toolkit_has("unstopped"))
        say("seed: the app in the temporary pod could not be killed at once", NULL);
    app->command = split(&app->learned);
    return true;
}

bool is_being_discovered(void) {
    return toolkit_has_since("learning", DISCOVERY_SECONDS) && !toolkit_has("unlearned");
}

/* Wait for a discovery that is under way; say whether it has found the image's command. */
bool wait_for_discovery(struct app *app) {
    for (bool told = false;; told = true) {
        // Looked at first: what is learned may come in between.
        bool learning = is_being_discovered();
        if (take_discovered(app))
            return true;
        if (!learning)
            return false;
        if (!told)
            say("run-app: waiting for the image's command to be discovered", NULL);
        usleep(DISCOVERY_POLL_MS * 1000);
    }
}

/* Return ": REASON" if it is known why nothing was discovered, else "". */
const char *why_undiscovered(void) {
    static struct text file, told;
    if (!read_toolkit("unlearned", &file) || !file.size)
        return "";
    append_all(&told, ": ", NULL);
    // The app may have written it, too.
    *strchrnul(file.data, '\n') = 0;
    append_shown(&told, file.data);
    return told.data;
}

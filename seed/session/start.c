/* seed start and seed enter: become a session's command, with the toolkit on its PATH. */
#include "commands.h"
#include "base/files.h"
#include "base/programs.h"
#include "base/say.h"
#include "base/sha256.h"
#include "toolkit/folder.h"
#include "toolkit/receive.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* What the client waits for on stdout: bytes that no terminal changes. */
#define ASKS "\x05"
#define HAS_ALL "\x06"

enum { TOOLKIT_POLL_MS = 2, TOOLKIT_WAIT_MS = 60000 };

static void append_entry(struct text *all, const char *name, const char *value) {
    append_all(all, name, value, NULL);
    append(all, "", 1);
}

static bool is_shell_name(const char *entry) {
    const char *at = entry;
    while (*at == '_' || (at == entry ? isalpha : isalnum)((unsigned char)*at))
        at++;
    return at > entry && *at == '=';
}

/* Tell which variables a shell of the image's own may not pass on; the toolkit's passes on all. */
static void tell_odd_names(const char *shell, char **environment) {
    struct text names = {0}, ours = {0};
    append_all(&ours, toolkit_folder(), "/bin/busybox", NULL);
    for (; *environment; environment++)
        if (!is_shell_name(*environment)) {
            append_all(&names, names.size ? ", " : "", NULL);
            append(&names, *environment, strcspn(*environment, "="));
        }
    if (names.size && !equal(shell, ours.data))
        say("seed: ", base_name(shell),
            " may drop these variables, whose names are not valid in a shell: ",
            names.data, "; run-app and commands after -- have them", NULL);
}

/* Become a command with the tools behind the app's own on PATH. A shell that is to read our rc has
   ENV=RC before it, as for env(1); the app's own ENV is carried along, and rc restores it. */
static int become(struct words command) {
    struct text all = {0}, path = {0}, rc = {0};
    const char *own = "";
    append_all(&rc, "ENV=", toolkit_folder(), "/rc", NULL);
    bool reads_rc = command.count > 1 && equal(*command.items, rc.data);
    for (char **entry = environ; *entry; entry++)
        if (reads_rc && begins(*entry, "ENV="))
            own = *entry;
        else if (!begins(*entry, "PATH="))
            append_entry(&all, *entry, "");
    append_all(&path, path_of(environ), ":", toolkit_folder(), "/bin", NULL);
    append_entry(&all, "PATH=", path.data);
    if (reads_rc) {
        append_entry(&all, rc.data, "");
        append_entry(&all, "SCRATCH_ENV=", own);
        command.items++;
        tell_odd_names(*command.items, environ);
    }
    return replace_by("seed", command, split(&all).items, "not found");
}

static bool parse_command(struct words words, struct words *command) {
    *command = (struct words){words.items + 1, words.count - 1};
    return words.count >= 2 && equal(words.items[0], "--");
}

int enter(struct words words) {
    struct words command;
    if (!parse_command(words, &command))
        return WRONG_USAGE;
    if (!wait_for("ready", TOOLKIT_POLL_MS, TOOLKIT_WAIT_MS)) {
        say("seed: the toolkit did not arrive", NULL);
        return FAILURE;
    }
    return become(command);
}

/* Append the SHA-256 of what runs: a node may have mounted another program than the client means. */
static void append_own_sum(struct text *text) {
    struct text program = {0};
    struct sha256 sum;
    char hex[65];
    if (!read_at(AT_FDCWD, "/proc/self/exe", &program))
        return;
    sha256_begin(&sum);
    sha256_add(&sum, program.data, program.size);
    sha256_end(&sum, hex);
    append_all(text, hex, NULL);
}

/* Say who we are, and what our stdin is, by which seed wants finds who reads it; then ask. */
static bool ask(void) {
    struct text greeting = {0};
    struct stat status;
    append_own_sum(&greeting);
    append(&greeting, " ", 1);
    if (fstat(STDIN_FILENO, &status) == 0) {
        append_number(&greeting, status.st_dev);
        append(&greeting, ":", 1);
        append_number(&greeting, status.st_ino);
    }
    append(&greeting, ASKS, 1);
    return write_all(STDOUT_FILENO, greeting.data, greeting.size);
}

/* Receive the toolkit over the session's own stdin, then become its command: one exec less, and
 * no command before its tools. A terminal takes and gives each byte as it is meanwhile. */
int receive_and_enter(struct words words) {
    struct words command;
    if (!parse_command(words, &command))
        return WRONG_USAGE;
    struct termios before;
    // A terminal that is gone then ends the input, and what has come in part is removed.
    signal(SIGHUP, SIG_IGN);
    bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (is_terminal) {
        struct termios raw = before;
        cfmakeraw(&raw);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    if (!ask())
        return FAILURE;
    receive_all();
    if (is_terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    if (!write_all(STDOUT_FILENO, HAS_ALL, 1))
        return FAILURE;
    return become(command);
}

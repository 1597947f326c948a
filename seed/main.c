/* The seed: a static program that holds a container, receives the toolkit and runs the app. It runs
   as any user, in any image, with no library and no shell.

   base/       for all of them
     text        text that grows, words, numbers
     json        JSON
     shown       text of an app, shown so that it does nothing to a terminal
     say         lines on stderr, and the codes to end with
     files       whole files
     processes   what /proc tells of processes
     programs    find a program, and become it
     waiting     the clock, and signals that are waited for
     sha256, lz4
   toolkit/    what goes into the toolkit folder
     folder      its files
     receive     recv: files and links from stdin
   session/    a session of a client
     start       start, enter: become the session's command, with the toolkit on its PATH
     wants       wants: wait until somebody reads the session's stdin
   app/        the app of a held target
     hold        hold, idle: wait for the signal to end
     holder      the process that holds the target, and what it knows of the app
     run_app     run-app: become the app
     show_app    show-app: show what is known of it
     launch      the app's words, variables and folder
     discovery   learn, tell: see which command an image runs by itself
   trace/      the app, run once and looked at
     explain     trace, report, run-app --why
     run         the loop of one run
     start       the app, as a child
     output      what it prints
     filter      the seccomp filter that stops it at some calls
     calls       which these are
     stops       what is done when a thread stops
     ends        what is seen at the end of a call
     facts       what a call is about
     tracees     processes and threads
     registers, memory, paths
     sockets, addresses, datagrams, dns, folders
     signals     signals and faults
     privileges  what cannot be traced
     waits       calls that have not ended
     notes       what was seen
     things      what is at a path
     program_facts   what an executable is
     limits      those of the cgroup
     names       of errors and signals
     report      all of it, as JSON Lines
     masks, secrets  what must not be in it */
#include "commands.h"
#include "base/files.h"
#include "base/say.h"

#include <unistd.h>

#define VERSION "1"

static int version(struct words words) {
    if (words.count)
        return WRONG_USAGE;
    return write_all(STDOUT_FILENO, VERSION "\n", sizeof VERSION) ? SUCCESS : FAILURE;
}

static const struct command {
    const char *name;
    int (*run)(struct words words);
    const char *arguments, *help;
} commands[] = {
    {"hold", hold, " FROM N -- WORDS...", "idle in place of the app, with its words for run-app"},
    {"idle", idle, " SECONDS", "idle until the signal to end, or for so long; 0 is no limit"},
    {"recv", receive, "", "receive files from stdin into the toolkit folder"},
    {"start", receive_and_enter, " -- COMMAND...", "receive the toolkit, then become COMMAND"},
    {"enter", enter, " -- COMMAND...", "wait for the toolkit, then become COMMAND"},
    {"wants", wants, " DEVICE:INODE", "wait until a process reads this stdin"},
    {"run-app", run_app, " [--strace | --why] [-- ARGS...]", "start the app of the held target"},
    {"show-app", show_app, "", "show the app's command and directory"},
    {"trace", trace, " [--for SECONDS] [--mask-env NAME] [--mask-env-except NAME]"
     " [--mask-folder PATH] [-- ARGS...]", "run the app once, and report what it did"},
    {"report", report, " [--mask-...]", "wait for the report of run-app --why, and print it"},
    {"learn", learn, " NARGS CONTAINER", "read the command that a container starts, and kill it"},
    {"tell", tell, "", "print the command that learn has read"},
    {"version", version, "", "print the version"},
};
static const size_t count_of_commands = sizeof commands / sizeof *commands;

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < count_of_commands; i++)
        if (equal(name, commands[i].name))
            return &commands[i];
    return NULL;
}

static int print_usage(void) {
    say("usage: seed COMMAND", NULL);
    for (size_t i = 0; i < count_of_commands; i++)
        say("  ", commands[i].name, commands[i].arguments, ": ", commands[i].help, NULL);
    return FAILURE;
}

int main(int count, char **items) {
    struct words words = {items, (size_t)count};
    const struct command *command = NULL;
    // A link with the name of a command is that command.
    for (int tries = 0; words.count && !command && tries < 2; tries++, words.count--)
        command = find_command(base_name(*words.items++));
    if (!command)
        return print_usage();
    int code = command->run(words);
    if (code != WRONG_USAGE)
        return code;
    say("usage: seed ", command->name, command->arguments, NULL);
    return FAILURE;
}

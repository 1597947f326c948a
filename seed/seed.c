/* The seed's commands. It runs as any user, in any image, with no library and no shell. */
#include "seed.h"

typedef int command(struct words words);

int tell_usage(void) {
    say("usage: seed hold FROM N -- WORDS... | idle SECONDS | recv | enter -- COMMAND... |"
        " start -- COMMAND... | run | show | learn NARGS CONTAINER | tell | wants DEVICE:INODE |"
        " version", NULL);
    return FAILURE;
}

/* Do nothing until the signal to end, or for so long; 0 is for ever. */
static int idle_for(uint64_t seconds) {
    uint64_t end = now_ms() + seconds * 1000;
    for (uint64_t now = now_ms(); !seconds || now < end; now = now_ms())
        if (signalled_within(seconds ? (end - now) * 1000 : 1000000000))
            break;
    return SUCCESS;
}

/* The app's words are for run-app, which reads them in /proc: the kubelet has expanded them. */
int hold(struct words words) {
    uint64_t command;
    if (words.count < 3 || !is_number(words.items[1], &command) || !equal(words.items[2], "--"))
        return tell_usage();
    if (command > words.count - 3)
        return tell_usage();
    watch_signals();
    return idle_for(0);
}

int idle(struct words words) {
    uint64_t seconds;
    if (words.count != 1 || !is_number(words.items[0], &seconds))
        return tell_usage();
    watch_signals();
    return idle_for(seconds);
}

static int version(struct words words) {
    if (words.count)
        return tell_usage();
    return write_all(STDOUT_FILENO, VERSION "\n", sizeof VERSION) ? SUCCESS : FAILURE;
}

static const struct {
    const char *name;
    command *run;
} commands[] = {
    {"hold", hold}, {"idle", idle},    {"recv", receive},    {"enter", enter},
    {"start", receive_and_enter}, {"run", run_app}, {"show", show_app}, {"learn", learn}, {"tell", tell},
    {"wants", wants}, {"version", version},
};

int main(int count, char **items) {
    struct words words = {items, (size_t)count};
    if (!words.count)
        return tell_usage();
    const char *called = base_name(*words.items++);
    words.count--;
    if (equal(called, "run-app"))
        return run_app(words);
    if (equal(called, "show-app"))
        return show_app(words);
    for (size_t i = 0; words.count && i < sizeof commands / sizeof *commands; i++)
        if (equal(*words.items, commands[i].name))
            return commands[i].run((struct words){words.items + 1, words.count - 1});
    return tell_usage();
}

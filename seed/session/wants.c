/* seed wants: wait until somebody reads a session's stdin, so that its client takes none before. */
#include "commands.h"
#include "base/processes.h"
#include "base/say.h"
#include "base/waiting.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How often to look; if a look takes long, ten times as long as that; and the less often the
   longer it lasts: a command that has not read for a minute is no longer in a hurry. */
enum { LOOK_EVERY_MS = 20, SHARE = 10, PATIENCE_SHARE = 50, AT_MOST_MS = 500 };
/* For how long nobody is seen to have the stdin before it is given up that somebody will be. */
enum { UNSEEN_MS = 1000 };
enum { MOST_HANDLES = 64, MOST_POLLED = 4096, ARGUMENTS = 6 };

struct wish {
    uint64_t device, inode;
    const char *pid;
    bool seen;
    /* The handles by which the process may read it, and whether such a read returns at once. */
    uint64_t handles[MOST_HANDLES];
    size_t count;
    bool tries;
};

/* What a thread waits for in the kernel. */
struct asked {
    uint64_t number, arguments[ARGUMENTS], stack, code;
};

enum call { OTHER, READ, POLL, SELECT, EPOLL, RING };

/* Return what a call waits for; of READ the first argument is the handle. */
static enum call kind_of(uint64_t number) {
    static const struct {
        unsigned short number;
        unsigned char kind;
    } calls[] = {
        {SYS_read, READ},         {SYS_readv, READ},         {SYS_preadv, READ},
        {SYS_preadv2, READ},      {SYS_recvfrom, READ},      {SYS_recvmsg, READ},
        {SYS_recvmmsg, READ},     {SYS_splice, READ},        {SYS_tee, READ},
        {SYS_ppoll, POLL},        {SYS_pselect6, SELECT},    {SYS_epoll_pwait, EPOLL},
        {441 /* epoll_pwait2 */, EPOLL}, {426 /* io_uring_enter */, RING},
#ifdef SYS_poll
        {SYS_poll, POLL},         {SYS_select, SELECT},      {SYS_epoll_wait, EPOLL},
#endif
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number == number)
            return calls[i].kind;
    return OTHER;
}

static bool has_handle(const struct wish *wish, uint64_t handle) {
    for (size_t i = 0; i < wish->count; i++)
        if (wish->handles[i] == handle)
            return true;
    return false;
}

/* Return how a process has opened a handle, "flags:\t02004000" in octal; 0 if that is hidden. */
static uint64_t flags_of(const char *pid, const char *handle) {
    static struct text name, told;
    set_text(&name, "fdinfo/", handle, NULL);
    if (!read_process(pid, name.data, &told))
        return 0;
    const char *line = strstr(told.data, "flags:\t");
    return line ? strtoull(line + strlen("flags:\t"), NULL, 8) : 0;
}

static bool visit_handle(const char *name, void *about) {
    static struct text path, link;
    struct wish *wish = about;
    struct stat status;
    uint64_t handle;
    set_text(&path, "fd/", name, NULL);
    // The link alone tells what it is: to look at a file of a server that is gone would never end.
    if (!process_link(wish->pid, path.data, &link) || !begins(link.data, "pipe:["))
        return false;
    set_text(&path, "/proc/", wish->pid, "/fd/", name, NULL);
    if (stat(path.data, &status) != 0 || status.st_ino != wish->inode ||
        status.st_dev != wish->device || !is_number(name, &handle) || wish->count == MOST_HANDLES)
        return false;
    uint64_t flags = flags_of(wish->pid, name);
    // The runtime that writes into it may be seen as well, in a pod with hostPID.
    if ((flags & O_ACCMODE) == O_WRONLY)
        return false;
    wish->handles[wish->count++] = handle;
    wish->tries |= (flags & O_NONBLOCK) != 0;
    return false;
}

static bool read_memory(const struct wish *wish, uint64_t at, void *bytes, size_t size) {
    static struct text path;
    set_text(&path, "/proc/", wish->pid, "/mem", NULL);
    int memory = open(path.data, O_RDONLY | O_CLOEXEC);
    bool done = memory >= 0 && pread(memory, bytes, size, (off_t)at) == (ssize_t)size;
    close(memory);
    return done;
}

static bool polls(const struct wish *wish, uint64_t at, uint64_t count) {
    struct pollfd polled;
    for (uint64_t i = 0; i < count && i < MOST_POLLED; i++) {
        if (!read_memory(wish, at + i * sizeof polled, &polled, sizeof polled))
            return true;
        if (polled.events & (POLLIN | POLLRDNORM) && has_handle(wish, (uint64_t)polled.fd))
            return true;
    }
    return false;
}

static bool selects(const struct wish *wish, uint64_t count, uint64_t at) {
    for (size_t i = 0; at && i < wish->count; i++) {
        uint64_t handle = wish->handles[i];
        unsigned char byte;
        if (handle >= count)
            continue;
        if (!read_memory(wish, at + handle / 8, &byte, 1) || byte >> handle % 8 & 1)
            return true;
    }
    return false;
}

/* Say whether an epoll has one of the handles, "tfd:  5 events:  19 data: ..." a line. */
static bool epolls(const struct wish *wish, uint64_t epoll) {
    static struct text name, told;
    set_text(&name, "fdinfo/", NULL);
    append_number(&name, epoll);
    if (!read_process(wish->pid, name.data, &told))
        return true;
    for (const char *at = told.data; (at = strstr(at, "tfd:")); at++)
        if (has_handle(wish, strtoull(at + strlen("tfd:"), NULL, 10)))
            return true;
    return false;
}

/* Parse "NUMBER 0xARGUMENT ... 0xSP 0xPC"; else the thread runs, or has asked for nothing. */
static bool parse_asked(const char *told, struct asked *asked) {
    char *end;
    if (!parse_number(&told, 10, &asked->number))
        return false;
    for (size_t i = 0; i < ARGUMENTS; i++, told = end)
        asked->arguments[i] = strtoull(told, &end, 16);
    asked->stack = strtoull(told, &end, 16);
    asked->code = strtoull(end, NULL, 16);
    return true;
}

/* Say whether a program is one of 32 bits: its calls have other numbers, and other structures. */
static bool is_narrow(const struct asked *asked) {
    return asked->stack <= UINT32_MAX && asked->code <= UINT32_MAX;
}

/* Say whether what a thread waits for is the stdin. */
static bool waits_in(const struct wish *wish, const struct asked *asked) {
    const uint64_t *arguments = asked->arguments;
    switch (kind_of(asked->number)) {
    case READ:
        return has_handle(wish, arguments[0]);
    case POLL:
        return polls(wish, arguments[0], arguments[1]);
    case SELECT:
        return selects(wish, arguments[0], arguments[1]);
    case EPOLL:
        return epolls(wish, arguments[0]);
    case RING:
        return true;
    default:
        return asked->number == SYS_sendfile && has_handle(wish, arguments[1]);
    }
}

/* Say whether the kernel's function in which a thread waits is one that waits for input. Where only
   an ancestor may look closer (Yama), that is all that there is; "0" tells nothing. */
static bool may_wait_in(const char *function) {
    static const char *const reading[] = {
        "pipe_read", "pipe_wait", "anon_pipe_read", "poll", "do_poll", "do_sys_poll", "do_select",
        "core_sys_select", "ep_poll", "do_epoll", "sock", "unix_stream", "splice", "io_", "0",
    };
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++)
        if (begins(function, reading[i]))
            return true;
    return false;
}

static bool read_thread(const char *pid, const char *thread, const char *what, struct text *told) {
    static struct text name;
    set_text(&name, "task/", thread, "/", what, NULL);
    return read_process(pid, name.data, told);
}

/* Say whether a thread sleeps, "PID (NAME) S ..."; one that has ended does not. */
static bool sleeps(const char *pid, const char *thread) {
    static struct text told;
    if (!read_thread(pid, thread, "stat", &told))
        return false;
    const char *state = strrchr(told.data, ')');
    return state && begins(state, ") S");
}

static bool visit_thread(const char *thread, void *about) {
    static struct text told;
    struct wish *wish = about;
    struct asked asked;
    if (read_thread(wish->pid, thread, "syscall", &told)) {
        if (!parse_asked(told.data, &asked))
            return false;
        if (!is_narrow(&asked))
            return waits_in(wish, &asked);
    }
    if (!sleeps(wish->pid, thread))
        return false;
    // A sandbox may have neither.
    return !read_thread(wish->pid, thread, "wchan", &told) || may_wait_in(told.data);
}

static bool visit_process(const char *pid, void *about) {
    static struct text path;
    struct wish *wish = about;
    wish->pid = pid;
    wish->count = 0;
    wish->tries = false;
    set_text(&path, "/proc/", pid, "/fd", NULL);
    each_number(path.data, visit_handle, wish);
    if (!wish->count)
        return false;
    wish->seen = true;
    // What receives the toolkit from it is no reader.
    if (runs_seed(pid))
        return false;
    // Who has made it so that a read does not wait is in no call for it when we look.
    if (wish->tries)
        return true;
    set_text(&path, "/proc/", pid, "/task", NULL);
    return each_number(path.data, visit_thread, wish);
}

static uint64_t larger(uint64_t one, uint64_t other) { return one > other ? one : other; }

/* Wait, and say whether the client has gone, who holds our own stdin. */
static bool is_left_within(uint64_t ms) {
    struct pollfd own = {STDIN_FILENO, POLLIN, 0};
    char byte;
    return poll(&own, 1, (int)ms) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

int wants(struct words words) {
    static struct wish wish;
    const char *at = words.count == 1 ? *words.items : "";
    if (!parse_number(&at, 10, &wish.device) || *at++ != ':' || !is_number(at, &wish.inode))
        return WRONG_USAGE;
    uint64_t start = now_ms(), seen = start, began;
    while (began = now_ms(), wish.seen = false, !each_process(visit_process, &wish)) {
        uint64_t now = now_ms(), pause = (now - began) * SHARE;
        if (wish.seen)
            seen = now;
        if (now - seen > UNSEEN_MS)
            return SUCCESS;
        uint64_t later = (now - start) / PATIENCE_SHARE;
        pause = larger(pause, later < AT_MOST_MS ? later : AT_MOST_MS);
        if (is_left_within(larger(pause, LOOK_EVERY_MS)))
            return FAILURE;
    }
    return SUCCESS;
}

/* The sockets of traced processes, and what becomes of their connections, also later. */
#include "trace/sockets.h"
#include "base/files.h"
#include "base/json.h"
#include "trace/dns.h"
#include "trace/memory.h"
#include "trace/notes.h"
#include "trace/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST_SOCKETS = 512, DNS_PORT = 53, TYPES = 0xf };
/* What is seen unanswered for so long was given up by the app, if it is closed then. */
enum { LONG_MS = 700, WORTH_TELLING_MS = 100 };
/* States in /proc/net/tcp. */
enum { SYN_SENT = 2, NOT_THERE = 0 };

static struct used_socket sockets[MOST_SOCKETS];
static unsigned clock, count;

static void free_socket(struct used_socket *used) {
    free(used->remote);
    free(used->local);
    free(used->server);
    free(used->path);
    *used = (struct used_socket){0};
}

void begin_sockets(void) {
    while (count)
        free_socket(&sockets[--count]);
}

static struct used_socket *look_up(pid_t pid, int64_t handle) {
    for (unsigned i = 0; i < count; i++)
        if (sockets[i].pid == pid && sockets[i].handle == handle)
            return &sockets[i];
    return NULL;
}

/* Return what is known of a socket, or NULL; a process may have it from the one that made it. */
struct used_socket *find_socket(const struct thread *thread, int64_t handle) {
    enum { GENERATIONS = 3 };
    const struct process *process = thread->process;
    for (int i = 0; process && i < GENERATIONS; i++) {
        struct used_socket *found = look_up(process->pid, handle);
        if (found) {
            found->seen = ++clock;
            return found;
        }
        process = find_process(process->parent);
    }
    return NULL;
}

static void note_pending(struct used_socket *used, uint64_t until) {
    struct seen seen = {FAILED, "connect", 0, used->pid, used->since, used->remote, NULL};
    note(&seen)->waited = until - used->since;
    used->pending = false;
}

/* Forget a socket whose number is another file's now. */
void forget_socket(const struct thread *thread, int64_t handle) {
    struct used_socket *used = look_up(thread->process->pid, handle);
    if (used) {
        look_at_pending(false);
        free_socket(used);
    }
}

static struct used_socket *least_used(void) {
    struct used_socket *least = sockets;
    if (count < MOST_SOCKETS)
        return &sockets[count++];
    for (unsigned i = 1; i < count; i++)
        if (sockets[i].seen < least->seen)
            least = &sockets[i];
    return least;
}

/* Return a place for a socket: that of the one that was used longest ago. */
static struct used_socket *take_socket(const struct thread *thread, int64_t handle) {
    struct used_socket *chosen = look_up(thread->process->pid, handle);
    if (!chosen)
        chosen = least_used();
    free_socket(chosen);
    chosen->pid = thread->process->pid;
    chosen->handle = (int)handle;
    chosen->seen = ++clock;
    return chosen;
}

static void tell_socket(struct text *facts, const uint64_t *arguments) {
    json_open(facts, "arguments", "[");
    for (int i = 0; i < 3; i++) {
        json_separate(facts);
        append_number(facts, (uint32_t)arguments[i] & (i == 1 ? TYPES : UINT32_MAX));
    }
    append_all(facts, "]", NULL);
}

void socket_made(struct thread *thread, int64_t result) {
    static struct text facts;
    const uint64_t *arguments = thread->asked.arguments;
    if (result < 0) {
        facts.size = 0;
        tell_socket(&facts, arguments);
        note(&(struct seen){FAILED, "socket", (int)-result, thread->process->pid, thread->since,
                            facts.data, NULL});
        return;
    }
    forget_socket(thread, result);
    struct used_socket *used = take_socket(thread, result);
    used->family = (int)arguments[0];
    used->type = (int)arguments[1] & TYPES;
}

static void keep(char **place, const char *text) {
    free(*place);
    *place = strdup(text);
}

static void note_connected(const struct used_socket *used) {
    note(&(struct seen){CONNECTED, NULL, 0, used->pid, used->since, used->remote, NULL});
}

/* Note what became of a connection that was pending. */
void connect_resolved(struct used_socket *used, int error) {
    if (!used->pending || !used->remote)
        return;
    used->pending = false;
    if (!error) {
        note_connected(used);
        return;
    }
    uint64_t waited = run_time() - used->since;
    struct note *noted = note(
        &(struct seen){FAILED, "connect", error, used->pid, used->since, used->remote, used->path});
    noted->waited = waited > WORTH_TELLING_MS ? waited : 0;
}

static uint64_t inode_of(const struct thread *thread, int64_t handle) {
    static struct text path;
    if (!handle_path(thread, handle, &path) || !begins(path.data, "socket:["))
        return 0;
    return strtoull(path.data + strlen("socket:["), NULL, 10);
}

static void begin_pending(struct thread *thread, struct used_socket *used) {
    if (used->pending)
        return;
    used->pending = true;
    used->unanswered = 0;
    used->inode = inode_of(thread, used->handle);
}

static bool is_pending_error(const struct used_socket *used, int error) {
    return error == EINPROGRESS || error == EALREADY || error == EINTR ||
           // An error of restarting: the kernel makes the call again.
           error >= 512 || (error == EAGAIN && used->family != AF_UNIX);
}

/* Note what a socket of datagrams leads to, if that is a DNS server. */
void used_for_dns(struct thread *thread, struct used_socket *used, const struct peer *peer) {
    if (used->type != SOCK_DGRAM || peer->port != DNS_PORT)
        return;
    keep(&used->server, peer->address);
    used->is_dns = true;
    watch_dns(thread);
}

void connect_ended(struct thread *thread, int64_t result) {
    struct peer peer;
    const uint64_t *arguments = thread->asked.arguments;
    struct used_socket *used = find_socket(thread, (int)arguments[0]);
    if (!read_peer(thread, arguments[1], arguments[2], used, &peer) || peer.family == AF_UNSPEC)
        return;
    if (!used)
        used = take_socket(thread, (int)arguments[0]);
    if (!used->pending) {
        keep(&used->remote, peer.facts);
        keep(&used->path, peer.path);
        used->since = thread->since;
    }
    if (result == -EISCONN) {
        connect_resolved(used, 0);
        return;
    }
    if (result < 0 && is_pending_error(used, (int)-result)) {
        begin_pending(thread, used);
        return;
    }
    used->pending = true;
    connect_resolved(used, (int)-result);
    if (result == 0)
        used_for_dns(thread, used, &peer);
}

void bind_ended(struct thread *thread, int64_t result) {
    struct peer peer;
    const uint64_t *arguments = thread->asked.arguments;
    struct used_socket *used = find_socket(thread, (int)arguments[0]);
    if (!read_peer(thread, arguments[1], arguments[2], used, &peer))
        return;
    if (result == 0 && used)
        keep(&used->local, peer.facts);
    if (result < 0)
        note(&(struct seen){FAILED, "bind", (int)-result, thread->process->pid, thread->since,
                            peer.facts, peer.path});
}

void listen_ended(struct thread *thread, int64_t result) {
    struct used_socket *used = find_socket(thread, (int)thread->asked.arguments[0]);
    const char *facts = used && used->local ? used->local : "";
    if (result < 0)
        note(&(struct seen){FAILED, "listen", (int)-result, thread->process->pid, thread->since,
                            facts, NULL});
    else if (*facts)
        note(&(struct seen){LISTENING, NULL, 0, thread->process->pid, thread->since, facts, NULL});
}

void error_asked(struct thread *thread, int64_t result) {
    int error;
    struct used_socket *used = find_socket(thread, (int)thread->asked.arguments[0]);
    if (result == 0 && used && used->pending &&
        read_whole(thread, thread->asked.arguments[3], &error, sizeof error))
        connect_resolved(used, error);
}

static bool has_pending(void) {
    for (unsigned i = 0; i < count; i++)
        if (sockets[i].pending)
            return true;
    return false;
}

/* Return the state of a TCP socket: its line is "N: LOCAL:PORT REMOTE:PORT STATE QUEUES TIMER
   RETRANSMITS UID TIMEOUT INODE ...". */
static unsigned state_in(const struct text *table, uint64_t inode) {
    enum { STATE = 3, INODE = 9, FIELDS };
    for (const char *line = strchr(table->data, '\n'); line && *++line; line = strchr(line, '\n')) {
        const char *fields[FIELDS], *at = line;
        for (int i = 0; i < FIELDS; i++) {
            at += strspn(at, " ");
            fields[i] = at;
            at += strcspn(at, " \n");
        }
        if (strtoull(fields[INODE], NULL, 10) == inode)
            return (unsigned)strtoul(fields[STATE], NULL, 16);
    }
    return NOT_THERE;
}

/* Say whether a process has a socket open: it may yet ask what became of it. */
static bool is_open(const struct used_socket *used) {
    return inode_of(&(struct thread){.id = used->pid}, used->handle) == used->inode;
}

static void look_at(struct used_socket *used, unsigned state, bool at_end) {
    if (state == SYN_SENT) {
        used->unanswered = run_time();
    } else if (state != NOT_THERE) {
        connect_resolved(used, 0);
    } else if (at_end || !is_open(used)) {
        // The app has closed it: after it had waited for long, or nobody knows.
        if (used->unanswered && used->unanswered - used->since >= LONG_MS)
            note_pending(used, used->unanswered);
        used->pending = false;
    }
}

/* Look at what became of the connections that are not there yet. */
void look_at_pending(bool at_end) {
    static struct text four, six;
    if (!has_pending())
        return;
    bool is_known = read_at(AT_FDCWD, "/proc/net/tcp", &four);
    if (!read_at(AT_FDCWD, "/proc/net/tcp6", &six))
        set_text(&six, "", NULL);
    for (unsigned i = 0; is_known && i < count; i++) {
        struct used_socket *used = &sockets[i];
        if (!used->pending || !used->inode)
            continue;
        unsigned state = state_in(&four, used->inode);
        look_at(used, state ? state : state_in(&six, used->inode), at_end);
        if (at_end && used->pending)
            note_pending(used, run_time());
    }
}

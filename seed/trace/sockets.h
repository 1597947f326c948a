/* The sockets of traced processes, and where they lead. */
#ifndef TRACE_SOCKETS_H
#define TRACE_SOCKETS_H

#include "trace/tracees.h"

enum { LONGEST_ADDRESS = 256 };

/* Where a socket leads: members of an object. */
struct peer {
    char facts[LONGEST_ADDRESS * 6 + 64], address[64], path[112];
    unsigned port, family;
};

struct used_socket {
    pid_t pid;
    int handle;
    unsigned seen;
    uint64_t inode;
    int family, type;
    bool is_dns;
    /* A connection that is not there yet, since when, and when it was last seen so. */
    bool pending;
    uint64_t since, unanswered;
    char *remote, *local, *server, *path;
};

void begin_sockets(void);
struct used_socket *find_socket(const struct thread *thread, int64_t handle);
void forget_socket(const struct thread *thread, int64_t handle);
bool read_peer(struct thread *thread, uint64_t address, uint64_t size,
               const struct used_socket *with, struct peer *peer);
void socket_made(struct thread *thread, int64_t result);
void connect_ended(struct thread *thread, int64_t result);
void bind_ended(struct thread *thread, int64_t result);
void listen_ended(struct thread *thread, int64_t result);
void error_asked(struct thread *thread, int64_t result);
void used_for_dns(struct thread *thread, struct used_socket *used, const struct peer *peer);
void connect_resolved(struct used_socket *used, int error);
void look_at_pending(bool at_end);
void append_address(struct text *text, int family, const unsigned char *bytes);

#endif

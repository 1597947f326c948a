/* Addresses of sockets. */
#include "base/json.h"
#include "trace/memory.h"
#include "trace/sockets.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { GROUPS = 8 };

static void append_dotted(struct text *text, const unsigned char *bytes) {
    for (int i = 0; i < 4; i++) {
        append_number(text, bytes[i]);
        append_all(text, i < 3 ? "." : "", NULL);
    }
}

static void append_group(struct text *text, unsigned group) {
    static const char digits[] = "0123456789abcdef";
    for (int shift = 12, begun = 0; shift >= 0; shift -= 4) {
        begun |= group >> shift & 15 || !shift;
        append(text, digits + (group >> shift & 15), (size_t)begun);
    }
}

/* Append an address of IPv6; the longest run of zeros is "::". */
static void append_groups(struct text *text, const unsigned char *bytes) {
    int best = -1, longest = 1;
    for (int i = 0; i < GROUPS; i++) {
        int size = 0;
        while (i + size < GROUPS && !bytes[2 * (i + size)] && !bytes[2 * (i + size) + 1])
            size++;
        if (size > longest)
            best = i, longest = size;
    }
    for (int i = 0; i < GROUPS;) {
        if (i == best) {
            append_all(text, "::", NULL);
            i += longest;
            continue;
        }
        append_all(text, i && i != best + longest ? ":" : "", NULL);
        append_group(text, (unsigned)(bytes[2 * i] << 8 | bytes[2 * i + 1]));
        i++;
    }
}

void append_address(struct text *text, int family, const unsigned char *bytes) {
    if (family == AF_INET)
        append_dotted(text, bytes);
    else
        append_groups(text, bytes);
}

static const char *protocol_of(const struct used_socket *used) {
    int type = used ? used->type : 0;
    return type == SOCK_STREAM ? "tcp" : type == SOCK_DGRAM ? "udp" : type ? "other" : NULL;
}

static void tell_internet(struct text *facts, struct peer *peer, int family,
                          const unsigned char *bytes, const char *protocol) {
    static struct text shown;
    shown.size = 0;
    append_address(&shown, family, bytes);
    strncpy(peer->address, shown.data, sizeof peer->address - 1);
    json_word(facts, "family", family == AF_INET ? "inet" : "inet6");
    json_word(facts, "protocol", protocol);
    json_word(facts, "address", shown.data);
    json_number(facts, "port", peer->port);
}

/* A name in no file system begins with a NUL byte. */
static void tell_unix(struct text *facts, const char *path, size_t size) {
    bool abstract = size && !*path;
    json_word(facts, "family", "unix");
    json_key(facts, "path");
    append_string(facts, path + abstract, abstract ? size - 1 : strnlen(path, size));
    if (abstract)
        json_true(facts, "abstract");
}

static void tell_other(struct text *facts, const struct used_socket *with, int family) {
    static struct text name;
    set_text(&name, "", NULL);
    append_number(&name, (uint64_t)family);
    json_word(facts, "family", family == AF_NETLINK ? "netlink" : name.data);
    json_word(facts, "protocol", protocol_of(with));
}

/* Read an address that a call is given; false for none. */
bool read_peer(struct thread *thread, uint64_t address, uint64_t size,
               const struct used_socket *with, struct peer *peer) {
    static const unsigned char mapped[12] = {[10] = 0xff, 0xff};
    static struct text facts;
    union {
        sa_family_t family;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_un local;
    } given = {0};
    size_t got = size < sizeof given.local ? (size_t)size : sizeof given.local;
    *peer = (struct peer){0};
    facts.size = 0;
    if (got < sizeof given.family || !read_whole(thread, address, &given, got))
        return false;
    peer->family = given.family;
    if (given.family == AF_INET && got >= sizeof given.four) {
        peer->port = ntohs(given.four.sin_port);
        tell_internet(&facts, peer, AF_INET, (unsigned char *)&given.four.sin_addr,
                      protocol_of(with));
    } else if (given.family == AF_INET6) {
        const unsigned char *bytes = given.six.sin6_addr.s6_addr;
        bool is_four = memcmp(bytes, mapped, sizeof mapped) == 0;
        peer->port = ntohs(given.six.sin6_port);
        tell_internet(&facts, peer, is_four ? AF_INET : AF_INET6, bytes + (is_four ? 12 : 0),
                      protocol_of(with));
    } else if (given.family == AF_UNIX) {
        size_t bytes = got - offsetof(struct sockaddr_un, sun_path);
        tell_unix(&facts, given.local.sun_path, bytes);
        memcpy(peer->path, given.local.sun_path, bytes);
    } else {
        tell_other(&facts, with, given.family);
    }
    if (facts.size >= sizeof peer->facts)
        return false;
    memcpy(peer->facts, facts.data, facts.size + 1);
    return true;
}

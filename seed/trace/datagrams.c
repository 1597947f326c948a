/* The datagrams that go to DNS servers, and come from them. */
#include "trace/datagrams.h"
#include "trace/dns.h"
#include "trace/memory.h"

#include <sys/socket.h>
#include <sys/syscall.h>

enum { MOST_MESSAGES = 4 };

static void send_to(struct thread *thread, uint64_t address, uint64_t size) {
    const uint64_t *arguments = thread->asked.arguments;
    struct used_socket *used = find_socket(thread, (int)arguments[0]);
    struct peer peer;
    if (used && address && read_peer(thread, address, size, used, &peer))
        used_for_dns(thread, used, &peer);
    if (used && used->is_dns)
        dns_sent(thread, used, arguments[1], arguments[2]);
}

/* Look at a message: its address, and the first of its parts. */
static void look_at_message(struct thread *thread, struct used_socket *used, uint64_t at,
                            bool is_sent) {
    struct msghdr message;
    struct iovec part;
    struct peer peer;
    if (!read_whole(thread, at, &message, sizeof message) || !message.msg_iovlen ||
        !read_whole(thread, (uint64_t)(uintptr_t)message.msg_iov, &part, sizeof part))
        return;
    uint64_t name = (uint64_t)(uintptr_t)message.msg_name;
    uint64_t base = (uint64_t)(uintptr_t)part.iov_base;
    if (is_sent && name && read_peer(thread, name, message.msg_namelen, used, &peer))
        used_for_dns(thread, used, &peer);
    if (!used->is_dns)
        return;
    if (is_sent)
        dns_sent(thread, used, base, part.iov_len);
    else
        dns_received(thread, used, base, part.iov_len);
}

static void look_at_messages(struct thread *thread, uint64_t count, bool is_sent) {
    const uint64_t *arguments = thread->asked.arguments;
    struct used_socket *used = find_socket(thread, (int)arguments[0]);
    for (uint64_t i = 0; used && i < count && i < MOST_MESSAGES; i++)
        look_at_message(thread, used, arguments[1] + i * sizeof(struct mmsghdr), is_sent);
}

/* Look at what a call is about to send: the answer may be there before the call has ended. */
void datagram_sent(struct thread *thread) {
    const uint64_t *arguments = thread->asked.arguments;
    switch (thread->asked.number) {
    case SYS_sendto:
        send_to(thread, arguments[4], arguments[5]);
        break;
    case SYS_write:
        send_to(thread, 0, 0);
        break;
    case SYS_sendmsg:
        look_at_messages(thread, 1, true);
        break;
    case SYS_sendmmsg:
        look_at_messages(thread, arguments[2], true);
        break;
    default:
        break;
    }
}

/* Look at the end of any call, while answers of a DNS server may come. */
void watched_ended(struct thread *thread, int64_t result) {
    const uint64_t *arguments = thread->asked.arguments;
    struct used_socket *used = find_socket(thread, (int)arguments[0]);
    if (!used || result < 0)
        return;
    switch (thread->asked.number) {
    case SYS_close:
        forget_socket(thread, (int)arguments[0]);
        break;
    case SYS_read:
    case SYS_recvfrom:
        dns_received(thread, used, arguments[1], (uint64_t)result);
        break;
    case SYS_recvmsg:
        look_at_messages(thread, 1, false);
        break;
    case SYS_recvmmsg:
        look_at_messages(thread, (uint64_t)result, false);
        break;
    case SYS_sendto:
        datagram_sent(thread);
        break;
    default:
        break;
    }
}

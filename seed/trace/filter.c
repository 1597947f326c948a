/* The seccomp filter that stops a program at the calls that are looked at: others cost nothing. */
#include "trace/filter.h"
#include "trace/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__
#define OUR_ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define OUR_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif
/* Low halves: both architectures are little-endian. */
#define LOW(index) (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (index))
#define HIGH(index) (LOW(index) + 4)

/* A filter that denies a call outranks one that stops at it, but not one that traps it. */
#define TRAP (SECCOMP_RET_TRAP | DENIED_HERE)

enum {
    NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                 CLONE_NEWPID | CLONE_NEWNET,
};
enum { MOST_STATEMENTS = 1024, LARGE_SIZE = 1 << 20, WITHOUT_PATH = 0x1000 };

static struct sock_filter statements[MOST_STATEMENTS];
static unsigned short count;

static void add(uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false) {
    statements[count++] = (struct sock_filter){code, if_true, if_false, value};
}

static void load(uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0); }

static void decide(uint32_t action) { add(BPF_RET | BPF_K, action, 0, 0); }

/* Stop if what is loaded is this. */
static void stop_at(uint16_t test, uint32_t value) {
    add(BPF_JMP | test | BPF_K, value, 0, 1);
    decide(SECCOMP_RET_TRACE);
}

static void stop_unless(uint16_t test, uint32_t value) {
    add(BPF_JMP | test | BPF_K, value, 1, 0);
    decide(SECCOMP_RET_TRACE);
}

/* Stop if an argument is not 0. */
static void stop_with(uint32_t index) {
    load(LOW(index));
    stop_unless(BPF_JEQ, 0);
    load(HIGH(index));
    stop_unless(BPF_JEQ, 0);
}

static void add_locks(void) {
    static const unsigned char locking[] = {F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW};
    load(LOW(1));
    for (size_t i = 0; i < sizeof locking; i++)
        stop_at(BPF_JEQ, locking[i]);
}

static void add_error(void) {
    load(LOW(1));
    add(BPF_JMP | BPF_JEQ | BPF_K, SOL_SOCKET, 0, 3);
    load(LOW(2));
    stop_at(BPF_JEQ, SO_ERROR);
}

static void add_large(void) {
    load(HIGH(1));
    stop_unless(BPF_JEQ, 0);
    load(LOW(1));
    stop_at(BPF_JGE, LARGE_SIZE);
}

/* Say whether the container's filter denies a call: one that would fail in another way. */
static bool is_denied(long number, long first) {
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER &&
           syscall(number, first, -1L, 0L, 0L, 0L) < 0 && errno == EPERM;
}

static void add_spawning(const struct traced *traced) {
    if (is_denied(traced->number, CLONE_NEWUSER | CLONE_FS)) {
        load(LOW(0));
        add(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1);
        decide(TRAP);
    }
    decide(SECCOMP_RET_TRACE);
}

static void add_when(const struct traced *traced) {
    switch (traced->when) {
    case WITH_PATH:
        load(LOW(traced->numbers));
        stop_unless(BPF_JSET, WITHOUT_PATH);
        break;
    case TO_ADDRESS:
        stop_with((uint32_t)traced->path);
        break;
    case NOT_STANDARD:
        load(LOW(0));
        stop_at(BPF_JGT, 2);
        break;
    case LOCKING:
        add_locks();
        break;
    case LARGE:
        add_large();
        break;
    case OF_ERROR:
        add_error();
        break;
    case SETTING:
        stop_with(2);
        break;
    case KILLING:
        load(LOW(traced->numbers));
        stop_at(BPF_JEQ, SIGKILL);
        break;
    case DENIABLE:
        decide(is_denied(traced->number, -1) ? TRAP : SECCOMP_RET_TRACE);
        return;
    case SPAWNING:
        add_spawning(traced);
        return;
    default:
        decide(SECCOMP_RET_TRACE);
        return;
    }
    decide(SECCOMP_RET_ALLOW);
}

static void add_call(const struct traced *traced) {
    unsigned short test = count;
    add(BPF_JMP | BPF_JEQ | BPF_K, traced->number, 0, 0);
    add_when(traced);
    statements[test].jf = (uint8_t)(count - test - 1);
}

/* Set the filter; the process must be traced, else these calls fail. */
bool set_filter(void) {
    load(offsetof(struct seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCHITECTURE, 1, 0);
    decide(SECCOMP_RET_ALLOW);
    load(offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count_of_traced; i++)
        add_call(&traced_calls[i]);
    decide(SECCOMP_RET_ALLOW);
    struct sock_fprog program = {count, statements};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

/* The start, the kernel's calls, and what little else of a C library the seed needs.

   A static musl is a third of the program and takes minutes to build; its headers are used, whose
   types are the kernel's on the two architectures: 64 bits, little-endian. */
#define _GNU_SOURCE
#include "seed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

char **environ;
static int last_error;

int *__errno_location(void) { return &last_error; }

#if defined(__x86_64__)

__asm__(".globl _start\n_start:\n"
        "xor %ebp, %ebp\nmov %rsp, %rdi\nand $-16, %rsp\ncall begin\n");

static long enter_kernel(long number, long a, long b, long c, long d, long e, long f) {
    register long fourth __asm__("r10") = d, fifth __asm__("r8") = e, sixth __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

__asm__(".globl _start\n_start:\n"
        "mov x29, #0\nmov x30, #0\nmov x0, sp\nb begin\n");

static long enter_kernel(long number, long a, long b, long c, long d, long e, long f) {
    register long nth __asm__("x8") = number, first __asm__("x0") = a, second __asm__("x1") = b;
    register long third __asm__("x2") = c, fourth __asm__("x3") = d, fifth __asm__("x4") = e;
    register long sixth __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(first)
                     : "r"(nth), "r"(second), "r"(third), "r"(fourth), "r"(fifth), "r"(sixth)
                     : "memory");
    return first;
}

#endif

/* Return what a call returns, or -1 with errno set. */
static long call(long number, long a, long b, long c, long d, long e, long f) {
    long result = enter_kernel(number, a, b, c, d, e, f);
    if (result >= 0 || result < -4095)
        return result;
    errno = (int)-result;
    return -1;
}

#define CALL6(n, a, b, c, d, e, f, ...) \
    call(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define CALL(...) CALL6(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

int main(int count, char **items);

/* The kernel leaves on the stack: the number of words, the words, NULL, the environment, NULL. */
__attribute__((used, noreturn)) void begin(long *stack) {
    char **items = (char **)(stack + 1);
    environ = items + *stack + 1;
    _exit(main((int)*stack, items));
}

void _exit(int code) {
    for (;;)
        CALL(SYS_exit_group, code);
}

ssize_t read(int file, void *bytes, size_t size) { return CALL(SYS_read, file, bytes, size); }

ssize_t pread(int file, void *bytes, size_t size, off_t at) {
    return CALL(SYS_pread64, file, bytes, size, at);
}

bool wait_input(struct pollfd *from, uint64_t ms) {
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    return CALL(SYS_ppoll, from, 1, &time, NULL, sizeof(uint64_t)) > 0;
}

ssize_t write(int file, const void *bytes, size_t size) {
    return CALL(SYS_write, file, bytes, size);
}

int openat(int folder, const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    unsigned mode = flags & O_CREAT ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    return (int)CALL(SYS_openat, folder, path, flags, mode);
}

int close(int file) { return (int)CALL(SYS_close, file); }

int dup(int file) { return (int)CALL(SYS_dup, file); }

int fstatat(int folder, const char *restrict path, struct stat *restrict status, int flags) {
    return (int)CALL(SYS_newfstatat, folder, path, status, flags);
}

int faccessat(int folder, const char *path, int how, int flags) {
    (void)flags;
    return (int)CALL(SYS_faccessat, folder, path, how);
}

int fchmod(int file, mode_t mode) { return (int)CALL(SYS_fchmod, file, mode); }

mode_t umask(mode_t mode) { return (mode_t)CALL(SYS_umask, mode); }

int mkdirat(int folder, const char *path, mode_t mode) {
    return (int)CALL(SYS_mkdirat, folder, path, mode);
}

int unlinkat(int folder, const char *path, int flags) {
    return (int)CALL(SYS_unlinkat, folder, path, flags);
}

int renameat(int folder, const char *path, int to_folder, const char *to) {
    return (int)CALL(SYS_renameat, folder, path, to_folder, to);
}

int symlinkat(const char *target, int folder, const char *path) {
    return (int)CALL(SYS_symlinkat, target, folder, path);
}

ssize_t readlinkat(int folder, const char *restrict path, char *restrict target, size_t size) {
    return CALL(SYS_readlinkat, folder, path, target, size);
}

int chdir(const char *path) { return (int)CALL(SYS_chdir, path); }

int execve(const char *path, char *const *words, char *const *environment) {
    return (int)CALL(SYS_execve, path, words, environment);
}

pid_t getpid(void) { return (pid_t)CALL(SYS_getpid); }

/* Take the end of a child that has ended; false where none has. */
bool reap_child(void) { return CALL(SYS_wait4, -1, NULL, WNOHANG, NULL) > 0; }

int kill(pid_t pid, int number) { return (int)CALL(SYS_kill, pid, number); }

int getdents(int folder, struct dirent *entries, size_t size) {
    return (int)CALL(SYS_getdents64, folder, entries, size);
}

ssize_t getrandom(void *bytes, size_t size, unsigned flags) {
    return CALL(SYS_getrandom, bytes, size, flags);
}

void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
    return (void *)CALL(SYS_mmap, at, size, protection, flags, file, offset);
}

int munmap(void *at, size_t size) { return (int)CALL(SYS_munmap, at, size); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    return (int)CALL(SYS_clock_gettime, clock, now);
}

int nanosleep(const struct timespec *time, struct timespec *left) {
    return (int)CALL(SYS_nanosleep, time, left);
}

void on_signal(int number, void (*what)(int)) {
    // The handler, the flags, what to return by, the mask: arch/*/include/uapi/asm/signal.h.
    const struct {
        void (*what)(int);
        uint64_t rest[3];
    } action = {what, {0}};
    CALL(SYS_rt_sigaction, number, &action, NULL, sizeof(uint64_t));
}

void block_signals(uint64_t set) {
    CALL(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, sizeof set);
}

bool take_signal(uint64_t set, const struct timespec *within) {
    return CALL(SYS_rt_sigtimedwait, &set, NULL, within, sizeof set) > 0;
}

/* The kernel's termios is the beginning of musl's. */

void set_terminal(int file, const struct termios *settings) {
    CALL(SYS_ioctl, file, TCSETS, settings);
}

/* Let bytes through as they are; say whether it is a terminal. */
bool make_raw(int file, struct termios *before) {
    if (CALL(SYS_ioctl, file, TCGETS, before) != 0)
        return false;
    struct termios raw = *before;
    raw.c_iflag = 0;
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    set_terminal(file, &raw);
    return true;
}

/* The compiler calls these by itself. */

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    return memmove(to, from, size);
}

void *memmove(void *to, const void *from, size_t size) {
    char *out = to;
    const char *in = from;
    if (out < in)
        while (size--)
            *out++ = *in++;
    else
        while (size--)
            out[size] = in[size];
    return to;
}

void *memset(void *to, int byte, size_t size) {
    for (char *out = to; size--; out++)
        *out = (char)byte;
    return to;
}

size_t strlen(const char *text) {
    size_t size = 0;
    while (text[size])
        size++;
    return size;
}

int strcmp(const char *one, const char *other) {
    while (*one && *one == *other)
        one++, other++;
    return *one - *other;
}

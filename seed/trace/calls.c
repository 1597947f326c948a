/* The system calls that are looked at, and the names of those in which a program waits. */
#include "trace/calls.h"

#include <stdbool.h>
#include <sys/syscall.h>

#define CALL(call, ...) {.number = SYS_##call, .name = #call, __VA_ARGS__}
#define AT(at) .folder = WORKING_FOLDER, .path = at, .other_path = -1
#define IN(handle, at) .folder = handle, .path = at, .other_path = -1
#define FROM_TO(from, to) .folder = -1, .path = from, .other_folder = -1, .other_path = to
#define GIVEN(first, many) .numbers = first, .count = many

const struct traced traced_calls[] = {
#ifdef __x86_64__
    // These are the calls that newer architectures don't have.
    CALL(open, OPENS, AT(0), GIVEN(1, 0)),
    CALL(creat, OPENS, AT(0), GIVEN(1, 0)),
    CALL(stat, PATHS, AT(0)),
    CALL(lstat, PATHS, AT(0)),
    CALL(access, TESTS, AT(0), GIVEN(1, 0)),
    CALL(readlink, PATHS, AT(0)),
    CALL(mkdir, PATHS, AT(0)),
    CALL(rmdir, PATHS, AT(0)),
    CALL(unlink, PATHS, AT(0)),
    CALL(rename, PATHS, FROM_TO(0, 1)),
    CALL(link, PATHS, FROM_TO(0, 1)),
    CALL(symlink, PATHS, FROM_TO(1, 0)),
    CALL(mknod, PATHS, AT(0), GIVEN(1, 2)),
    CALL(chmod, PATHS, AT(0), GIVEN(1, 1)),
    CALL(chown, PATHS, AT(0), GIVEN(1, 2)),
    CALL(lchown, PATHS, AT(0), GIVEN(1, 2)),
    CALL(fork, NUMBERS),
    CALL(vfork, NUMBERS),
    CALL(inotify_init, NUMBERS),
    CALL(getdents, HANDLES, AT(0)),
#endif
    CALL(openat, OPENS, IN(0, 1), GIVEN(2, 0)),
    CALL(openat2, OPENS, IN(0, 1), GIVEN(2, 0)),
    CALL(newfstatat, PATHS, WITH_PATH, IN(0, 1), GIVEN(3, 0)),
    CALL(statx, PATHS, WITH_PATH, IN(0, 1), GIVEN(2, 0)),
    CALL(faccessat, TESTS, IN(0, 1), GIVEN(2, 0)),
#ifdef SYS_faccessat2
    CALL(faccessat2, TESTS, IN(0, 1), GIVEN(2, 0)),
#endif
    CALL(readlinkat, PATHS, IN(0, 1)),
    CALL(execve, EXECUTES, AT(0), GIVEN(1, 0)),
    CALL(execveat, EXECUTES, IN(0, 1), GIVEN(2, 0)),
    CALL(mkdirat, PATHS, IN(0, 1)),
    CALL(unlinkat, PATHS, IN(0, 1)),
    CALL(renameat, PATHS, .folder = 0, .path = 1, .other_folder = 2, .other_path = 3),
    CALL(renameat2, PATHS, .folder = 0, .path = 1, .other_folder = 2, .other_path = 3),
    CALL(linkat, PATHS, .folder = 0, .path = 1, .other_folder = 2, .other_path = 3),
    CALL(symlinkat, PATHS, .folder = 1, .path = 2, .other_folder = -1, .other_path = 0),
    CALL(mknodat, PATHS, IN(0, 1), GIVEN(2, 2)),
    CALL(fchmodat, PATHS, IN(0, 1), GIVEN(2, 1)),
    CALL(fchownat, PATHS, IN(0, 1), GIVEN(2, 2)),
    CALL(truncate, PATHS, AT(0), GIVEN(1, 1)),
    CALL(utimensat, PATHS, IN(0, 1)),
    CALL(statfs, PATHS, AT(0)),
    CALL(chdir, PATHS, AT(0)),
    CALL(chroot, PATHS, DENIABLE, AT(0)),
    CALL(umount2, PATHS, DENIABLE, AT(0)),
    CALL(pivot_root, PATHS, DENIABLE, FROM_TO(0, 1)),
    CALL(inotify_add_watch, PATHS, AT(1)),
    CALL(fchmod, HANDLES, AT(0), GIVEN(1, 1)),
    CALL(fchown, HANDLES, AT(0), GIVEN(1, 2)),
    CALL(ftruncate, HANDLES, AT(0), GIVEN(1, 1)),
    CALL(fallocate, HANDLES, AT(0), GIVEN(3, 1)),
    CALL(fchdir, HANDLES, AT(0)),
    CALL(fsync, HANDLES, AT(0)),
    CALL(fdatasync, HANDLES, AT(0)),
    CALL(getdents64, HANDLES, AT(0)),
    CALL(mount, MOUNTS, DENIABLE, AT(1)),
    CALL(flock, LOCKS, AT(0)),
    CALL(fcntl, LOCKS, LOCKING, AT(0)),
    CALL(write, WRITES, NOT_STANDARD, AT(0)),
    CALL(pwrite64, WRITES, NOT_STANDARD, AT(0)),
    CALL(writev, WRITES, NOT_STANDARD, AT(0)),
    CALL(socket, SOCKETS, GIVEN(0, 3)),
    CALL(connect, CONNECTS, AT(1)),
    CALL(bind, BINDS, AT(1)),
    CALL(listen, LISTENS),
    CALL(getsockopt, ASKS_ERROR, OF_ERROR),
    CALL(sendto, SENDS, TO_ADDRESS, AT(4)),
    CALL(sendmsg, SENDS_MESSAGE),
    CALL(sendmmsg, SENDS_MESSAGE),
    CALL(setuid, NUMBERS, GIVEN(0, 1)),
    CALL(setgid, NUMBERS, GIVEN(0, 1)),
    CALL(setreuid, NUMBERS, GIVEN(0, 2)),
    CALL(setregid, NUMBERS, GIVEN(0, 2)),
    CALL(setresuid, NUMBERS, GIVEN(0, 3)),
    CALL(setresgid, NUMBERS, GIVEN(0, 3)),
    CALL(setgroups, NUMBERS, GIVEN(0, 1)),
    CALL(capset, NUMBERS),
    CALL(setpriority, NUMBERS, GIVEN(0, 3)),
    CALL(unshare, NUMBERS, DENIABLE, GIVEN(0, 1)),
    CALL(setns, NUMBERS, DENIABLE, GIVEN(1, 1)),
    CALL(setrlimit, NUMBERS, GIVEN(0, 1)),
    CALL(prlimit64, NUMBERS, SETTING, GIVEN(1, 1)),
    CALL(mlock, NUMBERS, GIVEN(1, 1)),
    CALL(mlockall, NUMBERS, GIVEN(0, 1)),
    CALL(sched_setscheduler, NUMBERS, GIVEN(0, 2)),
    CALL(bpf, NUMBERS, DENIABLE, GIVEN(0, 1)),
    CALL(perf_event_open, NUMBERS, DENIABLE),
    CALL(keyctl, NUMBERS, DENIABLE, GIVEN(0, 1)),
    CALL(clock_settime, NUMBERS, DENIABLE, GIVEN(0, 1)),
    CALL(sethostname, NUMBERS, DENIABLE),
    CALL(userfaultfd, NUMBERS, DENIABLE, GIVEN(0, 1)),
    CALL(add_key, NUMBERS, DENIABLE),
    CALL(request_key, NUMBERS, DENIABLE),
    CALL(settimeofday, NUMBERS, DENIABLE),
    CALL(setdomainname, NUMBERS, DENIABLE),
    CALL(finit_module, NUMBERS, DENIABLE),
    CALL(swapon, NUMBERS, DENIABLE),
    CALL(reboot, NUMBERS, DENIABLE),
    CALL(syslog, NUMBERS, DENIABLE, GIVEN(0, 1)),
    CALL(fanotify_init, NUMBERS, DENIABLE),
    CALL(open_by_handle_at, NUMBERS, DENIABLE),
    CALL(inotify_init1, NUMBERS),
    CALL(clone, NUMBERS, SPAWNING, GIVEN(0, 1)),
    CALL(clone3, NUMBERS),
    CALL(mmap, MAPS, LARGE),
    CALL(kill, KILLS, KILLING, AT(0), GIVEN(1, 0)),
    CALL(tgkill, KILLS, KILLING, AT(0), GIVEN(2, 0)),
    CALL(ptrace, TRACES, GIVEN(0, 2)),
    CALL(exit_group, EXITS),
};
const size_t count_of_traced = sizeof traced_calls / sizeof *traced_calls;

/* Calls in which a program may wait. */
static const struct {
    uint16_t number;
    const char *name;
} waiting[] = {
#define WAIT(call) {SYS_##call, #call}
#ifdef __x86_64__
    WAIT(poll), WAIT(select), WAIT(epoll_wait), WAIT(pause),
#endif
    WAIT(read), WAIT(readv), WAIT(ppoll), WAIT(pselect6), WAIT(epoll_pwait), WAIT(futex),
    WAIT(nanosleep), WAIT(clock_nanosleep), WAIT(wait4), WAIT(waitid), WAIT(rt_sigtimedwait),
    WAIT(rt_sigsuspend), WAIT(recvfrom), WAIT(recvmsg), WAIT(recvmmsg), WAIT(accept),
    WAIT(accept4), WAIT(io_getevents), WAIT(restart_syscall), WAIT(msgrcv), WAIT(semtimedop),
    WAIT(close), WAIT(splice), WAIT(sendfile),
};

enum { MOST_NUMBERS = 512 };

const struct traced *find_traced(uint64_t number) {
    // One more than the place.
    static unsigned char places[MOST_NUMBERS];
    static bool is_filled;
    for (size_t i = 0; !is_filled && i < count_of_traced; i++)
        places[traced_calls[i].number] = (unsigned char)(i + 1);
    is_filled = true;
    if (number >= MOST_NUMBERS || !places[number])
        return NULL;
    return &traced_calls[places[number] - 1];
}

/* Return the name of a call, or NULL. */
const char *call_name(uint64_t number) {
    const struct traced *traced = find_traced(number);
    if (traced)
        return traced->name;
    for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++)
        if (waiting[i].number == number)
            return waiting[i].name;
    return NULL;
}

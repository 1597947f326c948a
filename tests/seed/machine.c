/* What programs on the machine of arm64 do, beside those of the corpus of broken pods. */
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 99, DNS = 53, USER = 54321 };

/* Become words where mount is denied, as in a container. */
static int deny(char **words) {
    struct sock_filter statements[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_mount},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_fprog program = {4, statements};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
        return FAILED;
    return execv(words[0], words);
}

/* Become words as another user. */
static int become_user(char **words) {
    if (setgroups(0, NULL) || setgid(USER) || setuid(USER))
        return FAILED;
    return execv(words[0], words);
}

/* Answer each question about a name: there is none. */
static int answer(char **words) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(DNS)};
    socklen_t size = sizeof address;
    unsigned char message[512];
    int handle = socket(AF_INET, SOCK_DGRAM, 0);
    if (*words || bind(handle, (struct sockaddr *)&address, size))
        return FAILED;
    for (;;) {
        ssize_t count = recvfrom(handle, message, sizeof message, 0, (struct sockaddr *)&address, &size);
        message[2] |= 0x80;
        message[3] = 3;
        sendto(handle, message, (size_t)count, 0, (struct sockaddr *)&address, size);
    }
}

static int run_no_instruction(char **words) {
    __asm__ volatile(".inst 0");
    return !words;
}

static int run_data(char **words) {
    static volatile int data[4];
    ((void (*)(char **))(uintptr_t)data)(words);
    return 0;
}

static volatile int got;

static void take(int number) { got += number > 0; }

/* Send itself signals, and stop a child; return how much of that was as it should be. */
static int signal_all(char **words) {
    static const int numbers[] = {SIGUSR1, SIGTRAP, SIGCHLD, SIGTERM, SIGSYS, 40};
    for (int i = 0; i < 6; i++) {
        signal(numbers[i], take);
        raise(numbers[i]);
    }
    signal(SIGCHLD, SIG_DFL);
    sigset_t end;
    int status;
    sigemptyset(&end);
    sigaddset(&end, SIGUSR2);
    sigprocmask(SIG_BLOCK, &end, NULL);
    pid_t child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit(sigwait(&end, &status) || !words ? 0 : 7);
    }
    got += waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status);
    usleep(50000);
    got += waitpid(child, &status, WNOHANG) == 0;
    kill(child, SIGCONT);
    got += waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status);
    kill(child, SIGUSR2);
    got += waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7;
    return got;
}

/* Ask with which error a connection failed, as event loops do. */
static int connect_later(char **words) {
    struct sockaddr_in address = {AF_INET, htons(5432), {htonl(INADDR_LOOPBACK)}, {0}};
    socklen_t size = sizeof address;
    int error = 0, handle = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(handle, (struct sockaddr *)&address, size);
    usleep(200000);
    size = sizeof error;
    getsockopt(handle, SOL_SOCKET, SO_ERROR, &error, &size);
    return error == ECONNREFUSED && words ? 4 : FAILED;
}

/* Use 256 MiB. */
static int allocate(char **words) {
    enum { SIZE = 1 << 28, PAGE = 4096 };
    volatile char *memory = mmap(NULL, SIZE, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t at = 0; memory != MAP_FAILED && at < SIZE; at += PAGE)
        memory[at] = 1;
    return memory == MAP_FAILED && words ? 1 : FAILED;
}

/* Become words in another thread. */
static void *become(void *words) {
    execv(*(char **)words, words);
    return NULL;
}

static int become_elsewhere(char **words) {
    pthread_t thread;
    pthread_create(&thread, NULL, become, words);
    for (;;)
        pause();
}

static const struct {
    const char *name;
    int (*act)(char **words);
} acts[] = {
    {"deny", deny},
    {"as-user", become_user},
    {"no-name", answer},
    {"no-instruction", run_no_instruction},
    {"data", run_data},
    {"signals", signal_all},
    {"connect-later", connect_later},
    {"allocate", allocate},
    {"thread-becomes", become_elsewhere},
};

int main(int count, char **words) {
    for (size_t i = 0; count > 1 && i < sizeof acts / sizeof *acts; i++)
        if (!strcmp(words[1], acts[i].name))
            return acts[i].act(words + 2);
    return FAILED;
}

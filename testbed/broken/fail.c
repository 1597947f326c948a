/* Do the arguments in order and end at the first that fails, with exit code 1 and without a word.
 * The words are those of the Go program "fail", as far as a C library does them differently. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int loud;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int fopen_and_close(const char *path, const char *mode) {
  FILE *file = fopen(path, mode);
  return file ? fclose(file) : -1;
}

static int read_file(const char *path) {
  char buffer[4096];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? -1 : read(fd, buffer, sizeof buffer) > 0 ? 0 : -1;
}

static int stat_file(const char *path) {
  struct stat found;
  return stat(path, &found);
}

static int write_file(const char *path) {
  FILE *file = fopen(path, "w");
  if (!file || fputs("written\n", file) < 0)
    return -1;
  return fclose(file);
}

/* Write a GiB. */
static int fill(const char *path) {
  static char step[1 << 20];
  int fd = open(path, O_CREAT | O_WRONLY, 0644);
  for (int count = 0; fd >= 0 && count < 1024; count++)
    if (write(fd, step, sizeof step) < 0)
      return -1;
  return fd < 0 ? -1 : 0;
}

static int address_of(const char *text, int flags, struct addrinfo **found) {
  char host[256];
  const char *colon = strrchr(text, ':');
  if (!colon || colon - text >= (long)sizeof host)
    return -1;
  snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
  return getaddrinfo(*host ? host : NULL, colon + 1, &hints, found) ? -1 : 0;
}

static int connect_to(const char *text) {
  struct addrinfo *found;
  if (address_of(text, 0, &found))
    return -1;
  int fd = socket(found->ai_family, SOCK_STREAM, 0);
  return connect(fd, found->ai_addr, found->ai_addrlen);
}

static int listen_on(const char *text) {
  struct addrinfo *found;
  if (address_of(text, AI_PASSIVE, &found))
    return -1;
  int fd = socket(found->ai_family, SOCK_STREAM, 0);
  return bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, 8) ? -1 : 0;
}

static int connect_unix(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
}

static int resolve(const char *name) {
  struct addrinfo *found;
  return getaddrinfo(name, NULL, NULL, &found) ? -1 : 0;
}

static int need_variable(const char *name) {
  const char *value = getenv(name);
  return value && *value ? 0 : -1;
}

static int lock_file(const char *path, int how) {
  int fd = open(path, O_CREAT | O_RDWR, 0644);
  return fd < 0 ? -1 : flock(fd, how);
}

static int replace(char *path) {
  char *words[] = {path, NULL};
  return execvp(path, words);
}

static int run(char *path) {
  pid_t child;
  int status, error;
  char *words[] = {path, NULL};
  if ((error = posix_spawnp(&child, path, NULL, NULL, words, environ))) {
    errno = error;
    return -1;
  }
  return waitpid(child, &status, 0) < 0 || status ? -1 : 0;
}

static void *wait_for_mutex(void *unused) {
  pthread_mutex_lock(&mutex);
  return unused;
}

/* Wait for a thread that waits for a lock which this one holds. */
static int deadlock(void) {
  pthread_t thread;
  pthread_mutex_lock(&mutex);
  return pthread_create(&thread, NULL, wait_for_mutex, NULL) || pthread_join(thread, NULL) ? -1 : 0;
}

static void *sleep_on(void *unused) {
  pause();
  return unused;
}

static int threads(int count) {
  pthread_t thread;
  while (count-- > 0)
    if (pthread_create(&thread, NULL, sleep_on, NULL))
      return -1;
  return 0;
}

static int allocate(int mib) {
  for (; mib > 0; mib--) {
    char *step = malloc(1 << 20);
    if (!step)
      return -1;
    memset(step, 1, 1 << 20);
  }
  return 0;
}

static int fault(void) {
  *(volatile int *)8 = 1;
  return 0;
}

static int dies(int signum) {
  signal(signum, SIG_DFL);
  pid_t child = getpid() == 1 ? fork() : 0;
  if (child == 0) {
    raise(signum);
    return -1;
  }
  int status;
  waitpid(child, &status, 0);
  exit(128 + signum);
}

static int act(const char *name, char *rest) {
  if (!strcmp(name, "loud")) return loud = 1, 0;
  if (!strcmp(name, "say")) return puts(rest) < 0 ? -1 : fflush(stdout);
  if (!strcmp(name, "warn")) return fprintf(stderr, "%s\n", rest) < 0 ? -1 : 0;
  if (!strcmp(name, "exit")) exit(atoi(rest));
  if (!strcmp(name, "sleep")) return sleep(atoi(rest)), 0;
  if (!strcmp(name, "pause")) for (;;) pause();
  if (!strcmp(name, "stdin")) return getchar() == EOF ? -1 : 0;
  if (!strcmp(name, "open")) return fopen_and_close(rest, "r");
  if (!strcmp(name, "append")) return fopen_and_close(rest, "a");
  if (!strcmp(name, "read")) return read_file(rest);
  if (!strcmp(name, "write")) return write_file(rest);
  if (!strcmp(name, "fill")) return fill(rest);
  if (!strcmp(name, "stat")) return stat_file(rest);
  if (!strcmp(name, "mkdir")) return mkdir(rest, 0755);
  if (!strcmp(name, "fifo")) return mkfifo(rest, 0600);
  if (!strcmp(name, "folder")) return chdir(rest);
  if (!strcmp(name, "chown")) return chown(rest, 12, 12);
  if (!strcmp(name, "remove")) return unlink(rest);
  if (!strcmp(name, "lock")) return lock_file(rest, LOCK_EX | LOCK_NB);
  if (!strcmp(name, "lockwait")) return lock_file(rest, LOCK_EX);
  if (!strcmp(name, "connect")) return connect_to(rest);
  if (!strcmp(name, "unix")) return connect_unix(rest);
  if (!strcmp(name, "listen")) return listen_on(rest);
  if (!strcmp(name, "resolve")) return resolve(rest);
  if (!strcmp(name, "env")) return need_variable(rest);
  if (!strcmp(name, "exec")) return replace(rest);
  if (!strcmp(name, "run")) return run(rest);
  if (!strcmp(name, "load")) return dlopen(rest, RTLD_NOW) ? 0 : -1;
  if (!strcmp(name, "locale")) return setlocale(LC_ALL, rest) ? 0 : -1;
  if (!strcmp(name, "user")) return getpwnam(rest) ? 0 : -1;
  if (!strcmp(name, "group")) return getgrnam(rest) ? 0 : -1;
  if (!strcmp(name, "setuid")) return setuid(atoi(rest));
  if (!strcmp(name, "setgid")) return setgid(atoi(rest));
  if (!strcmp(name, "initgroups")) return initgroups(rest, 12);
  if (!strcmp(name, "threads")) return threads(atoi(rest));
  if (!strcmp(name, "allocate")) return allocate(atoi(rest));
  if (!strcmp(name, "deadlock")) return deadlock();
  if (!strcmp(name, "traceme")) return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? -1 : 0;
  if (!strcmp(name, "fault")) return fault();
  if (!strcmp(name, "abort")) abort();
  if (!strcmp(name, "trap")) __builtin_trap();
  if (!strcmp(name, "signal")) return dies(atoi(rest));
  fprintf(stderr, "fail: unknown action %s\n", name);
  exit(64);
}

// On a copy: a program whose words in /proc are others than it was given is found out too late.
static int perform(const char *given) {
  char *word = strdup(given);
  int again = !strncmp(word, "retry:", 6), optional = *word == '?';
  char *name = word + (again ? 6 : optional);
  char *colon = strchr(name, ':');
  if (colon)
    *colon = 0;
  int result;
  while ((result = act(name, colon ? colon + 1 : "")) && again)
    usleep(200000);
  return optional ? 0 : result;
}

int main(int count, char **words) {
  for (int i = 1; i < count; i++) {
    if (perform(words[i])) {
      if (loud)
        fprintf(stderr, "fail: %s: %s\n", words[i], strerror(errno));
      return 1;
    }
  }
  if (count == 1)
    for (;;) pause();
  return 0;
}

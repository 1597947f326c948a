/* The signals that processes get, from whom, and the faults of their own. */
#include "trace/signals.h"
#include "base/files.h"
#include "base/json.h"
#include "trace/memory.h"
#include "trace/names.h"
#include "trace/notes.h"
#include "trace/paths.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

/* Who sent SIGKILL, which is seen by nobody else. */
static struct {
    pid_t to, from;
} kills[16];
static unsigned count_of_kills;

/* On arm64 a trap of the compiler is SIGTRAP, and not SIGILL. */
static bool is_fault(int number) {
    return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE ||
           number == SIGTRAP || number == SIGSYS;
}

/* Say whether a signal is one that programs live with. */
static bool is_usual(int number) {
    static const unsigned char usual[] = {
        SIGCHLD, SIGURG, SIGWINCH, SIGCONT, SIGALRM, SIGVTALRM, SIGPROF, SIGTSTP, SIGTTOU,
    };
    return number >= 32 || memchr(usual, number, sizeof usual);
}

static void append_hexadecimal(struct text *text, uint64_t number) {
    char digits[19] = "", *at = digits + sizeof digits - 1;
    do
        *--at = "0123456789abcdef"[number & 15];
    while (number >>= 4);
    append_all(text, "0x", at, NULL);
}

/* Name the file and the offset in it, of a line of /proc/PID/maps: "START-END RWXP OFFSET DEVICE
   INODE PATH". */
static bool append_mapped(struct text *text, const char *line, uint64_t code) {
    char *at;
    uint64_t start = strtoull(line, &at, 16), end = strtoull(at + (*at == '-'), &at, 16);
    if (code < start || code >= end || strlen(at) < 6)
        return false;
    uint64_t offset = strtoull(at + 6, &at, 16);
    const char *path = at + strcspn(at, "/[\n");
    size_t size = strcspn(path, "\n");
    append(text, path, size);
    if (size)
        append_all(text, "+", NULL);
    append_hexadecimal(text, code - start + (size ? offset : 0));
    return true;
}

/* Name where the code is that a thread runs. */
static void tell_place(struct text *facts, const struct thread *thread, uint64_t code) {
    static struct text path, maps, place;
    place.size = 0;
    thread_link(thread, "maps", -1, &path);
    if (!read_at(AT_FDCWD, path.data, &maps))
        return;
    for (const char *line = maps.data; *line; line = strchrnul(line, '\n'), line += *line == '\n')
        if (append_mapped(&place, line, code)) {
            json_word(facts, "in", place.data);
            return;
        }
}

static void tell_fault(struct text *facts, struct thread *thread, const siginfo_t *info) {
    static struct text address;
    struct asked asked;
    address.size = 0;
    if (info->si_signo == SIGSYS) {
        json_word(facts, "call", call_name((uint64_t)info->si_syscall));
    } else if (info->si_code > 0 && info->si_code != SI_KERNEL) {
        append_hexadecimal(&address, (uint64_t)(uintptr_t)info->si_addr);
        json_word(facts, "address", address.data);
    }
    if (read_registers(thread->id, &asked))
        tell_place(facts, thread, asked.code);
}

static void keep(struct got *place, int number, const char *facts) {
    free(place->facts);
    *place = (struct got){number, run_time(), strdup(facts)};
}

/* Note a signal that a thread is about to get. */
void signal_got(struct thread *thread, int number) {
    static struct text facts;
    siginfo_t info = {0};
    if (is_usual(number) || ptrace(PTRACE_GETSIGINFO, thread->id, 0, &info) != 0)
        return;
    set_text(&facts, "", NULL);
    json_word(&facts, "signal", signal_name(number));
    json_word(&facts, "code", signal_code(number, info.si_code));
    if (is_fault(number))
        tell_fault(&facts, thread, &info);
    if (info.si_code <= 0 && info.si_pid)
        json_number(&facts, "sender", (uint64_t)info.si_pid);
    // A handler may send it once more, to end by it.
    bool is_first = is_fault(number) && info.si_code > 0;
    keep(is_first ? &thread->process->fault : &thread->process->last, number, facts.data);
}

/* Note who kills whom: the other may be dead before the call ends. */
void kill_begun(const struct thread *thread) {
    const uint64_t *arguments = thread->asked.arguments;
    unsigned place = count_of_kills++ % (sizeof kills / sizeof *kills);
    kills[place].to = (pid_t)arguments[0];
    kills[place].from = thread->process->pid;
}

static pid_t killer_of(pid_t pid) {
    for (size_t i = 0; i < sizeof kills / sizeof *kills; i++)
        if (kills[i].to == pid)
            return kills[i].from;
    return 0;
}

/* Note a signal that a process has ended by, if it was not seen to get it. */
void process_killed(struct process *process, int number) {
    static struct text facts;
    if (process->last.number == number || process->fault.number == number)
        return;
    set_text(&facts, "", NULL);
    json_word(&facts, "signal", signal_name(number));
    if (number == SIGKILL && killer_of(process->pid))
        json_number(&facts, "sender", (uint64_t)killer_of(process->pid));
    keep(&process->last, number, facts.data);
}

/* The processes of the app, and their threads, in tables that don't grow: it may be a fork bomb. */
#include "trace/tracees.h"
#include "base/json.h"
#include "base/processes.h"
#include "base/waiting.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PROCESSES = 512, MOST_THREADS = 4096, MOST_WORDS = 32, LONGEST_WORD = 512 };
enum { REMOVED = -1 };

static struct process processes[MOST_PROCESSES];
static struct thread threads[MOST_THREADS];
static uint64_t start;
unsigned count_of_processes, dropped_processes;
static unsigned count_of_threads;

static void free_process(struct process *process) {
    free(process->words);
    free(process->exe);
    free(process->last.facts);
    free(process->fault.facts);
}

void begin_tracees(void) {
    for (unsigned i = 0; i < count_of_processes; i++)
        free_process(&processes[i]);
    // What was never used takes no memory.
    for (unsigned i = 0; i < MOST_THREADS; i++)
        if (threads[i].id)
            threads[i] = (struct thread){0};
    count_of_processes = dropped_processes = count_of_threads = 0;
    start = now_ms();
}

/* Return the ms since the start of the run. */
uint64_t run_time(void) { return now_ms() - start; }

struct process *process_at(unsigned index) { return &processes[index]; }

/* Return the process with this number; of those that have ended, the last. */
struct process *find_process(pid_t pid) {
    struct process *found = NULL;
    for (unsigned i = 0; i < count_of_processes; i++)
        if (processes[i].pid == pid && (!found || !processes[i].ended))
            found = &processes[i];
    return found;
}

/* Return where a thread is, or would be. What is removed leaves a mark: others may be behind. */
static struct thread *place_of(pid_t id) {
    struct thread *free_place = NULL;
    for (unsigned i = 0; i < MOST_THREADS; i++) {
        struct thread *place = &threads[((unsigned)id + i) % MOST_THREADS];
        if (place->id == id)
            return place;
        if (place->id <= 0 && !free_place)
            free_place = place;
        if (!place->id)
            break;
    }
    return free_place;
}

struct thread *find_thread(pid_t id) {
    struct thread *place = place_of(id);
    return place && place->id == id ? place : NULL;
}

static pid_t status_number(const char *status, const char *name) {
    const char *at = strstr(status, name);
    return at ? (pid_t)strtol(at + strlen(name), NULL, 10) : 0;
}

/* Return a place for a process; of one that has ended, if there is no other. */
static struct process *take_place(void) {
    struct process *oldest = NULL;
    if (count_of_processes < MOST_PROCESSES)
        return &processes[count_of_processes++];
    dropped_processes++;
    for (unsigned i = 1; i < count_of_processes; i++)
        if (processes[i].ended && (!oldest || processes[i].end < oldest->end))
            oldest = &processes[i];
    if (oldest)
        free_process(oldest);
    return oldest;
}

static char *copy(const char *text) { return text ? strdup(text) : NULL; }

static struct process *add_process(pid_t pid, pid_t parent) {
    struct process *process = take_place(), *maker = find_process(parent);
    if (!process)
        return NULL;
    *process = (struct process){.pid = pid, .parent = parent, .memory = -1, .at = run_time()};
    if (maker && maker != process) {
        process->words = copy(maker->words);
        process->exe = copy(maker->exe);
    }
    return process;
}

/* Return a thread that is new, or NULL if there is no room for it: then it runs unseen. */
struct thread *adopt(pid_t id) {
    static struct text status;
    char name[16] = "";
    struct text number = {name, 0, sizeof name};
    struct thread *place = place_of(id);
    if (!place || place->id == id)
        return place;
    // Linear probing needs room.
    append_number(&number, (uint64_t)id);
    if (count_of_threads >= MOST_THREADS * 3 / 4 || !read_process(name, "status", &status))
        return NULL;
    pid_t pid = status_number(status.data, "\nTgid:\t");
    struct process *process = find_process(pid);
    if (!process || process->ended)
        process = add_process(pid, status_number(status.data, "\nPPid:\t"));
    if (!process)
        return NULL;
    process->threads++;
    count_of_threads++;
    *place = (struct thread){.id = id, .process = process};
    return place;
}

void forget_thread(struct thread *thread) {
    thread->process->threads--;
    count_of_threads--;
    free(thread->program);
    *thread = (struct thread){.id = REMOVED};
}

/* Forget the other threads of a process. */
void forget_others(const struct thread *kept) {
    for (unsigned i = 0; i < MOST_THREADS; i++)
        if (threads[i].id > 0 && &threads[i] != kept && threads[i].process == kept->process)
            forget_thread(&threads[i]);
}

void each_thread(void (*visit)(struct thread *thread)) {
    for (unsigned i = 0; i < MOST_THREADS; i++)
        if (threads[i].id > 0)
            visit(&threads[i]);
}

static char *list_words(struct words words) {
    struct text list = {0};
    append_all(&list, "[", NULL);
    for (size_t i = 0; i < words.count && i < MOST_WORDS; i++)
        json_item(&list, words.items[i], strnlen(words.items[i], LONGEST_WORD));
    append_all(&list, "]", NULL);
    return list.data;
}

static void replace(char **place, char *by) {
    free(*place);
    *place = by;
}

void set_words(struct process *process, struct words words) {
    replace(&process->words, list_words(words));
}

/* Note what a process runs now. */
void note_program(struct process *process) {
    static struct text told;
    char name[16];
    struct text number = {name, 0, sizeof name};
    append_number(&number, (uint64_t)process->pid);
    if (process->memory >= 0)
        close(process->memory);
    process->memory = -1;
    if (read_process(name, "cmdline", &told)) {
        struct words words = split(&told);
        set_words(process, words);
        free(words.items);
    }
    if (process_link(name, "exe", &told))
        replace(&process->exe, strdup(told.data));
}

void note_end(struct process *process, int status) {
    if (process->memory >= 0)
        close(process->memory);
    process->memory = -1;
    process->ended = true;
    process->status = status;
    process->end = run_time();
}

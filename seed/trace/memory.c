/* The memory of a traced process: by /proc, where process_vm_readv may be refused. */
#include "trace/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

enum { PAGE = 4096 };

static int open_memory(struct process *process) {
    static struct text path;
    if (process->memory >= 0)
        return process->memory;
    set_text(&path, "/proc/", NULL);
    append_number(&path, (uint64_t)process->pid);
    append_all(&path, "/mem", NULL);
    return process->memory = open(path.data, O_RDONLY | O_CLOEXEC);
}

/* Keep a process's memory open: it may change its user, and then this is refused. */
void hold_memory(struct thread *thread) {
    if (thread)
        open_memory(thread->process);
}

/* Read word by word, where there is no handle left for a file. */
static size_t peek(pid_t id, uint64_t address, char *bytes, size_t size) {
    size_t at = 0;
    while (at < size) {
        uint64_t begin = (address + at) & ~7ull, skipped = address + at - begin;
        errno = 0;
        long word = ptrace(PTRACE_PEEKDATA, id, begin, 0);
        if (errno)
            break;
        size_t part = 8 - skipped < size - at ? 8 - skipped : size - at;
        memcpy(bytes + at, (char *)&word + skipped, part);
        at += part;
    }
    return at;
}

/* Read as much as there is, page by page; return how much that is. */
size_t read_memory(struct thread *thread, uint64_t address, void *bytes, size_t size) {
    int memory = open_memory(thread->process);
    if (memory < 0)
        return peek(thread->id, address, bytes, size);
    size_t at = 0;
    while (at < size) {
        size_t left = PAGE - (address + at) % PAGE, part = left < size - at ? left : size - at;
        ssize_t got = pread(memory, (char *)bytes + at, part, (off_t)(address + at));
        if (got <= 0)
            break;
        at += (size_t)got;
    }
    return at;
}

bool read_whole(struct thread *thread, uint64_t address, void *bytes, size_t size) {
    return read_memory(thread, address, bytes, size) == size;
}

/* Return a string, cut off at the longest, or NULL; the next call of this overwrites it. */
const char *read_text(struct thread *thread, uint64_t address, size_t longest) {
    enum { STEP = 256 };
    static char text[LONGEST_TEXT + 1];
    size_t size = 0;
    if (!address)
        return NULL;
    while (size < longest) {
        size_t step = longest - size < STEP ? longest - size : STEP;
        size_t got = read_memory(thread, address + size, text + size, step);
        if (memchr(text + size, 0, got))
            return text;
        size += got;
        if (got < step)
            break;
    }
    text[size] = 0;
    return size ? text : NULL;
}

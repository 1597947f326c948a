/* The toolkit folder, and what is told. */
#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

const char *toolkit_folder(void) {
    const char *named = getenv("SCRATCH_TOOLKIT");
    return named && *named ? named : "/.scratch";
}

/* Return a handle of the toolkit folder, or -1. */
int open_toolkit(void) {
    static int folder = -1;
    if (folder < 0)
        folder = open(toolkit_folder(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    return folder;
}

/* Say whether a file is in the toolkit folder, and at most so old; 0 is of any age. */
bool toolkit_has_since(const char *name, unsigned seconds) {
    int folder = open_toolkit();
    struct stat status;
    struct timespec now;
    if (folder < 0 || fstatat(folder, name, &status, 0) != 0)
        return false;
    clock_gettime(CLOCK_REALTIME, &now);
    return !seconds || now.tv_sec - status.st_mtim.tv_sec <= seconds;
}

bool toolkit_has(const char *name) { return toolkit_has_since(name, 0); }

bool read_toolkit(const char *name, struct text *text) {
    int folder = open_toolkit();
    return folder >= 0 && read_at(folder, name, text);
}

/* Write a file so that it is seen whole or not at all. */
bool write_toolkit(const char *name, const char *bytes, size_t size) {
    int folder = open_toolkit();
    if (folder < 0)
        return false;
    struct text partial = {0};
    append_all(&partial, name, ".tmp", NULL);
    int file = openat(folder, partial.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return false;
    bool written = write_all(file, bytes, size);
    close(file);
    if (written && renameat(folder, partial.data, folder, name) == 0)
        return true;
    int cause = errno;
    unlinkat(folder, partial.data, 0);
    errno = cause;
    return false;
}

/* Make an empty file, or find it there: only to read, for it may be another user's. */
bool make_empty(const char *name) {
    int folder = open_toolkit();
    int file = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    return file >= 0 && close(file) == 0;
}

bool read_at(int folder, const char *path, struct text *text) {
    int file = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    char bytes[4096];
    ssize_t got;
    text->size = 0;
    append(text, "", 0);
    while ((got = read(file, bytes, sizeof bytes)) > 0)
        append(text, bytes, (size_t)got);
    int cause = errno;
    close(file);
    errno = cause;
    return got == 0;
}

bool write_all(int file, const char *bytes, size_t size) {
    while (size) {
        ssize_t written = write(file, bytes, size);
        if (written < 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

const char *reason(void) { return strerror(errno); }

/* Tell one line, in one write: others may write there, too. A part of it may be an app's word. */
void say(const char *first, ...) {
    static struct text line;
    line.size = 0;
    va_list rest;
    va_start(rest, first);
    for (const char *part = first; part; part = va_arg(rest, const char *))
        append_shown(&line, part);
    va_end(rest);
    append(&line, "\n", 1);
    write_all(STDERR_FILENO, line.data, line.size);
}

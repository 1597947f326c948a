/* The toolkit folder, which the toolkit is received into. */
#include "toolkit/folder.h"
#include "base/files.h"
#include "base/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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
bool write_toolkit_as(const char *name, const char *bytes, size_t size, mode_t mode) {
    int folder = open_toolkit();
    if (folder < 0)
        return false;
    struct text partial = {0};
    append_all(&partial, name, ".tmp", NULL);
    int file = openat(folder, partial.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
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

bool write_toolkit(const char *name, const char *bytes, size_t size) {
    return write_toolkit_as(name, bytes, size, 0644);
}

/* Make an empty file, or find it there: only to read, for it may be another user's. */
bool make_empty(const char *name) {
    int folder = open_toolkit();
    int file = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    return file >= 0 && close(file) == 0;
}

/* Wait until a file is in the toolkit folder; false when the time is over. */
bool wait_for(const char *name, unsigned every_ms, unsigned at_most_ms) {
    uint64_t end = now_ms() + at_most_ms;
    while (!toolkit_has(name)) {
        if (now_ms() >= end)
            return false;
        usleep(every_ms * 1000);
    }
    return true;
}

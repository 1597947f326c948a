/* Whole files. */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

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
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

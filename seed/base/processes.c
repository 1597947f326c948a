/* What /proc tells of processes. A PID is text: it comes as such, and goes into paths. */
#include "base/processes.h"
#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Visit what a folder has by a number, in the folder's order, until a visit returns true. */
bool each_number(const char *path, visitor *visit, void *about) {
    DIR *folder = opendir(path);
    bool found = false;
    uint64_t number;
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));)
        found = is_number(entry->d_name, &number) && visit(entry->d_name, about);
    if (folder)
        closedir(folder);
    return found;
}

/* Visit the processes, the lowest PID first, until a visit returns true. */
bool each_process(visitor *visit, void *about) { return each_number("/proc", visit, about); }

static const char *process_path(const char *pid, const char *name) {
    static struct text path;
    set_text(&path, "/proc/", pid, "/", name, NULL);
    return path.data;
}

bool read_process(const char *pid, const char *name, struct text *text) {
    return read_at(AT_FDCWD, process_path(pid, name), text);
}

bool process_link(const char *pid, const char *name, struct text *text) {
    char target[4096];
    ssize_t size = readlink(process_path(pid, name), target, sizeof target);
    if (size < 0)
        return false;
    text->size = 0;
    append(text, target, (size_t)size);
    return true;
}

static bool is_our_program(const char *path) {
    struct stat ours, theirs;
    return stat("/proc/self/exe", &ours) == 0 &&
           stat(path, &theirs) == 0 &&
           ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* Say whether a process with this first word is a seed: the same file is there by that name. */
bool is_seed(const char *first_word) { return is_our_program(first_word); }

/* Say whether a process is a seed; of another user's that is not to be seen. */
bool runs_seed(const char *pid) { return is_our_program(process_path(pid, "exe")); }

/* Say whether a process has what we have under a name in /proc; a sandbox may have no such name. */
bool is_as_ours(const char *pid, const char *name) {
    struct text ours = {0}, theirs = {0};
    return !process_link("self", name, &ours) ||
           (process_link(pid, name, &theirs) && equal(ours.data, theirs.data));
}

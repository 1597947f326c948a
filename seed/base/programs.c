/* Find a program as a container's runtime does, and become it. */
#include "base/programs.h"
#include "base/say.h"
#include "base/waiting.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char default_path[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* Return what follows "NAME=" in an environment, or NULL. */
const char *variable(char **environment, const char *name) {
    size_t size = strlen(name);
    for (; *environment; environment++)
        if (begins(*environment, name) && (*environment)[size] == '=')
            return *environment + size + 1;
    return NULL;
}

/* Return the PATH of an environment, or the one that a container has by default. */
const char *path_of(char **environment) {
    const char *path = variable(environment, "PATH");
    return path && *path ? path : default_path;
}

static bool is_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Find a program as a container's runtime does (Go's exec.LookPath); return 0 or an errno. */
int find_program(const char *name, const char *path, struct text *found) {
    if (strchr(name, '/')) {
        append_all(found, name, NULL);
        return access(name, F_OK) == 0 ? 0 : errno;
    }
    int cause = ENOENT;
    while (*name && path) {
        const char *end = strchrnul(path, ':');
        found->size = 0;
        append(found, path, (size_t)(end - path));
        append_all(found, end == path ? "./" : "/", name, NULL);
        if (is_file(found->data)) {
            if (access(found->data, X_OK) == 0)
                return 0;
            cause = EACCES;
        }
        path = *end ? end + 1 : NULL;
    }
    return cause;
}

/* Become a program; returns the exit code where that fails. ``missing`` is said of no file. */
int replace_by(const char *who, struct words words, char **environment, const char *missing) {
    struct text found = {0};
    const char *name = words.items[0];
    errno = find_program(name, path_of(environment), &found);
    if (errno == 0) {
        restore_signals();
        execve(found.data, words.items, environment);
        if (errno == ENOENT) {
            say(who, ": ", name, " is there, but its interpreter or loader is not", NULL);
            return NOT_FOUND;
        }
    }
    bool none = errno == ENOENT || errno == ENOTDIR;
    say(who, ": ", name, ": ", none ? missing : reason(), NULL);
    return none ? NOT_FOUND : CANNOT_RUN;
}

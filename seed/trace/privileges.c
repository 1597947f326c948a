/* What a program cannot do while it is traced: gain privileges by a file, and trace. */
#include "trace/privileges.h"
#include "base/processes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

static uint64_t effective(const char *status, const char *name) {
    // "Uid:\tREAL\tEFFECTIVE\t..."
    const char *at = strstr(status, name);
    at = at ? strchr(at + strlen(name), '\t') : NULL;
    return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* Say whether a file has privileges that a process lacks; root has all that a file may give. */
static bool has_more(pid_t pid, const struct stat *file, const char *path) {
    static struct text status, number;
    set_text(&number, "", NULL);
    append_number(&number, (uint64_t)pid);
    if (!read_process(number.data, "status", &status))
        return false;
    uint64_t user = effective(status.data, "\nUid:\t"), group = effective(status.data, "\nGid:\t");
    if (!user)
        return false;
    return (file->st_mode & S_ISUID && file->st_uid != user) ||
           (file->st_mode & S_ISGID && file->st_mode & S_IXGRP && file->st_gid != group) ||
           getxattr(path, "security.capability", NULL, 0) > 0;
}

/* Say whether a file would give a process privileges, if it was not for the tracer: in most
   containers it would not anyway. */
bool gains_privileges(pid_t pid, const char *path) {
    struct stat file;
    struct statvfs mount;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 && stat(path, &file) == 0 &&
           S_ISREG(file.st_mode) && has_more(pid, &file, path) &&
           statvfs(path, &mount) == 0 && !(mount.f_flag & ST_NOSUID);
}

bool traces_itself(uint64_t request) {
    return request == PTRACE_TRACEME || request == PTRACE_ATTACH || request == PTRACE_SEIZE;
}

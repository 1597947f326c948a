/* What a program cannot do while it is traced: gain privileges by a file, and trace. */
#include "trace/privileges.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool changes_user(const struct stat *status) {
    return (status->st_mode & S_ISUID && status->st_uid != geteuid()) ||
           (status->st_mode & S_ISGID && status->st_mode & S_IXGRP && status->st_gid != getegid());
}

/* Say whether a file would give privileges, if it was not for the tracer: in most containers it would
   not anyway. */
bool gains_privileges(const char *path) {
    struct stat status;
    struct statvfs mount;
    if (geteuid() == 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return false;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    if (!changes_user(&status) && getxattr(path, "security.capability", NULL, 0) <= 0)
        return false;
    return statvfs(path, &mount) == 0 && !(mount.f_flag & ST_NOSUID);
}

bool traces_itself(uint64_t request) {
    return request == PTRACE_TRACEME || request == PTRACE_ATTACH || request == PTRACE_SEIZE;
}

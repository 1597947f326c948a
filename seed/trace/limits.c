/* The limits of the container, by its cgroup, of either version; 0 for one that is not known. */
#include "trace/limits.h"
#include "base/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Of the first version, this is no limit. */
#define NO_LIMIT (1ull << 60)

static uint64_t number_after(const char *path, const char *name) {
    static struct text told;
    if (!read_at(AT_FDCWD, path, &told))
        return 0;
    for (const char *line = told.data; *line; line = strchrnul(line, '\n'), line += *line == '\n')
        if (begins(line, name))
            return strtoull(line + strlen(name), NULL, 10);
    return 0;
}

static uint64_t either(const char *second, const char *first) {
    uint64_t number = number_after(second, "");
    if (!number)
        number = number_after(first, "");
    return number < NO_LIMIT ? number : 0;
}

uint64_t oom_kills(void) {
    uint64_t kills = number_after("/sys/fs/cgroup/memory.events", "oom_kill ");
    return kills ? kills : number_after("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill ");
}

uint64_t peak_memory(void) {
    return either("/sys/fs/cgroup/memory.peak", "/sys/fs/cgroup/memory/memory.max_usage_in_bytes");
}

uint64_t memory_limit(void) {
    return either("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes");
}

uint64_t process_limit(void) {
    return either("/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max");
}

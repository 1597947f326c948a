/* The paths that a thread means, from the root on. */
#include "trace/paths.h"
#include "trace/memory.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Have the path of something of a thread's in /proc: "cwd", or "fd/" and a number from 0 on. */
void thread_link(const struct thread *thread, const char *name, int64_t number, struct text *link) {
    set_text(link, "/proc/", NULL);
    append_number(link, (uint64_t)thread->id);
    append_all(link, "/", name, NULL);
    if (number >= 0)
        append_number(link, (uint64_t)number);
}

static bool read_link(const struct text *link, struct text *target) {
    char bytes[LONGEST_TEXT];
    ssize_t size = readlink(link->data, bytes, sizeof bytes);
    if (size < 0)
        return false;
    target->size = 0;
    append(target, bytes, (size_t)size);
    return true;
}

/* Have the path of an open file, "socket:[12]" if it is none. */
bool handle_path(const struct thread *thread, int64_t handle, struct text *path) {
    static struct text link;
    if (handle < 0)
        return false;
    thread_link(thread, "fd/", handle, &link);
    return read_link(&link, path);
}

static bool folder_path(const struct thread *thread, int folder, struct text *path) {
    static struct text link;
    int handle = folder < 0 ? AT_FDCWD : (int)thread->asked.arguments[folder];
    if (handle != AT_FDCWD)
        return handle_path(thread, handle, path);
    thread_link(thread, "cwd", -1, &link);
    return read_link(&link, path);
}

/* Go to the parent: a path that /proc gives has no links in it. */
static void remove_last(struct text *path) {
    char *slash = path->size ? strrchr(path->data, '/') : NULL;
    path->size = slash ? (size_t)(slash - path->data) : 0;
}

/* Append a relative path; what it begins with, "./" and "../", is taken off. */
static void append_relative(struct text *path, const char *relative) {
    for (;;) {
        size_t size = strcspn(relative, "/");
        bool is_up = size == 2 && begins(relative, "..");
        if (size && !is_up && !(size == 1 && *relative == '.'))
            break;
        if (is_up)
            remove_last(path);
        relative += size;
        if (!*relative)
            break;
        relative++;
    }
    if (path->size && path->data[path->size - 1] == '/')
        path->size--;
    append_all(path, *relative || !path->size ? "/" : "", relative, NULL);
}

/* Have the path that an argument means, with the folder of another, or of none; without a path it
   is the folder itself. */
bool path_argument(struct thread *thread, int folder, int at, struct text *path) {
    const char *given = read_text(thread, thread->asked.arguments[at], LONGEST_TEXT);
    path->size = 0;
    if (!given)
        return false;
    if (*given == '/') {
        append_all(path, given, NULL);
        return true;
    }
    // Without its folder it is known by its name only.
    if (!folder_path(thread, folder, path))
        path->size = 0;
    append_relative(path, given);
    return true;
}

/* Say whether a file is of the system, or a part of a program. */
bool is_uninteresting(const char *path) {
    static const char *const folders[] = {"/proc/", "/sys/", "/dev/", "/usr/lib/locale/"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (begins(path, folders[i]))
            return true;
    const char *name = base_name(path), *end = strrchr(name, '.');
    return strstr(name, ".so.") || (end && (equal(end, ".so") || equal(end, ".pyc"))) ||
           equal(name, "ld.so.cache");
}

/* What is at a path at the end of the run, or in the nearest folder that is there. */
#include "trace/things.h"
#include "base/json.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_NAMES = 40, MOST_ENTRIES = 4096, LONGEST_NAME = 256 };

static const char *type_of(mode_t mode) {
    return S_ISREG(mode)    ? "file"
           : S_ISDIR(mode)  ? "dir"
           : S_ISLNK(mode)  ? "link"
           : S_ISSOCK(mode) ? "socket"
           : S_ISFIFO(mode) ? "fifo"
                            : "device";
}

static void tell_status(struct text *line, const struct stat *status) {
    char mode[] = {
        '0' + (status->st_mode >> 9 & 7), '0' + (status->st_mode >> 6 & 7),
        '0' + (status->st_mode >> 3 & 7), '0' + (status->st_mode & 7), 0,
    };
    json_word(line, "type", type_of(status->st_mode));
    json_word(line, "mode", mode);
    json_number(line, "uid", status->st_uid);
    json_number(line, "gid", status->st_gid);
    if (S_ISREG(status->st_mode))
        json_number(line, "size", (uint64_t)status->st_size);
}

/* Tell what is at a path; a link that leads nowhere is a link. */
bool tell_thing(struct text *line, const char *path) {
    struct stat status;
    if (stat(path, &status) != 0 && lstat(path, &status) != 0)
        return false;
    json_open(line, "is", "{");
    tell_status(line, &status);
    append_all(line, "}", NULL);
    return true;
}

/* The names in a folder that are most like one. */
static struct {
    unsigned count, likeness[MOST_NAMES];
    char names[MOST_NAMES][LONGEST_NAME];
} alike;

/* Return how much of two names is the same, from the start and from the end. */
static unsigned likeness_of(const char *one, const char *other) {
    size_t sizes[] = {strlen(one), strlen(other)}, least = sizes[sizes[1] < sizes[0]];
    unsigned start = 0, end = 0;
    while (start < least && one[start] == other[start])
        start++;
    while (end < least - start && one[sizes[0] - 1 - end] == other[sizes[1] - 1 - end])
        end++;
    return start + end;
}

static void keep_name(const char *name, const char *wanted) {
    unsigned likeness = likeness_of(name, wanted), place = 0;
    if (alike.count < MOST_NAMES)
        place = alike.count++;
    else
        for (unsigned i = 1; i < MOST_NAMES; i++)
            if (alike.likeness[i] < alike.likeness[place])
                place = i;
    // A place that is new has no likeness.
    if (alike.names[place][0] && alike.likeness[place] >= likeness)
        return;
    alike.likeness[place] = likeness;
    strncpy(alike.names[place], name, LONGEST_NAME - 1);
}

static void tell_names(struct text *line, const char *folder, const char *wanted) {
    DIR *opened = opendir(folder);
    struct dirent *entry;
    memset(&alike, 0, sizeof alike);
    for (int i = 0; opened && i < MOST_ENTRIES && (entry = readdir(opened)); i++)
        if (!equal(entry->d_name, ".") && !equal(entry->d_name, ".."))
            keep_name(entry->d_name, wanted);
    if (!opened)
        return;
    closedir(opened);
    json_open(line, "names", "[");
    for (unsigned i = 0; i < alike.count; i++)
        json_item(line, alike.names[i], strlen(alike.names[i]));
    append_all(line, "]", NULL);
}

/* Tell of the nearest ancestor that is there, and of its entries most like what is not. */
void tell_nearest(struct text *line, const char *path, bool with_names) {
    static struct text parent, missing;
    struct stat status;
    set_text(&parent, path, NULL);
    for (char *slash; (slash = strrchr(parent.data, '/'));) {
        set_text(&missing, slash + 1, NULL);
        slash[slash == parent.data] = 0;
        if (stat(parent.data, &status) == 0 || slash == parent.data)
            break;
    }
    if (*parent.data != '/' || stat(parent.data, &status) != 0)
        return;
    json_open(line, "nearest", "{");
    json_word(line, "path", parent.data);
    tell_status(line, &status);
    if (with_names && S_ISDIR(status.st_mode))
        tell_names(line, parent.data, missing.data);
    append_all(line, "}", NULL);
}

/* What is secret in a report: the values of variables, and what is in folders. */
#include "trace/masks.h"
#include "base/json.h"
#include "trace/secrets.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILES = 256, LARGEST_FILE = 64 << 10, DEEPEST = 8 };

static bool has_name(const struct named *named, const char *entry, size_t size) {
    for (size_t i = 0; i < named->count; i++)
        if (strlen(named->names[i]) == size && strncmp(named->names[i], entry, size) == 0)
            return true;
    return false;
}

/* Take a flag with its value; false for another. */
bool take_mask(struct words words, struct masks *masks) {
    const char *flag = *words.items;
    struct named *named = equal(flag, "--mask-env")          ? &masks->variables
                          : equal(flag, "--mask-env-except") ? &masks->excepted
                          : equal(flag, "--mask-folder")     ? &masks->folders
                                                             : NULL;
    if (!named || words.count < 2 || named->count == MOST_NAMED)
        return false;
    named->names[named->count++] = words.items[1];
    return true;
}

static bool has_part(const char *entry, size_t size, const char *part) {
    const char *at = strstr(entry, part);
    return at && (size_t)(at - entry) + strlen(part) <= size;
}

/* Say whether a variable is known to have no secret: of the system, or of a Service. */
static bool is_harmless(const char *entry, size_t size) {
    static const char *const names[] = {"PATH", "HOME", "HOSTNAME", "PWD", "TERM"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == size && begins(entry, names[i]))
            return true;
    return begins(entry, "KUBERNETES_") || has_part(entry, size, "_SERVICE_HOST") ||
           has_part(entry, size, "_PORT");
}

static bool is_secret(const struct masks *masks, const char *entry, size_t size) {
    if (has_name(&masks->variables, entry, size))
        return true;
    return masks->excepted.count && !has_name(&masks->excepted, entry, size) &&
           !is_harmless(entry, size);
}

static unsigned files;

static void read_file(int folder, const char *name) {
    static char bytes[LARGEST_FILE];
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = 0, size = 0;
    while (file >= 0 && size < LARGEST_FILE &&
           (got = read(file, bytes + size, (size_t)(LARGEST_FILE - size))) > 0)
        size += got;
    close(file);
    add_lines(bytes, (size_t)size);
}

/* Read the files of a folder; the kubelet keeps them in one more, "..DATE", with links to them. */
static void read_folder(int above, const char *name, int depth) {
    int handle = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = handle < 0 ? NULL : fdopendir(handle);
    struct stat status;
    if (!folder)
        return;
    for (struct dirent *entry; files < MOST_FILES && (entry = readdir(folder));) {
        if (equal(entry->d_name, ".") || begins(entry->d_name, ".."))
            continue;
        if (fstatat(handle, entry->d_name, &status, 0) != 0)
            continue;
        if (S_ISDIR(status.st_mode) && depth < DEEPEST)
            read_folder(handle, entry->d_name, depth + 1);
        else if (S_ISREG(status.st_mode) && ++files)
            read_file(handle, entry->d_name);
    }
    closedir(folder);
}

/* Read what is secret, of the app's variables and of the folders. */
void read_masks(const struct masks *masks, char **environment) {
    for (; *environment; environment++) {
        size_t size = strcspn(*environment, "=");
        const char *value = *environment + size + ((*environment)[size] == '=');
        if (is_secret(masks, *environment, size))
            add_lines(value, strlen(value));
    }
    for (size_t i = 0; i < masks->folders.count; i++)
        read_folder(AT_FDCWD, masks->folders.names[i], 0);
}

/* Say whether the values of a key are words of our own. */
static bool is_fixed(const struct text *key) {
    static const char *const keys[] = {
        "kind", "call", "error", "family", "protocol", "type",    "mode",   "stream", "code",
        "caps", "arch", "access", "format", "machine",  "signal", "untraced",
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (equal(key->data, keys[i]))
            return true;
    return false;
}

static unsigned digit(char byte) {
    return isdigit((unsigned char)byte) ? (unsigned)(byte - '0') : (unsigned)(byte | 32) - 'a' + 10;
}

/* Take the bytes of a string, as append_string has written it; return what is behind its quote. */
static const char *take_string(const char *at, struct text *bytes) {
    set_text(bytes, "", NULL);
    for (at++; *at && *at != '"'; at++) {
        char byte = *at;
        if (byte == '\\' && at[1] == 'u' && strnlen(at, 6) == 6) {
            byte = (char)(digit(at[4]) << 4 | digit(at[5]));
            at += 5;
        } else if (byte == '\\' && at[1]) {
            byte = *++at;
        }
        append(bytes, &byte, 1);
    }
    return at + (*at == '"');
}

/* Write a report without what is secret. */
void mask_report(const struct text *report, struct text *masked) {
    static struct text bytes, key, shown;
    set_text(masked, "", NULL);
    set_text(&key, "", NULL);
    for (const char *at = report->data; *at;) {
        if (*at != '"') {
            append(masked, at++, 1);
            continue;
        }
        at = take_string(at, &bytes);
        set_text(&shown, "", NULL);
        if (*at == ':')
            set_text(&key, bytes.data, NULL);
        if (*at == ':' || is_fixed(&key))
            append(&shown, bytes.data, bytes.size);
        else
            append_masked(&shown, bytes.data, bytes.size);
        append_string(masked, shown.data, shown.size);
    }
}

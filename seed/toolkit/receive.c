/* Files and links from stdin into the toolkit folder. */
#include "toolkit/receive.h"
#include "commands.h"
#include "base/files.h"
#include "base/lz4.h"
#include "base/say.h"
#include "base/sha256.h"
#include "toolkit/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_HEADER = 8192, LONGEST_LINK = 4095, LARGEST_MODE = 0777, SUM_DIGITS = 64 };

static const char hex_digits[] = "0123456789abcdef";

/* size is of what comes, unpacked what it becomes if it is packed. */
struct record {
    bool is_link, is_packed;
    uint64_t mode, size, unpacked;
    char *sum, *path;
};

static struct {
    char bytes[65536];
    size_t at, end;
} input;

/* What is being written, under a name of its own until it is whole. */
static struct {
    int folder;
    char name[24];
} partial = {-1, ""};

static _Noreturn void fail(const char *about, const char *problem) {
    if (partial.folder >= 0)
        unlinkat(partial.folder, partial.name, 0);
    say("seed: ", about, ": ", problem, NULL);
    _exit(FAILURE);
}

static void require(bool done, const char *about) {
    if (!done)
        fail(about, reason());
}

/* Take what is there of the input, at least one byte and at most so many. */
static size_t take(char **bytes, uint64_t most) {
    if (input.at == input.end) {
        ssize_t got = read(STDIN_FILENO, input.bytes, sizeof input.bytes);
        require(got >= 0, "stdin");
        if (got == 0)
            fail("stdin", "it ends early");
        input.at = 0;
        input.end = (size_t)got;
    }
    size_t there = input.end - input.at, size = there < most ? there : (size_t)most;
    *bytes = input.bytes + input.at;
    input.at += size;
    return size;
}

static char *take_line(void) {
    static struct text line;
    char *byte;
    line.size = 0;
    append(&line, "", 0);
    while (take(&byte, 1), *byte != '\n') {
        append(&line, byte, 1);
        if (line.size > LONGEST_HEADER || !*byte)
            fail("a header", "it is malformed");
    }
    return line.data;
}

/* Go past a number and the space behind it. */
static bool parse_field(char **at, int base, uint64_t *value) {
    const char *end = *at;
    bool is_there = parse_number(&end, base, value) && *end == ' ';
    *at = (char *)end + 1;
    return is_there;
}

static bool parse_sum(char **at, char **sum) {
    *sum = *at;
    if (strspn(*sum, hex_digits) != SUM_DIGITS || (*sum)[SUM_DIGITS] != ' ')
        return false;
    (*sum)[SUM_DIGITS] = 0;
    *at = *sum + SUM_DIGITS + 1;
    return true;
}

/* Parse "f MODE SIZE SHA256 PATH", "z MODE SIZE SHA256 UNPACKED PATH" or "l SIZE PATH". */
static bool parse_header(char *line, struct record *record) {
    *record = (struct record){.is_link = line[0] == 'l', .is_packed = line[0] == 'z'};
    if (!*line || !strchr("flz", *line) || line[1] != ' ')
        return false;
    line += 2;
    if (!record->is_link && (!parse_field(&line, 8, &record->mode) || record->mode > LARGEST_MODE))
        return false;
    if (!parse_field(&line, 10, &record->size))
        return false;
    if (!record->is_link && !parse_sum(&line, &record->sum))
        return false;
    if (record->is_packed && !parse_field(&line, 10, &record->unpacked))
        return false;
    record->path = line;
    return true;
}

static bool is_part(const char *begin, const char *end) {
    size_t size = (size_t)(end - begin);
    return size > 2 || (size && (begin[0] != '.' || begin[size - 1] != '.'));
}

/* Say whether a path stays in its folder, and has but one form. */
static bool is_inside(const char *path) {
    for (;; path++) {
        const char *end = strchrnul(path, '/');
        if (!is_part(path, end))
            return false;
        path = end;
        if (!*path)
            return true;
    }
}

static int open_folder(int parent, const char *name, const char *path) {
    // A link that came before could lead out of the toolkit.
    const int how = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int folder = openat(parent, name, how);
    if (folder < 0 && errno == ENOENT) {
        // A later session may have another user; the toolkit's own folder is everybody's, too.
        require(mkdirat(parent, name, 0777) == 0 || errno == EEXIST, path);
        folder = openat(parent, name, how);
    }
    require(folder >= 0, path);
    return folder;
}

/* Return a handle of the folder that a path is in, made if it is missing; set its name there. */
static int open_parent(const char *path, const char **name) {
    int folder = dup(open_toolkit());
    require(folder >= 0, path);
    struct text part = {0};
    for (const char *end; *(end = strchrnul(path, '/')); path = end + 1) {
        part.size = 0;
        append(&part, path, (size_t)(end - path));
        int inner = open_folder(folder, part.data, path);
        close(folder);
        folder = inner;
    }
    *name = path;
    return folder;
}

/* Choose a name that nobody else has: two sessions may receive at the same time. */
static void begin_partial(int folder, const char *path) {
    uint64_t random;
    require(getrandom(&random, sizeof random, 0) == sizeof random, path);
    memcpy(partial.name, ".seed-", 6);
    for (int i = 0; i < 16; i++, random >>= 4)
        partial.name[6 + i] = hex_digits[random & 15];
    partial.folder = folder;
}

static void end_partial(const char *name, const char *path) {
    require(renameat(partial.folder, partial.name, partial.folder, name) == 0, path);
    close(partial.folder);
    partial.folder = -1;
}

/* Put the content where it belongs, in a file or in room for it, and check its sum. */
static void copy_content(const struct record *record, int file, char *room) {
    struct sha256 sum;
    char *bytes, hex[SUM_DIGITS + 1];
    sha256_begin(&sum);
    for (uint64_t left = record->size; left;) {
        size_t size = take(&bytes, left);
        if (room)
            memcpy(room + (record->size - left), bytes, size);
        else
            require(write_all(file, bytes, size), record->path);
        sha256_add(&sum, bytes, size);
        left -= size;
    }
    sha256_end(&sum, hex);
    if (!equal(hex, record->sum))
        fail(record->path, "the checksum differs");
}

static void unpack_content(const struct record *record, int file) {
    char *packed = take_room((size_t)record->size + 1);
    char *content = take_room((size_t)record->unpacked + 1);
    copy_content(record, file, packed);
    if (!unpack(packed, (size_t)record->size, content, (size_t)record->unpacked))
        fail(record->path, "it cannot be unpacked");
    require(write_all(file, content, (size_t)record->unpacked), record->path);
}

static void receive_file(const struct record *record) {
    const char *name;
    begin_partial(open_parent(record->path, &name), record->path);
    int file = openat(partial.folder, partial.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    require(file >= 0, record->path);
    if (record->is_packed)
        unpack_content(record, file);
    else
        copy_content(record, file, NULL);
    require(fchmod(file, (mode_t)record->mode) == 0, record->path);
    require(close(file) == 0, record->path);
    end_partial(name, record->path);
}

/* Take the target of a link; valid until the next one. */
static const char *take_target(const struct record *record) {
    static struct text target;
    char *bytes;
    if (record->size == 0 || record->size > LONGEST_LINK)
        fail(record->path, "its target is empty or too long");
    target.size = 0;
    while (target.size < record->size) {
        size_t size = take(&bytes, record->size - target.size);
        append(&target, bytes, size);
    }
    return target.data;
}

static void receive_link(const struct record *record) {
    const char *name, *target = take_target(record);
    int folder = open_parent(record->path, &name);
    // There are hundreds, and a prompt waits for them: a detour only if the name is taken.
    if (symlinkat(target, folder, name) == 0) {
        close(folder);
        return;
    }
    require(errno == EEXIST, record->path);
    begin_partial(folder, record->path);
    require(symlinkat(target, partial.folder, partial.name) == 0, record->path);
    end_partial(name, record->path);
}

/* Receive what a header tells of; say whether it is one of the tools. */
static bool receive_record(char *header) {
    struct record record;
    if (!parse_header(header, &record))
        fail("a header", "it is malformed");
    if (!is_inside(record.path))
        fail(record.path, "not a path in the toolkit");
    bool is_tool = begins(record.path, "bin/");
    if (record.is_link)
        receive_link(&record);
    else
        receive_file(&record);
    return is_tool;
}

void receive_all(void) {
    mode_t mask = umask(0);
    require(open_toolkit() >= 0, toolkit_folder());
    bool brought_tools = false;
    for (char *line; !equal(line = take_line(), ".");)
        brought_tools |= receive_record(line);
    // The result of a discovery may come before the tools, for which the session waits.
    require(!brought_tools || make_empty("ready"), toolkit_folder());
    umask(mask);
}

int receive(struct words words) {
    if (words.count)
        return WRONG_USAGE;
    receive_all();
    require(write_all(STDOUT_FILENO, "ok\n", 3), "stdout");
    return SUCCESS;
}

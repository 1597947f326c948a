/* Calls as members of an object: what they are about, read from the registers and the memory. */
#include "trace/facts.h"
#include "base/json.h"
#include "trace/memory.h"
#include "trace/paths.h"
#include "trace/sockets.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_WORDS = 16, LONGEST_WORD = 256 };

static struct text path, other;

static uint64_t argument(const struct thread *thread, int at) {
    return thread->asked.arguments[at];
}

static bool tell_path(struct thread *thread, struct object *object) {
    const struct traced *traced = thread->traced;
    if (!path_argument(thread, traced->folder, traced->path, &path))
        return false;
    object->path = path.data;
    json_word(&object->facts, "path", path.data);
    if (traced->other_path >= 0 &&
        path_argument(thread, traced->other_folder, traced->other_path, &other))
        json_word(&object->facts, "to", other.data);
    return true;
}

static void tell_numbers(const struct thread *thread, struct text *facts) {
    const struct traced *traced = thread->traced;
    if (!traced->count)
        return;
    json_open(facts, "arguments", "[");
    for (int i = 0; i < traced->count; i++) {
        uint64_t number = argument(thread, traced->numbers + i);
        bool is_negative = (int32_t)number < 0 && number >> 31 >= UINT32_MAX >> 31;
        json_separate(facts);
        append_all(facts, is_negative ? "-" : "", NULL);
        append_number(facts, is_negative ? (uint64_t)-(int64_t)(int32_t)number : number);
    }
    append_all(facts, "]", NULL);
}

static uint64_t open_flags(struct thread *thread) {
    uint64_t given = argument(thread, thread->traced->numbers), flags = 0;
    if (thread->traced->number == SYS_openat2)
        return read_whole(thread, given, &flags, sizeof flags) ? flags : 0;
#ifdef SYS_creat
    if (thread->traced->number == SYS_creat)
        return O_CREAT | O_WRONLY | O_TRUNC;
#endif
    return (uint32_t)given;
}

static void tell_flags(struct object *object) {
    uint64_t mode = object->flags & O_ACCMODE;
    json_word(&object->facts, "access", mode == O_RDONLY ? "r" : mode == O_WRONLY ? "w" : "rw");
    if (object->flags & O_CREAT)
        json_true(&object->facts, "create");
}

static void tell_test(struct thread *thread, struct text *facts) {
    uint64_t mode = argument(thread, thread->traced->numbers);
    char access[4] = "", *at = access;
    if (mode & R_OK)
        *at++ = 'r';
    if (mode & W_OK)
        *at++ = 'w';
    if (mode & X_OK)
        *at++ = 'x';
    json_word(facts, "access", *access ? access : NULL);
}

static void tell_words(struct thread *thread, struct text *facts) {
    uint64_t at = argument(thread, thread->traced->numbers), word;
    json_open(facts, "words", "[");
    for (int i = 0; at && i < MOST_WORDS; i++, at += sizeof word) {
        if (!read_whole(thread, at, &word, sizeof word) || !word)
            break;
        const char *text = read_text(thread, word, LONGEST_WORD);
        json_item(facts, text ? text : "", text ? strlen(text) : 0);
    }
    append_all(facts, "]", NULL);
}

static void tell_mount(struct thread *thread, struct text *facts) {
    json_open(facts, "arguments", "[");
    for (int i = 0; i <= 2; i += 2) {
        const char *word = read_text(thread, argument(thread, i), LONGEST_WORD);
        json_item(facts, word ? word : "", word ? strlen(word) : 0);
    }
    append_all(facts, "]", NULL);
}

/* Append members that are there already. */
static void append_facts(struct text *facts, const char *more) {
    if (more && *more) {
        json_separate(facts);
        append_all(facts, more, NULL);
    }
}

static bool tell_handle(struct thread *thread, struct object *object) {
    const struct traced *traced = thread->traced;
    int64_t handle = (int)argument(thread, traced->path);
    const struct used_socket *used = find_socket(thread, handle);
    if (!handle_path(thread, handle, &path))
        return false;
    if (begins(path.data, "socket:")) {
        append_facts(&object->facts, used ? used->remote : NULL);
        return used;
    }
    object->path = path.data;
    json_word(&object->facts, "path", path.data);
    return true;
}

static bool tell_peer(struct thread *thread, int address, int size, struct text *facts) {
    struct peer peer;
    const struct used_socket *used = find_socket(thread, (int)argument(thread, 0));
    if (!argument(thread, address)) {
        append_facts(facts, used ? used->remote : NULL);
        return used;
    }
    if (!read_peer(thread, argument(thread, address), argument(thread, size), used, &peer))
        return false;
    append_facts(facts, peer.facts);
    return true;
}

/* Read what a call is about, now or when it has ended; false if that cannot be read. */
bool read_object(struct thread *thread, struct object *object) {
    struct text *facts = &object->facts;
    bool is_known = true;
    set_text(facts, "", NULL);
    object->path = NULL;
    object->flags = 0;
    switch (thread->traced->shape) {
    case PATHS:
        is_known = tell_path(thread, object);
        if (thread->traced->when != WITH_PATH)
            tell_numbers(thread, facts);
        break;
    case OPENS:
        is_known = tell_path(thread, object);
        object->flags = open_flags(thread);
        tell_flags(object);
        break;
    case TESTS:
        is_known = tell_path(thread, object);
        tell_test(thread, facts);
        break;
    case EXECUTES:
        is_known = tell_path(thread, object);
        json_word(facts, "access", "x");
        tell_words(thread, facts);
        break;
    case MOUNTS:
        is_known = tell_path(thread, object);
        tell_mount(thread, facts);
        break;
    case HANDLES:
    case LOCKS:
    case WRITES:
        is_known = tell_handle(thread, object);
        break;
    case CONNECTS:
    case BINDS:
        is_known = tell_peer(thread, 1, 2, facts);
        break;
    case SENDS:
        is_known = tell_peer(thread, 4, 5, facts);
        break;
    case MAPS:
        json_number(facts, "size", argument(thread, 1));
        break;
    default:
        tell_numbers(thread, facts);
    }
    return is_known;
}

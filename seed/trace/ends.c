/* What is seen at the end of a call. */
#include "trace/ends.h"
#include "base/json.h"
#include "trace/facts.h"
#include "trace/folders.h"
#include "trace/notes.h"
#include "trace/paths.h"
#include "trace/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static struct object object;

/* Say whether an error of what is done with an open file tells of more than a habit. */
static bool is_grave(int error) {
    static const unsigned char grave[] = {
        ENOSPC, EDQUOT, EROFS, EFBIG, EIO, EPIPE, EPERM, EACCES, ENOMEM, ECONNRESET, ECONNREFUSED,
        ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENOBUFS, ESTALE,
    };
    return memchr(grave, error, sizeof grave);
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Say whether an error is part of how programs work: they poll, and try newer calls first. */
static bool is_noise(const struct traced *traced, int error) {
    if (error == EINTR || error >= 512)
        return true;
    switch (traced->shape) {
    case PATHS:
        if (error == EINVAL && begins(traced->name, "readlink"))
            return true;
        if (error == EEXIST && begins(traced->name, "mkdir"))
            return object.path && is_folder(object.path);
        return error == ENOSYS;
    case OPENS:
    case TESTS:
        return error == ENOSYS;
    case HANDLES:
    case WRITES:
    case SENDS:
    case SENDS_MESSAGE:
        return !is_grave(error);
    case NUMBERS:
        return error == ENOSYS && equal(traced->name, "clone3");
    default:
        return false;
    }
}

static void note_failed(struct thread *thread, int error) {
    const struct traced *traced = thread->traced;
    if (!read_object(thread, &object) || is_noise(traced, error))
        return;
    struct seen seen = {FAILED, traced->name, error, thread->process->pid, thread->since,
                        object.facts.data, object.path};
    struct note *noted = note(&seen);
    noted->is_program = traced->shape == EXECUTES;
}

static void opened(struct thread *thread, int64_t handle) {
    static struct text link;
    struct stat status;
    forget_socket(thread, handle);
    forget_folder(thread, handle, true);
    if (!read_object(thread, &object))
        return;
    note_found(object.path);
    if (is_uninteresting(object.path))
        return;
    thread_link(thread, "fd/", handle, &link);
    if (stat(link.data, &status) != 0)
        return;
    if (S_ISDIR(status.st_mode) && !(object.flags & (O_DIRECTORY | O_PATH | O_NOFOLLOW)))
        keep_folder(thread, handle, object.path);
    if (!S_ISREG(status.st_mode))
        return;
    object.facts.size = 0;
    json_word(&object.facts, "path", object.path);
    note(&(struct seen){OPENED, NULL, 0, thread->process->pid, thread->since, object.facts.data,
                        object.path});
}

static void message_failed(struct thread *thread, int error) {
    struct used_socket *used = find_socket(thread, (int)thread->asked.arguments[0]);
    if (used && used->remote && !is_noise(thread->traced, error))
        note(&(struct seen){FAILED, thread->traced->name, error, thread->process->pid,
                            thread->since, used->remote, NULL});
}

/* Say whether a failed write told what became of a pending connection. */
static bool resolves(struct thread *thread, int error) {
    struct used_socket *used = find_socket(thread, (int)thread->asked.arguments[0]);
    if (!used || !used->pending || error == EAGAIN)
        return false;
    connect_resolved(used, error);
    return true;
}

static void succeeded(struct thread *thread, int64_t result) {
    const uint64_t *arguments = thread->asked.arguments;
    switch (thread->traced->shape) {
    case OPENS:
        opened(thread, result);
        break;
    case PATHS:
    case TESTS:
        if (thread->traced->folder >= 0)
            forget_folder(thread, (int)arguments[thread->traced->folder], false);
        if (read_object(thread, &object))
            note_found(object.path);
        break;
    case HANDLES:
        forget_folder(thread, (int)arguments[0], false);
        if (begins(thread->traced->name, "getdents") && read_object(thread, &object))
            forget_listed(object.path);
        break;
    case WRITES:
        resolves(thread, 0);
        break;
    default:
        break;
    }
}

/* Look at the end of a call that is looked at. */
void call_ended(struct thread *thread, int64_t result) {
    switch (thread->traced->shape) {
    case SOCKETS:
        socket_made(thread, result);
        return;
    case CONNECTS:
        connect_ended(thread, result);
        return;
    case BINDS:
        bind_ended(thread, result);
        return;
    case LISTENS:
        listen_ended(thread, result);
        return;
    case ASKS_ERROR:
        error_asked(thread, result);
        return;
    default:
        break;
    }
    if (result >= 0 || result < -4095)
        succeeded(thread, result);
    else if (thread->traced->shape == SENDS_MESSAGE)
        message_failed(thread, (int)-result);
    else if (thread->traced->shape != WRITES || !resolves(thread, (int)-result))
        note_failed(thread, (int)-result);
}

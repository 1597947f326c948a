/* Folders that were opened without asking for a folder: who lists or syncs one means it, and who
   does nothing with it has met EISDIR. */
#include "trace/folders.h"
#include "base/json.h"
#include "trace/notes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FOLDERS = 32 };

static struct {
    pid_t pid;
    int64_t handle;
    uint64_t at;
    char *path;
} folders[MOST_FOLDERS];
static unsigned next;

static void forget(unsigned i) {
    free(folders[i].path);
    folders[i].path = NULL;
}

void begin_folders(void) {
    for (unsigned i = 0; i < MOST_FOLDERS; i++)
        forget(i);
}

void keep_folder(const struct thread *thread, int64_t handle, const char *path) {
    unsigned i = next++ % MOST_FOLDERS;
    forget(i);
    folders[i].pid = thread->process->pid;
    folders[i].handle = handle;
    folders[i].at = thread->since;
    folders[i].path = strdup(path);
}

/* Forget a folder that is used as one; if it is only closed, what it was is kept. */
void forget_folder(const struct thread *thread, int64_t handle, bool is_closed) {
    for (unsigned i = 0; i < MOST_FOLDERS; i++) {
        if (folders[i].pid != thread->process->pid || folders[i].handle != handle)
            continue;
        folders[i].handle = -1;
        if (!is_closed)
            forget(i);
    }
}

/* Forget a folder that is listed, perhaps by another number of it. */
void forget_listed(const char *path) {
    for (unsigned i = 0; i < MOST_FOLDERS; i++)
        if (folders[i].path && equal(folders[i].path, path))
            forget(i);
}

void note_folders(void) {
    static struct text facts;
    for (unsigned i = 0; i < MOST_FOLDERS; i++) {
        if (!folders[i].path)
            continue;
        set_text(&facts, "", NULL);
        json_word(&facts, "path", folders[i].path);
        json_word(&facts, "access", "r");
        struct seen seen = {FAILED, "open", EISDIR, folders[i].pid, folders[i].at, facts.data,
                            folders[i].path};
        note(&seen)->at = folders[i].at;
    }
}

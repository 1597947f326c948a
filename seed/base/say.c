/* What is said on stderr. */
#include "base/say.h"
#include "base/files.h"
#include "base/shown.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

const char *reason(void) { return strerror(errno); }

/* Tell one line, in one write: others may write there, too. A part of it may be an app's word. */
void say(const char *first, ...) {
    static struct text line;
    line.size = 0;
    va_list rest;
    va_start(rest, first);
    for (const char *part = first; part; part = va_arg(rest, const char *))
        append_shown(&line, part);
    va_end(rest);
    append(&line, "\n", 1);
    write_all(STDERR_FILENO, line.data, line.size);
}

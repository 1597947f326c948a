/* What the app prints: passed on in a session, and the end of it kept. */
#include "base/files.h"
#include "base/json.h"
#include "trace/run.h"
#include "trace/tracees.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { KEPT = 8192, STREAMS = 2, MOST_READS = 16 };

static struct stream {
    int reading, writing;
    size_t size;
    uint64_t bytes, at;
    // With room for a character that is cut off.
    char kept[2 * KEPT + 4];
} streams[STREAMS];

static void close_handle(int *handle) {
    if (*handle > 0)
        close(*handle);
    *handle = -1;
}

static void begin_stream(struct stream *stream) {
    int ends[2];
    close_handle(&stream->reading);
    close_handle(&stream->writing);
    *stream = (struct stream){.reading = -1, .writing = -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    // SIGIO comes with each part of it.
    fcntl(ends[0], F_SETOWN, getpid());
    fcntl(ends[0], F_SETFL, O_NONBLOCK | O_ASYNC);
    stream->reading = ends[0];
    stream->writing = ends[1];
}

void begin_output(void) {
    for (int i = 0; i < STREAMS; i++)
        begin_stream(&streams[i]);
}

void output_pipes(int writing[2]) {
    writing[0] = streams[0].writing;
    writing[1] = streams[1].writing;
}

void close_writing(void) {
    for (int i = 0; i < STREAMS; i++)
        close_handle(&streams[i].writing);
}

static void keep(struct stream *stream, const char *bytes, size_t size) {
    if (stream->size + size > 2 * KEPT) {
        size_t dropped = stream->size - (KEPT - size);
        memmove(stream->kept, stream->kept + dropped, stream->size - dropped);
        stream->size -= dropped;
    }
    memcpy(stream->kept + stream->size, bytes, size);
    stream->size += size;
    stream->bytes += size;
    stream->at = run_time();
}

static void read_stream(struct stream *stream, int passed_to) {
    char bytes[4096];
    for (int i = 0; i < MOST_READS && stream->reading >= 0; i++) {
        ssize_t got = read(stream->reading, bytes, sizeof bytes);
        if (got == 0)
            close_handle(&stream->reading);
        if (got <= 0)
            return;
        keep(stream, bytes, (size_t)got);
        if (passed_to >= 0)
            write_all(passed_to, bytes, (size_t)got);
    }
}

/* Read what is there of the app's output. */
void read_output(bool passes) {
    read_stream(&streams[0], passes ? STDOUT_FILENO : -1);
    read_stream(&streams[1], passes ? STDERR_FILENO : -1);
}

/* Append what is known of a stream, whose end begins with a line if it can. */
void tell_output(int number, struct text *line) {
    struct stream *stream = &streams[number];
    line->size = 0;
    if (!stream->bytes)
        return;
    size_t from = stream->size > KEPT ? stream->size - KEPT : 0;
    const char *begin = stream->kept + from;
    if (stream->bytes > stream->size - from) {
        const char *next = memchr(begin, '\n', stream->size - from);
        if (next && next + 1 < stream->kept + stream->size)
            begin = next + 1;
    }
    append_all(line, "{", NULL);
    json_word(line, "kind", "output");
    json_word(line, "stream", number ? "stderr" : "stdout");
    json_number(line, "at", stream->at);
    json_number(line, "bytes", stream->bytes);
    json_key(line, "text");
    append_string(line, begin, (size_t)(stream->kept + stream->size - begin));
    append_all(line, "}", NULL);
}

/* The seed: it holds a container, receives the toolkit and runs the app. */
#ifndef SEED_H
#define SEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#define VERSION "1"
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What the client waits for on stdout: bytes that no terminal changes. */
#define ASKS "\x05"
#define HAS_ALL "\x06"

enum { SUCCESS = 0, FAILURE = 1, CANNOT_RUN = 126, NOT_FOUND = 127 };

/* Bytes that grow; data[size] is 0. Begins as all zeros, may be used again, is never freed. */
struct text {
    char *data;
    size_t size, room;
};

/* Words for exec: items[count] is NULL. */
struct words {
    char **items;
    size_t count;
};

/* text.c */
void *take_room(size_t size);
void append(struct text *text, const char *bytes, size_t size);
void append_all(struct text *text, const char *first, ...) __attribute__((sentinel));
struct words split(const struct text *text);
struct words concat(struct words first, struct words second);
bool parse_number(const char **at, int base, uint64_t *value);
bool is_number(const char *word, uint64_t *value);
void append_number(struct text *text, uint64_t value);
size_t next_character(const char *at, bool *safe);
void append_codes(struct text *text, const char *bytes, size_t size);
void append_shown(struct text *text, const char *said);
bool equal(const char *one, const char *other);
bool begins(const char *text, const char *with);
const char *base_name(const char *path);

/* files.c: names are those of files in the toolkit folder. */
const char *toolkit_folder(void);
int open_toolkit(void);
bool toolkit_has(const char *name);
bool toolkit_has_since(const char *name, unsigned seconds);
bool read_toolkit(const char *name, struct text *text);
bool write_toolkit(const char *name, const char *bytes, size_t size);
bool make_empty(const char *name);
bool read_at(int folder, const char *path, struct text *text);
bool write_all(int file, const char *bytes, size_t size);
const char *reason(void);
int tell_usage(void);
void say(const char *first, ...) __attribute__((sentinel));

/* processes.c */
typedef bool visitor(const char *pid, void *about);
bool each_number(const char *path, visitor *visit, void *about);
bool each_process(visitor *visit, void *about);
bool read_process(const char *pid, const char *name, struct text *text);
bool process_link(const char *pid, const char *name, struct text *text);
bool is_seed(const char *first_word);
bool runs_seed(const char *pid);

/* waiting.c */
uint64_t now_ms(void);
bool wait_for(const char *name, unsigned every_ms, unsigned at_most_ms);
void watch_signals(void);
void restore_signals(void);
bool signalled_within(uint64_t microseconds);

/* program.c */
const char *variable(char **environment, const char *name);
int find_program(const char *name, const char *path, struct text *found);
int replace_by(const char *who, struct words words, char **environment, const char *missing);

/* lz4.c */
bool unpack(const char *packed, size_t packed_size, char *content, size_t size);

/* recv.c */
void receive_all(void);

/* The commands; words are those after the command's name. */
int hold(struct words words);
int idle(struct words words);
int receive(struct words words);
int enter(struct words words);
int receive_and_enter(struct words words);
int run_app(struct words words);
int show_app(struct words words);
int learn(struct words words);
int tell(struct words words);
int wants(struct words words);

/* sha256.c */
struct sha256 {
    uint32_t state[8];
    uint64_t size;
    char block[64];
};
void sha256_begin(struct sha256 *sum);
void sha256_add(struct sha256 *sum, const char *bytes, size_t size);
void sha256_end(struct sha256 *sum, char hex[65]);

#endif

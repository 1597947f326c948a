/* Questions to DNS servers, and their answers, as they are in the datagrams. */
#include "trace/dns.h"
#include "base/json.h"
#include "trace/memory.h"
#include "trace/notes.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { HEADER = 12, LARGEST = 2048, LONGEST_NAME = 256, MOST_QUESTIONS = 64, MOST_ANSWERS = 16 };
/* An app that has its answer may ask again. */
enum { ANSWERED_MS = 1000 };
enum { TYPE_A = 1, TYPE_AAAA = 28 };

struct datagram {
    size_t size;
    unsigned char bytes[LARGEST];
};

struct question {
    pid_t pid;
    unsigned id, type, count;
    uint64_t first, at;
    char name[LONGEST_NAME], server[64];
};

static struct question questions[MOST_QUESTIONS];

void begin_questions(void) { memset(questions, 0, sizeof questions); }

static const char *type_name(unsigned type) {
    static const struct {
        unsigned short number;
        const char *name;
    } types[] = {
        {TYPE_A, "A"}, {2, "NS"}, {5, "CNAME"}, {6, "SOA"}, {12, "PTR"}, {15, "MX"}, {16, "TXT"},
        {TYPE_AAAA, "AAAA"}, {33, "SRV"}, {35, "NAPTR"}, {64, "SVCB"}, {65, "HTTPS"}, {255, "ANY"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].number == type)
            return types[i].name;
    return "other";
}

static const char *code_name(unsigned code) {
    static const char *const codes[] = {
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
    };
    return code < sizeof codes / sizeof *codes ? codes[code] : "other";
}

static unsigned number_at(const struct datagram *datagram, size_t at) {
    const unsigned char *bytes = datagram->bytes;
    return at + 2 > datagram->size ? 0 : (unsigned)(bytes[at] << 8 | bytes[at + 1]);
}

/* Read a question's name, which is not compressed; return where it ends, or 0. */
static size_t read_name(const struct datagram *datagram, char *name) {
    size_t at = HEADER, size = 0;
    while (at < datagram->size && datagram->bytes[at]) {
        size_t label = datagram->bytes[at];
        if (label > 63 || at + label >= datagram->size || size + label + 2 > LONGEST_NAME)
            return 0;
        if (size)
            name[size++] = '.';
        memcpy(name + size, datagram->bytes + at + 1, label);
        size += label;
        at += label + 1;
    }
    name[size] = 0;
    return at < datagram->size ? at + 1 : 0;
}

/* Return where a name ends that may be compressed, or 0. */
static size_t skip_name(const struct datagram *datagram, size_t at) {
    while (at < datagram->size && datagram->bytes[at]) {
        if (datagram->bytes[at] >= 0xc0)
            return at + 2;
        at += datagram->bytes[at] + 1u;
    }
    return at < datagram->size ? at + 1 : 0;
}

/* Parse what both have: an id and one name; return where the type is, or 0. */
static size_t parse(const struct datagram *datagram, bool is_answer, struct question *question) {
    if (datagram->size < HEADER || datagram->bytes[2] >> 7 != is_answer || !number_at(datagram, 4))
        return 0;
    question->id = number_at(datagram, 0);
    size_t at = read_name(datagram, question->name);
    if (!at || at + 4 > datagram->size)
        return 0;
    question->type = number_at(datagram, at);
    return at;
}

/* Name the same in the same letters: some programs mix them to tell answers apart. */
static bool is_for(const struct question *known, const struct question *asked) {
    return known->pid == asked->pid && known->type == asked->type &&
           strcasecmp(known->name, asked->name) == 0;
}

static void append_facts(struct text *facts, const struct question *question) {
    facts->size = 0;
    json_word(facts, "name", question->name);
    json_word(facts, "type", type_name(question->type));
    json_word(facts, "server", question->server);
}

static struct note *note_question(struct question *question, const struct text *facts) {
    struct seen seen = {ASKED, NULL, 0, question->pid, question->first, facts->data, NULL};
    struct note *noted = note(&seen);
    noted->count += question->count - 1;
    question->pid = 0;
    return noted;
}

static void note_one_unanswered(struct question *question) {
    static struct text facts;
    if (!question->pid)
        return;
    append_facts(&facts, question);
    note_question(question, &facts)->at = question->at;
}

void note_unanswered(void) {
    for (unsigned i = 0; i < MOST_QUESTIONS; i++)
        note_one_unanswered(&questions[i]);
}

bool is_waiting_for_dns(pid_t pid) {
    for (unsigned i = 0; i < MOST_QUESTIONS; i++)
        if (questions[i].pid == pid)
            return true;
    return false;
}

static struct question *find_question(const struct question *asked) {
    for (unsigned i = 0; i < MOST_QUESTIONS; i++)
        if (questions[i].pid && is_for(&questions[i], asked))
            return &questions[i];
    return NULL;
}

static struct question *oldest_question(void) {
    struct question *oldest = questions;
    for (unsigned i = 1; i < MOST_QUESTIONS; i++)
        if (!questions[i].pid || (oldest->pid && questions[i].at < oldest->at))
            oldest = &questions[i];
    note_one_unanswered(oldest);
    return oldest;
}

static bool read_datagram(struct thread *thread, uint64_t address, uint64_t size,
                          struct datagram *datagram) {
    datagram->size = size < LARGEST ? (size_t)size : LARGEST;
    return datagram->size >= HEADER &&
           read_whole(thread, address, datagram->bytes, datagram->size);
}

void dns_sent(struct thread *thread, const struct used_socket *used, uint64_t address,
              uint64_t size) {
    static struct datagram datagram;
    struct question asked = {.pid = thread->process->pid};
    if (!read_datagram(thread, address, size, &datagram) || !parse(&datagram, false, &asked))
        return;
    struct question *known = find_question(&asked);
    asked.first = asked.at = run_time();
    if (used->server)
        memcpy(asked.server, used->server, strlen(used->server) + 1);
    if (known) {
        asked.first = known->first;
        asked.count = known->count;
    } else {
        known = oldest_question();
    }
    *known = asked;
    known->count++;
    watch_dns(thread);
}

static void append_answers(struct text *facts, const struct datagram *datagram, size_t at) {
    static struct text address;
    unsigned count = number_at(datagram, 6);
    json_open(facts, "answers", "[");
    for (unsigned i = 0; i < count && i < MOST_ANSWERS && at; i++) {
        at = skip_name(datagram, at);
        unsigned type = number_at(datagram, at), size = number_at(datagram, at + 8);
        if (!at || at + 10 + size > datagram->size)
            break;
        address.size = 0;
        if (type == TYPE_A && size == 4)
            append_address(&address, AF_INET, datagram->bytes + at + 10);
        else if (type == TYPE_AAAA && size == 16)
            append_address(&address, AF_INET6, datagram->bytes + at + 10);
        if (address.size)
            json_item(facts, address.data, address.size);
        at += 10 + size;
    }
    append_all(facts, "]", NULL);
}

void dns_received(struct thread *thread, const struct used_socket *used, uint64_t address,
                  uint64_t size) {
    static struct datagram datagram;
    static struct text facts;
    struct question asked = {.pid = thread->process->pid};
    size_t at = 0;
    if (!used->is_dns || !read_datagram(thread, address, size, &datagram) ||
        !(at = parse(&datagram, true, &asked)))
        return;
    struct question *known = find_question(&asked);
    if (!known || known->id != asked.id)
        return;
    append_facts(&facts, known);
    json_word(&facts, "code", code_name(datagram.bytes[3] & 15));
    append_answers(&facts, &datagram, at + 4);
    note_question(known, &facts);
    if (!is_waiting_for_dns(thread->process->pid))
        thread->process->watched_until = run_time() + ANSWERED_MS;
}

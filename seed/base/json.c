/* JSON: parts of an object, each after a comma where one is due. */
#include "base/json.h"
#include "base/shown.h"

#include <string.h>

static void append_hex(struct text *text, const char *start, unsigned char byte) {
    static const char digits[] = "0123456789abcdef";
    append_all(text, start, (char[]){digits[byte >> 4], digits[byte & 15], 0}, NULL);
}

/* Append a string with its quotes: a byte that is no UTF-8 becomes a lone surrogate, \udcXX. */
void append_string(struct text *text, const char *bytes, size_t size) {
    append(text, "\"", 1);
    for (size_t at = 0, step; at < size; at += step) {
        uint32_t code;
        step = decode_character(bytes + at, &code);
        unsigned char byte = (unsigned char)bytes[at];
        if (!step || step > size - at) {
            step = 1;
            append_hex(text, "\\udc", byte);
        } else if (code < 0x20 || code == 0x7f) {
            append_hex(text, "\\u00", byte);
        } else {
            if (code == '"' || code == '\\')
                append(text, "\\", 1);
            append(text, bytes + at, step);
        }
    }
    append(text, "\"", 1);
}

/* Append a comma, unless nothing or a bracket is before. */
void json_separate(struct text *text) {
    if (text->size && !strchr("{[", text->data[text->size - 1]))
        append(text, ",", 1);
}

void json_key(struct text *text, const char *key) {
    json_separate(text);
    append_all(text, "\"", key, "\":", NULL);
}

void json_open(struct text *text, const char *key, const char *bracket) {
    json_key(text, key);
    append_all(text, bracket, NULL);
}

void json_item(struct text *text, const char *bytes, size_t size) {
    json_separate(text);
    append_string(text, bytes, size);
}

/* Append a word, if there is one. */
void json_word(struct text *text, const char *key, const char *word) {
    if (!word)
        return;
    json_key(text, key);
    append_string(text, word, strlen(word));
}

void json_number(struct text *text, const char *key, uint64_t number) {
    json_key(text, key);
    append_number(text, number);
}

void json_true(struct text *text, const char *key) {
    json_key(text, key);
    append_all(text, "true", NULL);
}

/* JSON. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/text.h"

void json_key(struct text *text, const char *key);
void json_item(struct text *text, const char *bytes, size_t size);
void json_word(struct text *text, const char *key, const char *word);
void json_number(struct text *text, const char *key, uint64_t number);
void json_true(struct text *text, const char *key);
void json_open(struct text *text, const char *key, const char *bracket);
void json_separate(struct text *text);
void append_string(struct text *text, const char *bytes, size_t size);

#endif

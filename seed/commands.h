/* The commands; words are those after the command's name. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "base/text.h"

int hold(struct words words);
int idle(struct words words);
int receive(struct words words);
int enter(struct words words);
int receive_and_enter(struct words words);
int run_app(struct words words);
int show_app(struct words words);
int learn(struct words words);
int tell(struct words words);
int trace(struct words words);
int report(struct words words);
int wants(struct words words);

#endif

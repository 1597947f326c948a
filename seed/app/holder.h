/* The process that holds the target: the app's words, and what is discovered of them. */
#ifndef APP_HOLDER_H
#define APP_HOLDER_H

#include "base/text.h"

enum state { HELD, BESIDE, NOT_HELD };

struct app {
    struct text pid, cmdline, learned;
    const char *from;
    /* The command may be the image's, and come in when it is learned. */
    struct words command, arguments;
};

extern const char goes_inside[];

enum state find_app(struct app *app);
bool is_of_this_container(const char *pid);
bool is_images(const struct app *app);
bool take_discovered(struct app *app);
bool is_being_discovered(void);
bool wait_for_discovery(struct app *app);
const char *why_undiscovered(void);

#endif

/* What starts the app. */
#ifndef APP_LAUNCH_H
#define APP_LAUNCH_H

#include "base/text.h"

/* The app's words and variables; we are in its folder then. */
struct launch {
    struct words words;
    char **environment;
};

int prepare_launch(const struct words *arguments, struct launch *launch);

#endif

/* seed hold and seed idle: wait for the signal to end. */
#include "commands.h"
#include "base/say.h"
#include "base/waiting.h"

/* Do nothing until the signal to end, or for so long; 0 is for ever. */
static int idle_for(uint64_t seconds) {
    uint64_t end = now_ms() + seconds * 1000;
    for (uint64_t now = now_ms(); !seconds || now < end; now = now_ms())
        if (signalled_within(seconds ? (end - now) * 1000 : 1000000000))
            break;
    return SUCCESS;
}

/* The app's words are for run-app, which reads them in /proc: the kubelet has expanded them. */
int hold(struct words words) {
    uint64_t command;
    if (words.count < 3 || !is_number(words.items[1], &command) || !equal(words.items[2], "--"))
        return WRONG_USAGE;
    if (command > words.count - 3)
        return WRONG_USAGE;
    watch_signals();
    return idle_for(0);
}

int idle(struct words words) {
    uint64_t seconds;
    if (words.count != 1 || !is_number(words.items[0], &seconds))
        return WRONG_USAGE;
    watch_signals();
    return idle_for(seconds);
}

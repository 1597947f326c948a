/* What is said on stderr, and the codes to end with. */
#ifndef BASE_SAY_H
#define BASE_SAY_H

/* What a command returns. WRONG_USAGE has main print the right one, and is FAILURE outside. */
enum { WRONG_USAGE = -1, SUCCESS = 0, FAILURE = 1, CANNOT_RUN = 126, NOT_FOUND = 127 };

const char *reason(void);
void say(const char *first, ...) __attribute__((sentinel));

#endif

/* Names of numbers. */
#ifndef TRACE_NAMES_H
#define TRACE_NAMES_H

const char *error_name(int error);
const char *signal_name(int number);
const char *signal_code(int number, int code);

#endif

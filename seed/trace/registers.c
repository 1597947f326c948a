/* A thread's registers, of either architecture. */
#include "trace/registers.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#ifdef __x86_64__
/* The kernel's struct user_regs_struct, by number. */
enum { R10 = 7, R9, R8, RAX, RCX, RDX, RSI, RDI, ORIG_RAX, RIP, NUMBER = ORIG_RAX, RESULT = RAX };
enum { CODE = RIP, REGISTERS = 27 };
static const unsigned char argument_at[ARGUMENTS] = {RDI, RSI, RDX, R10, R8, R9};
#else
/* struct user_pt_regs: x0 to x30, sp, pc, pstate. */
enum { NUMBER = 8, RESULT = 0, CODE = 32, REGISTERS = 34 };
static const unsigned char argument_at[ARGUMENTS] = {0, 1, 2, 3, 4, 5};
#endif

static bool read_all(pid_t thread, uint64_t *registers) {
    struct iovec room = {registers, REGISTERS * sizeof *registers};
    return ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &room) == 0 &&
           room.iov_len == REGISTERS * sizeof *registers;
}

bool read_registers(pid_t thread, struct asked *asked) {
    uint64_t registers[REGISTERS];
    if (!read_all(thread, registers))
        return false;
    asked->number = registers[NUMBER];
    asked->code = registers[CODE];
    asked->result = (int64_t)registers[RESULT];
    for (int i = 0; i < ARGUMENTS; i++)
        asked->arguments[i] = registers[argument_at[i]];
    return true;
}

/* Have a call that was not made return this. */
bool write_result(pid_t thread, int64_t result) {
    uint64_t registers[REGISTERS];
    struct iovec room = {registers, sizeof registers};
    if (!read_all(thread, registers))
        return false;
    registers[RESULT] = (uint64_t)result;
    return ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &room) == 0;
}

/* What a file is that is to be executed. */
#include "base/json.h"
#include "trace/things.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { READ = 4096 };

static const char *machine_name(unsigned machine) {
    static const struct {
        unsigned short number;
        const char *name;
    } machines[] = {
        {EM_X86_64, "x86_64"}, {EM_AARCH64, "aarch64"}, {EM_386, "i386"},    {EM_ARM, "arm"},
        {EM_RISCV, "riscv"},   {EM_S390, "s390x"},      {EM_PPC64, "ppc64"},
    };
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (machines[i].number == machine)
            return machines[i].name;
    return "other";
}

static void tell_interpreter(struct text *line, const char *path) {
    json_word(line, "interpreter", path);
    json_key(line, "interpreter_exists");
    append_all(line, access(path, F_OK) == 0 ? "true" : "false", NULL);
}

/* Tell of a script's first line, "#!" and its interpreter; it may end as lines do elsewhere. */
static void tell_script(struct text *line, char *bytes) {
    char *path = bytes + 2 + strspn(bytes + 2, " \t");
    char *end = strpbrk(bytes, "\n");
    bool crlf = end && end[-1] == '\r';
    json_word(line, "format", "script");
    path[strcspn(path, " \t\r\n")] = 0;
    tell_interpreter(line, path);
    if (crlf)
        json_true(line, "crlf");
}

/* Tell of the loader that a program asks for, if that is in what was read. */
static void tell_elf(struct text *line, const char *bytes, size_t size) {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    memcpy(&header, bytes, sizeof header);
    json_word(line, "format", "elf");
    json_word(line, "machine", machine_name(header.e_machine));
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof segment)
        return;
    for (size_t i = 0; i < header.e_phnum; i++) {
        size_t at = header.e_phoff + i * sizeof segment;
        if (header.e_phoff > size || at + sizeof segment > size)
            return;
        memcpy(&segment, bytes + at, sizeof segment);
        if (segment.p_type == PT_INTERP && segment.p_offset < size) {
            tell_interpreter(line, bytes + segment.p_offset);
            return;
        }
    }
}

void tell_program(struct text *line, const char *path) {
    static char bytes[READ + 1];
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = file < 0 ? -1 : read(file, bytes, READ);
    close(file);
    if (size < 0)
        return;
    bytes[size] = 0;
    json_open(line, "program", "{");
    if (begins(bytes, "#!"))
        tell_script(line, bytes);
    else if (size >= (ssize_t)sizeof(Elf64_Ehdr) && memcmp(bytes, ELFMAG, SELFMAG) == 0)
        tell_elf(line, bytes, (size_t)size);
    else
        json_word(line, "format", "other");
    append_all(line, "}", NULL);
}

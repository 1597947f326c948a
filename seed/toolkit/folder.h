/* The toolkit folder; names are those of files in it. */
#ifndef TOOLKIT_FOLDER_H
#define TOOLKIT_FOLDER_H

#include "base/text.h"

#include <sys/types.h>

const char *toolkit_folder(void);
int open_toolkit(void);
bool toolkit_has(const char *name);
bool toolkit_has_since(const char *name, unsigned seconds);
bool read_toolkit(const char *name, struct text *text);
bool write_toolkit_as(const char *name, const char *bytes, size_t size, mode_t mode);
bool write_toolkit(const char *name, const char *bytes, size_t size);
bool make_empty(const char *name);
bool wait_for(const char *name, unsigned every_ms, unsigned at_most_ms);

#endif

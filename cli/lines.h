/* lines.h: from places in compiled code ("function 12 +0x1c", as backtraces say it) to
 * lines of the source: the module is compiled once more, noting what comes from what,
 * and its DWARF read by llvm-symbolizer (Debian: llvm). */
#ifndef WHELK_CLI_LINES_H
#define WHELK_CLI_LINES_H

#include <stdio.h>

#include "base/types.h"

struct lines;
/* cpu: JIT_CPU_* of whoever compiled the code that trapped; checked: whether its accesses
 * were checked in code. NULL after an error, which it has named (quiet: it has not). */
struct lines *lines_open(const char *file, u32 cpu, bool checked, bool quiet);
void lines_close(struct lines *l);
/* Does the module carry DWARF? */
bool lines_known(const struct lines *l);
/* "sum.c:12:7"; false: not known. */
bool lines_find(struct lines *l, u32 func, u32 at, char *out, size_t cap);
/* Prints text with " (sum.c:12:7)" behind each place that it names, and a newline. */
void lines_print(struct lines *l, FILE *out, const char *text);

#endif

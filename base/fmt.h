/* fmt.h: a small printf for places without one.
 *
 * Conversions: %d %i %u %x %X %o %c %s %p %%, with -, 0, # (0x before a number that is not 0;
 * without a width), width, precision (for
 * strings; * allowed), and the sizes l, ll, z. %m is not there. The output is always ended
 * with a zero byte when cap > 0; the result is the length that it would have
 * had, as snprintf's. */
#ifndef WHELK_BASE_FMT_H
#define WHELK_BASE_FMT_H

#include <stdarg.h>

#include "base/types.h"

size_t fmt(char *out, size_t cap, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t vfmt(char *out, size_t cap, const char *format, va_list args);

#endif

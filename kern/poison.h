/* poison.h: tells AddressSanitizer which memory nobody may touch. Nothing in an
 * ordinary kernel; plat/process/asan.c in the one of `make process-san`. */
#ifndef WHELK_KERN_POISON_H
#define WHELK_KERN_POISON_H

#include "base/types.h"

#ifdef WHELK_ASAN
void poison(const void *p, size_t n);   /* of the direct map; 8-aligned */
void unpoison(const void *p, size_t n); /* any n */
#else
static inline void poison(const void *p, size_t n) {}
static inline void unpoison(const void *p, size_t n) {}
#endif

#endif

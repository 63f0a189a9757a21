/* mem.h: the memory and string functions that a freestanding compiler expects
 * to find. Hosted programs take libc's; the kernel links base/freestanding.c. */
#ifndef WHELK_BASE_MEM_H
#define WHELK_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* Are the string instructions slow here? Freestanding only: set at boot. */
extern bool mem_rep_slow;

#endif

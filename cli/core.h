/* core.h: an ELF core of x86-64 on this host's disk, mapped: QEMU's or our own. Its bytes
 * are a guest's: every offset is checked. */
#ifndef WHELK_CLI_CORE_H
#define WHELK_CLI_CORE_H

#include "base/crash.h"

struct core {
    int fd;
    u8 *p;
    size_t n;
    u64 at; /* of the program headers */
    u32 count;
};

/* false after an error that is named: no core, or a damaged one. */
bool core_open(struct core *c, const char *path);
void core_close(struct core *c);
/* The record of a panic in the memory; false: there is none. Its text is as the guest left it. */
bool core_record(const struct core *c, struct crash_record *out);
/* The first thread's registers become r. false: there is no such note. */
bool core_set_registers(struct core *c, const struct crash_registers *r);
/* Gives the disk back what is zero. */
void core_make_sparse(struct core *c);

#endif

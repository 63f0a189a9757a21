/* process_memory.h: the memory of a child that stands still, as /proc shows it; as an
 * ELF core. For a guest that is a process (--plat process). */
#ifndef WHELK_CLI_PROCESS_MEMORY_H
#define WHELK_CLI_PROCESS_MEMORY_H

#include <sys/types.h>

#include "base/types.h"

struct process_memory {
    pid_t pid;
    int fd; /* /proc/PID/mem */
    u32 count;
    struct range {
        u64 start, end;
    } *ranges; /* readable, in order */
};

/* false after an error that is named. */
bool process_memory_open(struct process_memory *m, pid_t pid);
void process_memory_close(struct process_memory *m);
/* Has its kernel panicked, and left a record (base/crash.h)? */
bool process_memory_panicked(const struct process_memory *m);
/* Writes the core, its registers zero. false after an error that is named. */
bool process_memory_core(const struct process_memory *m, const char *path);

#endif

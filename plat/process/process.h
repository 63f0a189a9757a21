/* process.h: what the files of this machine share. */
#ifndef WHELK_PLAT_PROCESS_PROCESS_H
#define WHELK_PLAT_PROCESS_PROCESS_H

#include "arch/process/host.h"
#include "base/types.h"

/* Memory that code runs from, mapped twice (code.c); below the kernel's image. */
#define CODE_RUN 0x700040000000ull
#define CODE_WRITE 0x700000000000ull
#define CODE_MAX 0x40000000ull

/* The file that is this machine's RAM, in the direct map. Code has memory of its own (code.c). */
struct process_memory {
    i32 fd;
    u64 bytes, code;       /* of RAM; of memory for code */
    u64 initrd_at, initrd; /* at the end of RAM */
};
extern struct process_memory process_memory;
extern u64 process_alarm; /* the POSIX timer's id */
extern bool process_sealed;

_Noreturn void process_fail(const char *what, i64 error); /* before the kernel can panic */
i64 process_memory_file(const char *name, u64 bytes);
void code_init(void);
void alarm_init(void);
/* Devices call these before the filter closes. */
/* Watches fd: its events interrupt (PROCESS_DEVICE) and end process_wait. */
void process_watch(i32 fd);
void process_unwatch(i32 fd);
/* On any event of a device: fn(arg), interrupts off. */
void process_on_device(void (*fn)(void *), void *arg);
void port_init(void);
void net_device_init(void);
/* The descriptors that the running kernel uses, for seal.c; -1: none. */
struct process_files {
    i32 net, port; /* port: of a connection, now or later */
    i32 listener;
};
extern struct process_files process_files;
enum { PROCESS_FILE_FLAGS = 2 | 04000 | 020000, PROCESS_ACCEPT_FLAGS = 04000 | 02000000, PROCESS_WATCHED = 8 };
extern i64 process_id; /* 0: not known yet */
bool process_stops(void); /* after a panic ("crash=stop"), for who started it */
/* Is asked about system calls that the filter refused (tests): true: go on. */
extern bool (*process_on_refused)(u64 number);
u32 process_allowed(void); /* how many system calls the filter lets through */

#endif

/* process.h: what the files of this machine share. */
#ifndef WHELK_PLAT_PROCESS_PROCESS_H
#define WHELK_PLAT_PROCESS_PROCESS_H

#include "arch/process/host.h"
#include "base/types.h"

/* Memory that code runs from, mapped twice (code.c); below the kernel's image. */
#define CODE_RUN 0x700040000000ull
#define CODE_WRITE 0x700000000000ull
#define CODE_MAX 0x40000000ull

/* The file that is this machine's RAM, all of it in the direct map but the last
 * part, which is code's. */
struct process_memory {
    i32 fd;
    u64 bytes;         /* of the file */
    u64 code_at, code; /* [code_at, code_at + code) of it is for code */
    u64 initrd_at, initrd;
};
extern struct process_memory process_memory;
extern u64 process_alarm; /* the POSIX timer's id */
extern bool process_sealed;

_Noreturn void process_fail(const char *what, i64 error); /* before the kernel can panic */
void code_init(void);
void alarm_init(void);
/* Devices call these before the filter closes. */
i32 process_open_net(void);
/* Watches fd: its events interrupt (PROCESS_DEVICE) and end process_wait. */
void process_watch(i32 fd);
void process_unwatch(i32 fd);
/* On any event of a device: fn(arg), interrupts off. */
void process_on_device(void (*fn)(void *), void *arg);
void port_init(void);
void net_device_init(void);

#endif

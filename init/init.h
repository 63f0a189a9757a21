/* init.h: the entry points that main.c calls, in the parts that own them. */
#ifndef WHELK_INIT_INIT_H
#define WHELK_INIT_INIT_H

#include "base/types.h"

/* Each runs once, in the init thread, and logs what it could not have. */
void dev_init(void);    /* dev/: finds devices, starts drivers */
void fs_init(void);     /* fs/: fills the root from the initrd */
void net_init(void);    /* net/: the stack's thread, the interfaces */
void net_finish(void);  /* net/: sends what an ended program's connections still hold */
void names_init(void);  /* init/names.c: /etc/resolv.conf and /etc/hosts */
void engine_init(void); /* init/engine.c: the Wasm engine on this machine */
void ext_init(void);    /* ext/: hooks, the control channel */
/* sys/: runs the program to its end; its exit status ends the machine. */
int sys_start(void);
/* init/wasm.c: the same for a program that is a WASI module; NOT_WASM, and
 * nothing done, for any other. */
enum { NOT_WASM = -1 };
int wasm_start(void);

/* Sends the program SIGTERM; false if it has no handler for it. */
bool sys_terminate(void);
int sys_status(void); /* as the program ended; 0 while it runs */

void inside_init(void); /* init/inside.c: /dev/whelk */
void power_init(void);  /* init/power.c: waits for the power button */
_Noreturn void machine_shut_down(void);

/* A test image's own body, in place of sys_start: how many checks failed. */
enum { VM_TEST_NONE = -1 };
int vm_test(void);

_Noreturn void kernel_main(u64 start_info);

#endif

/* program.h: a WASI module as a program, from its bytes to its exit status. The
 * host command and the kernel run programs through this.
 *
 * Threads: runs on the calling thread, which may block in what wasi_host does,
 * until the program has ended or rt_stop ends it.
 * Ownership: everything is the caller's and must live for the call; the preopens
 * and listeners of config are closed, whatever happens. */
#ifndef WHELK_WASI_PROGRAM_H
#define WHELK_WASI_PROGRAM_H

#include "wasi/wasi.h"

struct wasi_program {
    struct rt_engine *engine;
    struct bytes module;
    struct wasi_config config;
    const struct rt_limits *limits;                 /* NULL: none */
    enum err (*define)(struct rt_linker *l);        /* further imports; NULL: WASI only */
    void (*started)(void *self, struct rt_store *s); /* before the first instruction; NULL allowed */
    void (*trapped)(void *self, const char *line);   /* after a trap: why and where, line by line; NULL allowed */
    void *self;
};

enum wasi_end {
    WASI_END_EXIT,    /* status is what it gave to proc_exit, or 0 after main returned */
    WASI_END_TRAP,    /* error.text names the trap */
    WASI_END_REFUSED, /* it never ran: error says why, as rt_module_load and rt_instantiate */
};

struct wasi_outcome {
    enum wasi_end end;
    u32 status;
    enum abi_trap trap;
    struct rt_error error;
};

void wasi_program_run(const struct wasi_program *p, struct wasi_outcome *out);

#endif

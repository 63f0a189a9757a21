/* ext.h: extensions: WebAssembly modules behind the kernel's hooks.
 *
 * Life: ext_load (decode, validate, compile, verify, link by policy, initialise,
 *   attach) -> the hooks fire -> ext_unload (detach, drain, last words, free).
 * Three ways to be called (doc/hooks.md):
 *   native  an export of the hook's type, called where the hook fires, with
 *           interrupts on and preemption off, within the hook's time budget;
 *   record  an export of type () -> (), for hooks without a verdict: the event
 *           is copied and handed to a worker thread, which calls the handler
 *           with the bytes on standard input. It may use files, which may block.
 *   program the _start of a WASI program, on ctl.call: each call is one run, in an
 *           instance of its own (command.c).
 * Errors: enum err and a text for a person that names the extension; on any
 *   error nothing is left of what was asked for. Nothing that a module does or
 *   is reaches a panic.
 * Threads: thread context, may block, unless said otherwise. */
#ifndef WHELK_EXT_EXT_H
#define WHELK_EXT_EXT_H

#include "hook/hook.h"
#include "rt/rt.h"
#include "wasi/wasi.h"

enum {
    EXT_NAME_MAX = 63,
    EXT_MAX = 64,                  /* loaded at once */
    EXT_MEMORY_DEFAULT = 16 << 20, /* bytes of linear memory */
    EXT_TRAPS_MAX = 3,             /* this many traps, or one deadline: quarantine */
};

struct ext_error {
    enum err code;
    char text[400];
};

/* What the rest of the kernel brings. Everything is kept, not copied. */
struct ext_config {
    struct rt_engine *engine;
    const struct wasi_host *files; /* its clock_ns is replaced; NULL: no WASI files */
    /* A directory for modules, made if it is not there, as wasi_host.open gives
     * it out. Negated errno. NULL: no preopens. */
    i64 (*open_dir)(const char *path, void **dir);
    u64 (*cycles)(void);           /* what the cost of calls is measured in; NULL: not measured */
    u64 tick_ns;                   /* between two calls of ext_tick */
    void (*ticking)(bool on);      /* ext_tick is needed from now on, or no more; NULL: always called */
};
enum err ext_start(const struct ext_config *c);

struct ext_request {
    struct bytes name;   /* 1..EXT_NAME_MAX of [A-Za-z0-9._-] */
    struct bytes hook;   /* empty: by the exports; or "HOOK[:EXPORT]" */
    struct bytes module;
    u64 budget_ns;       /* 0: the hook's */
    u64 max_memory;      /* 0: EXT_MEMORY_DEFAULT */
    bool replace;        /* an extension of that name goes first, if the new one loads */
    struct inside *inside; /* the program's connection: its functions can be imported; NULL: the host loads */
};

/* out: a line for each attached hook, as fmt. */
enum err ext_load(const struct ext_request *r, char *out, size_t cap, struct ext_error *error);
enum err ext_unload(struct bytes name, struct ext_error *error);
/* Ends a quarantine: its instance is made anew from its module, and its slots go on
 * where they were. ERR_INVALID: it is not quarantined. On an error it stays so. */
enum err ext_resume(struct bytes name, struct ext_error *error);
/* Calls an export of type (i32) -> i32 (empty: "ctl.call") with call->input in
 * reach of whelk.call_*, or runs a program once; it may block. ERR_OK: it answered, status and output are in *call. */
enum err ext_call(struct bytes name, struct bytes export, struct hook_call *call, struct ext_error *error);

/* The same for the program, preemptible: the functions that it defined may take
 * their time, during which the extension is busy (ERR_BUSY for others, and for
 * who would unload it). */
enum err ext_call_waiting(struct bytes name, struct bytes export, struct hook_call *call, struct ext_error *error);

/* JSON. ext_list: one object a line; ext_stat: one object. As fmt: the length
 * that it needs; a caller with too small a buffer asks again. ext_stat: 0 if
 * there is no such extension. */
size_t ext_list(char *out, size_t cap);
size_t ext_stat(struct bytes name, char *out, size_t cap);
u32 ext_count(void);

/* Fires a hook on a frame: the one place where the kernel enters net.* hooks.
 * Thread context, interrupts on; never blocks. The verdict (0 for taps). */
u32 ext_fire_frame(struct hook *h, struct hook_frame *f);

/* The same for call.enter and call.exit: in the program's thread, before and
 * after the call is made. */
u32 ext_fire_syscall(struct hook *h, struct hook_syscall *c);

/* The timer interrupt, each tick_ns, with the interrupted registers: counts
 * against the call under way and stops one that is over its budget. true: regs
 * were rewritten. Interrupts off. */
bool ext_tick(struct rt_regs *regs);
/* The extension that the current thread is in, or NULL. Any context: a panic's. */
const char *ext_running(void);
/* All of them with their hooks and counters, as lines for a panic: no locks. */
void ext_report(void (*say)(const char *format, ...));

#endif

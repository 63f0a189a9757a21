/* internal.h: what the files of ext/ share.
 *
 * I1 an extension's store is entered by one run at a time: busy, set and
 *    cleared with preemption off.
 * I2 the list of extensions changes under list_lock; only ext_load and
 *    ext_unload, which exclude each other by ops, change it. So whoever holds
 *    either may walk it.
 * I3 a quarantined extension's code is never entered again; only another instance of it is (resume.c).
 * I4 run->thread is the thread that is inside; the timer charges a tick to the
 *    newest run of the interrupted thread only: who waits or was preempted
 *    pays nothing.
 * Lock order: ops, control's output lock, list_lock. */
#ifndef WHELK_EXT_INTERNAL_H
#define WHELK_EXT_INTERNAL_H

#include "base/list.h"
#include "ext/ext.h"
#include "ext/ring.h"
#include "kern/lock.h"
#include "kern/wait.h"

enum {
    EXT_SLOTS = 8,               /* hooks of one extension */
    EXT_NEST = 4,                /* extensions inside one another on one CPU */
    EXT_STREAM_BYTES = 512 << 10,
    EXT_STREAM_RECORD = 32 << 10, /* longest streamed record */
    EXT_QUEUE_BYTES = 1 << 20,   /* records that wait for the worker */
    EXT_PREAMBLE = 256,
    EXT_LOG_PER_SECOND = 20,
    EXT_SUBSCRIBERS = 4,
    EXT_SPARE_PAGES = 1024,      /* the program and the network keep them, whatever extensions do */
};

struct ext;

enum { EXT_MEASURE_EVERY = 16 }; /* one call in so many is timed */

enum ext_mode { EXT_NATIVE, EXT_RECORD, EXT_COMMAND };

struct ext_slot {
    struct hook_slot slot; /* cookie: this */
    struct ext *ext;
    struct hook *hook;
    enum ext_mode mode;
    struct rt_callable handler;
    char export[EXT_NAME_MAX + 1];
    u64 budget_ns;
    /* record handlers: their own cost; slot's is that of queueing */
    u64 handled, timed, ticks, ticks_max;
    u64 deadline; /* timer: when it is called next; 0: never. Under list_lock */
};

/* One call from C into a module. On the caller's stack. */
struct ext_run {
    struct ext_run *outer;
    struct ext *ext;
    struct thread *thread;
    u32 ticks; /* against this very call */
    u64 budget_ns;
};

struct ext {
    struct list node;
    /* fixed after load */
    char name[EXT_NAME_MAX + 1];
    struct rt_module *module;
    struct rt_store *store;
    struct rt_instance *instance;
    struct wasi *wasi;           /* NULL: imports none of it */
    struct wasi_host wasi_host;
    struct inside *inside;       /* counted: whose functions it imports; NULL: nobody's */
    struct ext_slot slots[EXT_SLOTS];
    u32 slot_count;
    u64 max_memory, module_bytes, load_ns;
    bool uses_stream, uses_records;
    /* preemption off */
    bool busy;
    bool quarantined;
    bool renewing;               /* its new instance is being made, in quarantine */
    bool may_wait;               /* the call under way is ext_call_waiting's */
    char why[160];               /* of the quarantine, or of the last trap */
    u32 traps, deadlines, resumes; /* traps: since the last resume */
    struct ring stream, queue;
    u8 preamble[EXT_PREAMBLE];
    u32 preamble_length;
    u32 subscribers[EXT_SUBSCRIBERS], subscriber_count; /* request ids */
    /* of the run under way (busy) */
    struct hook_frame *frame;
    struct hook_call *call;
    struct bytes words;          /* command: of the call whose instance is being made */
    struct hook_syscall *syscall;
    u64 log_second;
    u32 log_lines;
    u8 line[160];                /* of standard output or error, until its end */
    u32 line_length;
};

extern struct ext_config ext_config;
extern struct list ext_list_head;
extern struct mutex ext_list_lock, ext_ops;
extern struct rt_linker *ext_linker;
extern struct waitq ext_idle;    /* something stopped being busy, or a queue ran empty */
extern struct waitq ext_records; /* a record was queued */
extern struct waitq ext_streams; /* a record was streamed */

struct ext *ext_find(struct bytes name);
enum err ext_fail(struct ext_error *error, enum err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum err ext_unknown(struct bytes name, struct ext_error *error);

/* ext.c: what makes an instance: linked and initialised; then _initialize and whelk.load. */
enum err ext_link(struct ext *x, struct ext_error *error);
enum err ext_greet(struct ext *x, struct ext_error *error);

/* call.c. enter: false when x is busy or the nesting is too deep. */
u32 ext_budget_ticks(u64 budget_ns);
bool ext_enter(struct ext *x, struct ext_run *run, u64 budget_ns);
void ext_leave(struct ext_run *run);
/* The call of a handler inside a run; a trap is counted, and may quarantine. */
/* vals: two at least. */
enum abi_trap ext_invoke(struct ext *x, const struct rt_callable *c, union abi_value *vals);
void ext_trapped(struct ext *x, enum abi_trap trap, const char *where);
void ext_quarantine(struct ext *x, const char *why);
i32 ext_native_fire(struct hook_slot *s, void *event);

/* bind.c: fills in x->slots. */
enum err ext_bind(struct ext *x, struct bytes spec, u64 budget_ns, struct ext_error *error);

/* record.c */
i32 ext_record_fire(struct hook_slot *s, void *event);
/* One record of any extension; false: none waits. */
bool ext_record_step(void);
void ext_record_thread(void *arg);
/* Waits until nothing of x is under way and its queue is empty. */
void ext_drain(struct ext *x);

/* resume.c: another instance of x, which is neither busy nor called meanwhile; its
 * slots' handlers are the new one's. On failure the old one stays. ext_ops is held. */
enum err ext_renew(struct ext *x, struct ext_error *error);

/* command.c. slot: of a program that export (empty: ctl.call) means; NULL: none.
 * words: its arguments; a list from kmalloc, or NULL. */
struct ext_slot *ext_command_slot(struct ext *x, struct bytes export);
enum err ext_command(struct ext *x, struct ext_slot *s, struct hook_call *call, struct ext_error *error);
const char **ext_command_words(const struct ext *x, u32 *count);
i64 ext_command_reply(void *self, const void *p, size_t n);
i32 ext_command_fire(struct hook_slot *s, void *event);
static inline bool ext_is_command(const struct ext *x) { return x->slot_count && x->slots[0].mode == EXT_COMMAND; }

/* inside.c: the program's connection. */
struct rt_linker *inside_linker(struct inside *c);
void inside_hold(struct inside *c);
void inside_release(struct inside *c);

/* timer.c */
void ext_timer_thread(void *arg);
/* Calls what is due; when the next is, or WAIT_FOREVER. *seen: see timer.c. */
u64 ext_timer_step(u32 *seen);
/* The timer slots of x, if any, want their first call. list_lock is held. */
void ext_timer_start(struct ext *x);

/* host.c, host_syscall.c */
enum err ext_define_syscall(struct rt_linker *l);
struct ext *ext_of(struct abi_ctx *c);
enum err ext_define(struct rt_linker *l);
void ext_log_text(struct ext *x, u32 level, const u8 *p, u32 n);

/* wasi.c: x's own view of files. */
enum err ext_wasi_new(struct ext *x, struct ext_error *error);

/* stat.c */
size_t ext_describe(const struct ext *x, char *out, size_t cap);

/* control.c: x goes: its streams get what is left, and their end. */
void ext_end_streams(struct ext *x);

#endif

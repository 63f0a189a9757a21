/* rt.h: engines, modules, instances. The embedder's interface to the engine
 * (kernel, host command, tests). Reaches the machine only through rt_host.
 * WebAssembly 2.0, 4.2 (runtime structure) and 4.5 (modules).
 *
 * Life of a module: rt_module_load (decode, validate, compile, verify, seal)
 * -> rt_instantiate (link, initialise, start) -> rt_call ... -> rt_instance_free
 * -> rt_module_free. A module may have many instances.
 * Threads: a store and what is in it is used by one thread at a time; modules
 * and linkers may be shared once built, and shared memories may be exported from
 * one store and imported into others. Engine-wide tables are guarded by
 * rt_host.lock. rt_fault, rt_stop and rt_is_code take no lock and allocate
 * nothing: they may run in a signal handler or an interrupt.
 * Errors: on any enum err nothing has changed and nothing is left behind.
 * References (funcref, externref) are 32-bit handles of a store, 0 for null. */
#ifndef WHELK_RT_RT_H
#define WHELK_RT_RT_H

#include "abi/abi.h"
#include "base/arena.h"
#include "base/err.h"
#include "wasm/module.h"

/* How a wait ended; the first three are what the instruction yields. */
enum rt_wait { RT_WAIT_WOKEN, RT_WAIT_NOT_EQUAL, RT_WAIT_TIMED_OUT, RT_WAIT_STOPPED };

/* Where the embedder keeps compiled code from one load of a module to the next, under
 * keys: a hash of the module, the CPU's features and the engine. It need not be trusted:
 * what find gives is proven again, and compiled anew if anything is wrong with it. */
enum { RT_KEY_BYTES = 32 };
struct rt_cache {
    size_t least;                                        /* smaller modules are compiled sooner than found */
    struct bytes (*find)(void *self, const u8 *key);     /* of no bytes: there is nothing */
    void (*done)(void *self, struct bytes found);        /* what find gave is not needed any more */
    void (*keep)(void *self, const u8 *key, struct bytes code);
    void *self;
};

/* The machine. All functions are set by the embedder before rt_engine_init. */
struct rt_host {
    /* Heap for tables, modules, arenas. */
    void *(*alloc)(void *self, size_t n);
    void (*free)(void *self, void *p, size_t n);
    /* Address space: reserve inaccessible bytes; make [p, p+n) zeroed and
     * readable-writable (commit) or inaccessible and released (decommit). commit may end
     * early once *stop is not 0 (NULL: it must not): *n then says how much there is, in
     * multiples of 64 KiB. Zeroing much takes longer than a timer's tick. */
    void *(*reserve)(void *self, size_t n);
    void (*release)(void *self, void *p, size_t n);
    enum err (*commit)(void *self, void *p, size_t *n, const u32 *stop);
    void (*decommit)(void *self, void *p, size_t n);
    /* Code: n bytes are copied to where they run, *exec, and can never be written there
     * again; the rest of their last page is int3. free: of the same n. */
    enum err (*code_place)(void *self, const void *code, size_t n, void **exec);
    void (*code_free)(void *self, void *exec, size_t n);
    u64 (*now_ns)(void *self); /* monotonic */
    /* memory.atomic.wait and notify on shared memories; NULL: nothing waits. wait:
     * if the word of width 4 or 8 at `at` equals expected, sleeps until a notify,
     * for ns nanoseconds (negative: no limit), or until *stop is not 0; comparing
     * and going to sleep are one step for notify. notify wakes up to count, those
     * that came first first, and says how many. */
    enum rt_wait (*wait)(void *self, const void *at, u64 expected, u32 width, i64 ns, const u32 *stop);
    u32 (*notify)(void *self, const void *at, u32 count);
    /* Mutual exclusion around engine-wide tables; NULL: one thread only. */
    void (*lock)(void *self);
    void (*unlock)(void *self);
    void *self;
    u32 cpu; /* JIT_CPU_* */
    bool checked_memory; /* check in code instead of with guard pages; also where no window can be reserved */
    u32 registers; /* this and coarse, for tests: as in struct jit_options */
    bool coarse;
    size_t page; /* size of a page of the machine */
    const struct rt_cache *cache; /* NULL: none. Lives as long as the engine; any thread, no lock held */
};

struct rt_engine;   /* one per machine: code registry, type ids */
struct rt_module;   /* compiled and sealed */
struct rt_store;    /* instances that may reference each other; one thread at a time */
struct rt_instance;
struct rt_linker;   /* what imports resolve to */

struct rt_error {
    enum err code;
    size_t offset; /* in the module; SIZE_MAX when it does not apply */
    char text[200];
};

struct rt_limits {
    u64 memory_bytes;   /* of all memories of a store; 0: none (4 GiB each) */
    u64 table_elements; /* of all tables of a store; 0: none (the decoder's limit each) */
    u64 module_bytes;   /* 0: none */
    u64 load_bytes;     /* of memory for a compile's tables, and for what stays: ERR_NOMEM; 0: none */
    u64 stack_bytes;    /* of the store's own stack; 0: 256 KiB */
};

enum err rt_engine_init(struct rt_engine **out, const struct rt_host *host);
void rt_engine_free(struct rt_engine *e);
/* Gives back to the machine what the engine keeps for the next module or instance. */
void rt_engine_trim(struct rt_engine *e);

/* What this CPU can do: JIT_CPU_*, for rt_host.cpu. */
u32 rt_probe_cpu(void);

/* bytes are copied. error->code tells what is wrong: ERR_MALFORMED, ERR_TRUNCATED,
 * ERR_INVALID, ERR_UNSUPPORTED, ERR_LIMIT, ERR_PROOF, ERR_NOMEM. */
enum err rt_module_load(struct rt_engine *e, struct bytes bytes, const struct rt_limits *limits,
                        struct rt_module **out, struct rt_error *error);
/* The same with this cache instead of the host's; NULL: with none. */
enum err rt_module_load_by(struct rt_engine *e, const struct rt_cache *cache, struct bytes bytes, const struct rt_limits *limits,
                           struct rt_module **out, struct rt_error *error);
/* Gives the caller's hold back. The module goes when its last instance goes. */
void rt_module_free(struct rt_module *m);
void rt_module_hold(struct rt_module *m); /* one more rt_module_free */
const struct wasm_module *rt_module_info(const struct rt_module *m);
/* Its code uses vector registers: whoever calls it amid a program keeps the
 * program's. */
bool rt_module_vectors(const struct rt_module *m);
bool rt_module_cached(const struct rt_module *m); /* its code was found in the cache */

enum err rt_store_new(struct rt_engine *e, const struct rt_limits *limits, struct rt_store **out);
void rt_store_free(struct rt_store *s); /* frees its instances */
/* What counts against limits.memory_bytes, in bytes. */
u64 rt_store_memory(const struct rt_store *s);
/* May code in s block in memory.atomic.wait? At first not: a wait that would
 * have to is the trap MAY_NOT_WAIT. */
void rt_store_let_wait(struct rt_store *s, bool may);
/* Pointers for host functions, one per family of them: what the embedder
 * sets as data is found as rt_data(caller). */
enum rt_slot { RT_SLOT_DATA, RT_SLOT_WASI, RT_SLOT_COUNT };
void rt_store_set_slot(struct rt_store *s, enum rt_slot slot, void *p);
void *rt_slot(const struct abi_ctx *caller, enum rt_slot slot);
void rt_store_set_data(struct rt_store *s, void *data);
void *rt_store_data(const struct rt_store *s);
void *rt_data(const struct abi_ctx *caller);
struct rt_store *rt_ctx_store(const struct abi_ctx *ctx);
struct rt_instance *rt_ctx_instance(const struct abi_ctx *ctx);

/* Linker: definitions by (module, name). A host function's type is written as
 * "ii:i", parameters:results, with i I f F r(funcref) x(externref) for i32
 * i64 f32 f64. fn is a C function as abi.h says. A linker must outlive the
 * instances that were linked with it. A second definition of a (module, name)
 * is ERR_EXISTS; of an instance under the same name replaces the first. */
enum err rt_linker_new(struct rt_engine *e, struct rt_linker **out);
void rt_linker_free(struct rt_linker *l);
enum err rt_define_func(struct rt_linker *l, const char *module, const char *name,
                        const char *type, const void *fn);
/* Every export of an instance, under a module name: it must outlive users. */
enum err rt_define_instance(struct rt_linker *l, struct bytes module, struct rt_instance *i);
/* A global, table or memory that the embedder brings. It belongs to the store
 * s and goes with it; only instances of s may import it. */
enum err rt_define_global(struct rt_linker *l, const char *module, const char *name,
                          struct rt_store *s, wasm_type type, bool mutable, union abi_value value);
enum err rt_define_table(struct rt_linker *l, const char *module, const char *name,
                         struct rt_store *s, const struct wasm_table *type);
enum err rt_define_memory(struct rt_linker *l, const char *module, const char *name,
                          struct rt_store *s, const struct wasm_memory *type);

/* Links, allocates, runs initialisers and the start function. An import that
 * is not there is ERR_NOT_FOUND, one of another kind or type ERR_SIGNATURE, a
 * memory or table beyond the store's limits ERR_LIMIT; error->text names it.
 * A trap while initialising is ERR_TRAP, its kind in *trap: what was written to
 * imported tables and memories before it stays (WebAssembly 2.0, 4.5.4). */
enum err rt_instantiate(struct rt_store *s, struct rt_module *m, const struct rt_linker *l,
                        struct rt_instance **out, enum abi_trap *trap, struct rt_error *error);
/* The same without names: given[k] is the module's import k. ERR_LINK when
 * there are not as many; what is not there is ERR_NOT_FOUND. */
struct rt_given {
    enum wasm_kind kind;
    u32 handle;                /* FUNC: a reference to it, of the store */
    struct rt_instance *owner; /* others: who exports it under that name */
    struct bytes name;
};
enum err rt_instantiate_given(struct rt_store *s, struct rt_module *m, const struct rt_given *given, u32 count,
                              struct rt_instance **out, enum abi_trap *trap, struct rt_error *error);
/* An instance that shares something with another one stays, unreachable,
 * until its store goes: references to its functions may be anywhere. */
void rt_instance_free(struct rt_instance *i);
struct rt_module *rt_instance_module(const struct rt_instance *i);
struct rt_store *rt_instance_store(const struct rt_instance *i);

/* A function that can be called: resolved once, then called often. Valid as
 * long as its instance. */
struct rt_callable {
    abi_thunk *thunk;
    struct abi_func func;
    struct abi_ctx *caller; /* a host function is called in the name of this */
    const struct wasm_functype *type;
    const void *direct; /* rt/enter.h: rt_call2 may go there; NULL: it takes rt_call */
};
/* By the name of an export: ERR_NOT_FOUND. */
enum err rt_find_func(struct rt_instance *i, struct bytes name, struct rt_callable *out);
/* By its handle: ERR_INVALID when that is null or no function's. */
enum err rt_func_of(struct rt_store *s, u32 handle, struct rt_callable *out);
/* Do two handles mean one function? A host function may have several. */
bool rt_func_same(struct rt_store *s, u32 a, u32 b);
/* Does it have the type written as in rt_define_func? */
bool rt_type_is(const struct wasm_functype *type, const char *text);
/* "(i32, i64) -> f32" for messages; as fmt. */
size_t rt_type_text(char *out, size_t cap, const struct wasm_functype *type);

/* vals: arguments in, results out; at least max(params, results) slots. The
 * types are the caller's to keep; so are handles, which must be of c's store.
 * May be called from inside a host function that the same store is running
 * (on the store's stack); DEADLINE, INTERRUPTED and EXIT then go on outwards by themselves. */
enum abi_trap rt_call(const struct rt_callable *c, union abi_value *vals);

/* Exported globals, tables and memories: ERR_NOT_FOUND, ERR_INVALID (immutable,
 * not this store's handle), ERR_LIMIT (index beyond the table). */
enum err rt_global_get(struct rt_instance *i, struct bytes name, union abi_value *out, wasm_type *type);
enum err rt_global_set(struct rt_instance *i, struct bytes name, union abi_value value);
/* The same for an immutable one, by an embedder that has just made the instance. */
enum err rt_global_init(struct rt_instance *i, struct bytes name, union abi_value value);
/* What compiled code knows of it now; it grows, but never moves. */
enum err rt_find_memory(struct rt_instance *i, struct bytes name, struct abi_memory *out);
enum err rt_table_size(struct rt_instance *i, struct bytes name, u64 *out);
enum err rt_table_get(struct rt_instance *i, struct bytes name, u64 index, u32 *handle);
enum err rt_table_set(struct rt_instance *i, struct bytes name, u64 index, u32 handle);

/* Growing from outside: the old size in pages or elements, or UINT64_MAX. */
u64 rt_export_memory_grow(struct rt_instance *i, struct bytes name, u64 delta);
u64 rt_export_table_grow(struct rt_instance *i, struct bytes name, u64 delta, u32 handle);
/* A reference to an exported function: its handle, the same each time. 0: there
 * is none, or no memory. */
u32 rt_export_func(struct rt_instance *i, struct bytes name);
/* What distinguishes an exported table, memory, global or tag: an immutable global that
 * was imported is one of the importer's. NULL: there is none of that name, or a function. */
const void *rt_export_identity(struct rt_instance *i, struct bytes name, enum wasm_kind kind);

/* externref: a handle for a host value; 0 when memory is short. Equal values
 * may get different handles; they live as long as the store. */
u32 rt_extern_new(struct rt_store *s, void *value);
/* false: null, or not an externref. */
bool rt_extern_get(struct rt_store *s, u32 handle, void **value);

/* Memory of a caller or instance, for host functions: NULL unless
 * [at, at + n) lies inside memory 0. */
void *rt_mem(struct abi_ctx *ctx, u64 at, u64 n);
struct abi_ctx *rt_instance_ctx(struct rt_instance *i);
/* Raises a trap from a host function: returns 0 for `return rt_raise(...)`. */
u64 rt_raise(struct abi_ctx *ctx, enum abi_trap kind);
/* Should a long-running host function end early? (the timer asked for it) */
static inline bool rt_stopping(const struct abi_ctx *ctx) {
    return __atomic_load_n(&ctx->store->pending, __ATOMIC_RELAXED) != 0;
}

/* Exceptions. rt_call answers ABI_TRAP_EXCEPTION when nobody in the module caught
 * one: rt_uncaught is its handle until the store is entered again. A host function
 * may throw one, or the one that its own rt_call ended with: `return rt_throw(...)`.
 * payload: as many values as the tag's type has parameters; handles of the store. */
struct rt_tag;
enum err rt_define_tag(struct rt_linker *l, const char *module, const char *name, struct rt_store *s,
                       const char *params, struct rt_tag **out);
enum err rt_find_tag(struct rt_instance *i, struct bytes name, struct rt_tag **out); /* ERR_NOT_FOUND */
u32 rt_uncaught(const struct rt_store *s);
bool rt_exception_get(struct rt_store *s, u32 handle, struct rt_tag **tag, const union abi_value **payload, u32 *count);
u64 rt_throw(struct abi_ctx *ctx, struct rt_tag *tag, const union abi_value *payload);
u64 rt_rethrow(struct abi_ctx *ctx, u32 handle);

const char *rt_trap_text(enum abi_trap kind);

/* Where code was when the last call ended in a trap: functions of the store's
 * modules, the innermost first. Empty where nobody can tell: code that ran out of
 * stack on its way to a host function, or a trap raised outside of any call. Valid
 * until the store is entered again or an instance of it goes. */
enum { RT_PLACES = 16 };
struct rt_place {
    const struct rt_module *module;
    u32 func; /* index in the module's function space */
    u32 at;   /* offset in its machine code; of a caller: inside the call */
};
u32 rt_backtrace(const struct rt_store *s, const struct rt_place **out);
/* "parse: function 12 +0x1c"; as fmt. The name is of the name section, or of an
 * export; nothing of it is a control character. */
size_t rt_place_text(char *out, size_t cap, const struct rt_place *f);
/* Why, where more than the kind is known: a function called as what it is not. As
 * fmt; 0: nothing to add. */
size_t rt_trap_why(const struct rt_store *s, enum abi_trap kind, char *out, size_t cap);
/* The same and the backtrace, line by line, without line ends; and how to get source
 * lines, if the module has any. */
void rt_explain(const struct rt_store *s, enum abi_trap kind, void (*line)(void *self, const char *text), void *self);

/* What the machine's fault and timer handlers call. regs are the interrupted
 * program's; if the answer is true they were rewritten and the handler returns
 * to them. */
struct rt_regs {
    u64 rip, rsp, rdi, r14;
    u64 rax; /* only read */
};
/* address: of the access, for PAGE; ignored otherwise. false: not a trap of a
 * module. */
enum rt_fault { RT_FAULT_PAGE, RT_FAULT_DIVIDE, RT_FAULT_ILLEGAL };
bool rt_fault(struct rt_engine *e, enum rt_fault fault, u64 address, struct rt_regs *regs);
/* Stops whatever runs in s: diverts regs when they are inside module code of
 * s (true), else asks for it by pending, which is looked at when the host call
 * returns. A timer calls it again at its next tick until the call has ended.
 * Nothing happens when nothing runs. why: DEADLINE or INTERRUPTED. */
bool rt_stop(struct rt_store *s, enum abi_trap why, struct rt_regs *regs);
bool rt_is_code(struct rt_engine *e, u64 pc);
/* What code lies at pc, as rt_place_text; 0: none of a module's. Any context: a panic's. */
size_t rt_code_text(struct rt_engine *e, u64 pc, char *out, size_t cap);
/* All compiled functions, in order of address, for profilers: a name is never empty,
 * and nothing of it is a control character. Under the engine's lock. */
void rt_each_code(struct rt_engine *e, void (*each)(void *self, u64 at, u32 bytes, const char *name), void *self);

#endif

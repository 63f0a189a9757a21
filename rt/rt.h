/* rt.h: engines, modules, instances. The embedder's interface to the engine
 * (kernel, host command, tests). Reaches the machine only through rt_host.
 *
 * Life of a module: rt_module_load (decode, validate, compile, verify, seal)
 * -> rt_instantiate (link, initialise, start) -> rt_call ... -> rt_instance_free
 * -> rt_module_free. A module may have many instances.
 * Threads: a store and what is in it is used by one thread at a time; modules
 * and linkers may be shared once built. */
#ifndef WHELK_RT_RT_H
#define WHELK_RT_RT_H

#include "abi/abi.h"
#include "base/arena.h"
#include "base/err.h"
#include "wasm/module.h"

/* The machine. All functions are set by the embedder before rt_engine_init. */
struct rt_host {
    /* Heap for tables, modules, arenas. */
    void *(*alloc)(void *self, size_t n);
    void (*free)(void *self, void *p, size_t n);
    /* Address space: reserve inaccessible bytes; make [p, p+n) zeroed and
     * readable-writable (commit) or inaccessible and released (decommit). */
    void *(*reserve)(void *self, size_t n);
    void (*release)(void *self, void *p, size_t n);
    enum err (*commit)(void *self, void *p, size_t n);
    void (*decommit)(void *self, void *p, size_t n);
    /* Code: n bytes that are writable at *write and will run at *exec; seal
     * ends writing for good; release gives both back. */
    enum err (*code_alloc)(void *self, size_t n, void **write, void **exec);
    enum err (*code_seal)(void *self, void *write, void *exec, size_t n);
    void (*code_free)(void *self, void *exec, size_t n);
    u64 (*now_ns)(void *self); /* monotonic */
    void *self;
    u32 cpu; /* JIT_CPU_* */
    size_t page; /* size of a page of the machine */
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
    u64 memory_bytes;   /* per memory; 0: 4 GiB */
    u64 table_elements; /* 0: the decoder's limit */
    u64 module_bytes;   /* 0: none */
    u64 stack_bytes;    /* of the store's own stack; 0: 256 KiB */
};

enum err rt_engine_init(struct rt_engine **out, const struct rt_host *host);
void rt_engine_free(struct rt_engine *e);

/* bytes are copied. */
enum err rt_module_load(struct rt_engine *e, struct bytes bytes, const struct rt_limits *limits,
                        struct rt_module **out, struct rt_error *error);
void rt_module_free(struct rt_module *m); /* no instance may be left */
const struct wasm_module *rt_module_info(const struct rt_module *m);

enum err rt_store_new(struct rt_engine *e, const struct rt_limits *limits, struct rt_store **out);
void rt_store_free(struct rt_store *s); /* frees its instances */
/* Pointer that host functions find as rt_store_data(caller->store). */
void rt_store_set_data(struct rt_store *s, void *data);
void *rt_store_data(const struct rt_store *s);

/* Linker: definitions by (module, name). A host function's type is written as
 * "ii:i", parameters:results, with i I f F r(funcref) x(externref) for i32
 * i64 f32 f64. fn is a C function as abi.h says. */
enum err rt_linker_new(struct rt_engine *e, struct rt_linker **out);
void rt_linker_free(struct rt_linker *l);
enum err rt_define_func(struct rt_linker *l, const char *module, const char *name,
                        const char *type, const void *fn);
/* Every export of an instance, under a module name: it must outlive users. */
enum err rt_define_instance(struct rt_linker *l, struct bytes module, struct rt_instance *i);

/* Links, allocates, runs initialisers and the start function. On failure
 * nothing is left; a trap while initialising is ERR_TRAP, its kind in *trap. */
enum err rt_instantiate(struct rt_store *s, struct rt_module *m, const struct rt_linker *l,
                        struct rt_instance **out, enum abi_trap *trap, struct rt_error *error);
void rt_instance_free(struct rt_instance *i);
struct rt_module *rt_instance_module(const struct rt_instance *i);
struct rt_store *rt_instance_store(const struct rt_instance *i);

/* A function that can be called: resolved once, then called often. */
struct rt_callable {
    abi_thunk *thunk;
    struct abi_func func;
    const struct wasm_functype *type; /* of the module that defines it */
};
enum err rt_find_func(struct rt_instance *i, struct bytes name, struct rt_callable *out);
/* vals: arguments in, results out; at least max(params, results) slots. */
enum abi_trap rt_call(const struct rt_callable *c, union abi_value *vals);

/* Memory of a caller or instance, for host functions: NULL unless
 * [at, at + n) lies inside memory 0. */
void *rt_mem(struct abi_ctx *ctx, u64 at, u64 n);
struct abi_ctx *rt_instance_ctx(struct rt_instance *i);
/* Raises a trap from a host function: returns 0 for `return rt_raise(...)`. */
u64 rt_raise(struct abi_ctx *ctx, enum abi_trap kind);

const char *rt_trap_text(enum abi_trap kind);

/* What the machine's fault and timer handlers call. regs are the interrupted
 * program's; if the answer is true they were rewritten and the handler returns
 * to them. */
struct rt_regs {
    u64 rip, rsp, rdi, r14;
};
enum rt_fault { RT_FAULT_PAGE, RT_FAULT_DIVIDE, RT_FAULT_ILLEGAL };
bool rt_fault(struct rt_engine *e, enum rt_fault fault, u64 address, struct rt_regs *regs);
/* Stops whatever runs in s: diverts regs when they are inside module code,
 * else sets pending. why: DEADLINE or INTERRUPTED. */
bool rt_stop(struct rt_store *s, enum abi_trap why, struct rt_regs *regs);
bool rt_is_code(struct rt_engine *e, u64 pc);

#endif

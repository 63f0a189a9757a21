/* internal.h: the objects behind rt.h. Only rt/ includes it.
 *
 * I1 an object's memory comes from rt_host.alloc, or from an arena on it that
 *    the object itself holds; freeing the object gives all of it back.
 * I2 memories, tables and cells are counted: one count for each instance that
 *    uses them and one for the store if the embedder brought them.
 * I3 compiled code can reach an abi_ctx, an abi_table and a cell; all of them
 *    live until no instance that could name them is left.
 * I4 an instance that is `shared` (linked with another) lives until its store
 *    goes: raw callable pairs of it may be in tables anywhere. */
#ifndef WHELK_RT_INTERNAL_H
#define WHELK_RT_INTERNAL_H

#include "base/list.h"
#include "jit/jit.h"
#include "rt/prove.h"
#include "rt/rt.h"

/* Address space of a 32-bit memory: an effective address of compiled code is
 * base + u32 index + u31 displacement, plus the width of the access: below
 * 6 GiB. The front is for displacements below 0 (abi.h), and catches an index
 * that a bug sign-extended. */
#define RT_WINDOW_FRONT (2ull << 30)
#define RT_WINDOW_BACK (8ull << 30)
/* Of a memory whose accesses are checked in code: what it may become at most,
 * and the largest minimum. */
#define RT_CHECKED_WINDOW (64ull << 30)
#define RT_MEMORY_MAX (1ull << 46)
#define RT_MEMORY32_MAX ((4ull << 30) - ABI_MEMORY_SLACK)
/* Below the stack: larger than any frame (WASM_MAX_LOCALS slots and operands;
 * the compiler refuses larger ones), so a frame cannot step over it. */
#define RT_STACK_GUARD (1ull << 20)
/* What a host function may use of the store's stack. */
#define RT_HOST_STACK (48ull << 10)
#define RT_STACK_DEFAULT (256ull << 10)
/* Handles per store: bounds what leaking references may cost. */
#define RT_MAX_REFS (16u << 20)
/* Exceptions before the first look for those that nobody names. */
enum { RT_COLLECT_FIRST = 256 };

/* A function type, interned: equal types have one id in the whole engine. */
struct rt_type {
    struct rt_type *next; /* in its hash chain */
    u32 id, holders;
    u32 params, results;
    wasm_type sig[]; /* params, then results */
};

struct rt_code_range {
    uptr start, end;
    struct rt_module *module;
};

/* Sorted by start, never changed once published. */
struct rt_code_map {
    size_t bytes; /* of this allocation */
    u32 count;
    struct rt_code_range ranges[];
};

enum { RT_TYPE_CHAINS = 256 };

struct rt_kept {
    u8 *window;
    u64 bytes; /* committed */
};

/* Windows without a memory (pool.c). */
struct rt_pool {
    u32 count;
    u64 bytes;
    struct rt_kept kept[64];
};

struct rt_engine {
    struct rt_host host;
    struct arena_source source; /* arenas on host.alloc */
    /* under host.lock */
    struct rt_type *types[RT_TYPE_CHAINS];
    u32 last_type_id;
    u32 *free_ids; /* given back: used again */
    u32 free_id_count, free_id_room;
    struct rt_pool pool;
    void *spares[3]; /* chunks of arenas, ARENA_CHUNK bytes each */
    u32 spare_count;
    struct rt_code_map *old_map; /* the one before: a handler may still be reading it */
    u32 holders;                 /* modules, stores, linkers alive: for an assert */
    /* written under host.lock, read by handlers at any time */
    struct rt_code_map *map; /* NULL: no code */
};

struct rt_module {
    struct rt_engine *engine;
    struct arena arena; /* this struct, the bytes, info, tables */
    struct wasm_module info;
    struct jit_code code; /* bytes == NULL: they are at exec */
    u8 *exec;
    size_t exec_bytes;
    u32 *type_ids;          /* one per type of info */
    struct rt_type **types; /* the same, held */
    u32 holders;            /* the embedder, instances */
    bool cached;            /* its code was not compiled, but found */
};

/* A host function of a linker, or an object of the embedder. */
struct rt_def {
    struct rt_def *next; /* in its hash chain */
    struct bytes module, name;
    enum wasm_kind kind;
    struct rt_type *type; /* FUNC: held */
    struct abi_host host; /* FUNC */
    struct rt_store *store;
    struct rt_table *table;
    struct rt_memory *memory;
    struct rt_cell *cell;
    struct rt_tag *tag;
    wasm_type value_type; /* GLOBAL */
    bool mutable;
};

struct rt_named_instance {
    struct rt_named_instance *next;
    struct bytes name;
    struct rt_instance *instance;
};

enum { RT_DEF_CHAINS = 64 };

struct rt_linker {
    struct rt_engine *engine;
    struct arena arena;
    struct rt_def *defs[RT_DEF_CHAINS];
    struct rt_named_instance *instances;
};

/* Shared ones (threads proposal) may be in use by several stores. */
struct rt_memory {
    /* fixed */
    struct rt_engine *engine;
    u8 *window, *base;
    u64 window_bytes;
    u64 max; /* in pages; never above what the window has room for */
    struct wasm_memory type;
    /* of the store that made it */ struct list link; /* store->memories */
    /* atomic */ u32 holders, busy;
    /* under busy, if shared */
    u64 pages;
    struct list users; /* struct rt_memory_user: who shows its size to compiled code */
};

/* One memory of one instance. */
struct rt_memory_user {
    struct list link;
    struct abi_memory *shown; /* in the instance's context */
};

struct rt_table {
    struct abi_table abi; /* entries NULL in tables of externref */
    struct list link;     /* store->tables */
    struct rt_store *store;
    u32 holders;
    u64 capacity, max;
    struct wasm_table type;
};

/* A mutable global that more than one context may name. */
struct rt_cell {
    union abi_value value;
    struct rt_store *store;
    u32 holders;
};

enum rt_ref_kind { RT_REF_FREE, RT_REF_FUNC, RT_REF_EXTERN, RT_REF_EXN };

/* What a handle means: store->refs[handle]. Entry 0 is never used. The callable
 * pair of a FUNC is beside it, in store->abi.refs.entries. */
struct rt_ref {
    enum rt_ref_kind kind;
    u32 func; /* FUNC: index in owner's function space */
    union {
        struct rt_instance *owner; /* FUNC */
        void *value;               /* EXTERN */
        struct rt_exception *exception; /* EXN */
        u32 next_free;             /* FREE */
    };
};

struct rt_store {
    struct abi_store abi;
    struct rt_engine *engine;
    struct rt_limits limits;
    void *slots[RT_SLOT_COUNT];
    bool may_wait;
    u8 *stack; /* the reservation: guard, then stack_bytes */
    size_t stack_bytes;
    struct list instances, memories, tables;
    u64 memory_used, elements_used; /* of what the limits allow, by all of them */
    struct rt_cell **cells; /* that the embedder brought */
    u32 cell_count, cell_capacity;
    struct rt_ref *refs;
    u32 ref_count, ref_capacity, free_ref;
    struct list exceptions;
    u64 exception_bytes;
    u32 exception_count, collect_at;
    u32 raised, uncaught; /* handles: on its way; of the last call that ended so */
    u32 thrown;           /* since the last collection */
    u32 frames_noted;     /* of a trap that is on its way out (backtrace.c) */
    u32 frame_count;      /* of the last call that ended in one */
    struct rt_place places[RT_PLACES];
    u64 callee;           /* of a call_indirect that trapped: its code */
    bool exn_roots;       /* some table or global may hold a reference to an exception */
};

/* What distinguishes exceptions: its address. */
struct rt_tag {
    struct rt_engine *engine;
    u32 holders; /* instances, definitions, exceptions */
    u32 type_id, count;
    wasm_type params[]; /* as rt_type_of gives them */
};

struct rt_exception {
    struct list link; /* store->exceptions */
    struct rt_tag *tag;
    u32 handle;
    bool escaped; /* somebody had a reference to it */
    bool marked;  /* of a collection; then also next */
    struct rt_exception *next;
    union abi_value payload[];
};

struct rt_segment {
    u32 *handles; /* of an element segment; NULL once dropped */
    u32 count;    /* 0 once dropped */
};

/* Where an imported function really is. */
struct rt_import_func {
    struct rt_instance *owner; /* NULL: a host function */
    u32 func;                  /* in owner's index space, defined there */
    const struct rt_def *host;
};

struct rt_instance {
    struct list link;     /* store->instances */
    struct rt_store *store;
    struct rt_module *module;
    struct arena arena; /* this struct and all that follows */
    struct abi_ctx *ctx;
    struct abi_layout layout;
    struct rt_import_func *imports;
    struct rt_memory **memories;
    struct rt_memory_user *users; /* one for each of memories */
    struct rt_table **tables;
    struct rt_tag **tags;
    struct rt_cell **cells; /* per global; NULL: its value is in the context */
    struct rt_segment *elems;
    u32 *data_left; /* bytes of each data segment; 0 once dropped */
    u32 *handles;   /* per function: its handle once it was asked for */
    bool shared;    /* I4 */
    bool freed;     /* by the embedder; waits for its store */
};

/* engine.c */
void *rt_alloc(struct rt_engine *e, size_t n); /* zeroed */
void rt_free(struct rt_engine *e, void *p, size_t n);
void rt_lock(struct rt_engine *e);
void rt_unlock(struct rt_engine *e);
/* Indices in the types are those of rt_types, or RT_TYPE_SELF. */
enum { RT_TYPE_SELF = 0, RT_TYPE_LAST = UINT32_MAX >> WASM_TYPE_INDEX_SHIFT };
struct rt_type *rt_type_hold(struct rt_engine *e, const wasm_type *params, u32 np,
                             const wasm_type *results, u32 nr);
void rt_type_drop(struct rt_engine *e, struct rt_type *t);
enum err rt_code_add(struct rt_engine *e, struct rt_module *m);
void rt_code_remove(struct rt_engine *e, struct rt_module *m);
const struct jit_func *rt_func_at(const struct jit_code *c, u32 at);
struct bytes rt_func_name(const struct rt_module *m, u32 func);
/* Where code was: at pc, or about to return to what sp points at. */
void rt_note_pc(struct rt_store *s, const struct rt_module *m, u64 pc, u64 sp);
void rt_note_return(struct rt_store *s, u64 sp);
void rt_show_frames(struct rt_store *s);
struct rt_module *rt_code_find(const struct rt_engine *e, uptr pc);
enum err rt_fail(struct rt_error *error, enum err code, size_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void rt_holder(struct rt_engine *e, int change);

/* cache.c. find, read: true: *c is in result, proven. keep: offers it to the cache. */
void rt_cache_key(const struct rt_engine *e, struct bytes module, u8 key[RT_KEY_BYTES]);
bool rt_cache_find(const struct rt_cache *cache, struct arena *result, struct arena *scratch, const struct wasm_module *w,
                   const struct jit_options *o, const u8 *key, struct jit_code *c);
bool rt_cache_read(struct arena *result, struct arena *scratch, const struct wasm_module *w, const struct jit_options *o,
                   const u8 *key, struct bytes blob, struct jit_code *c);
void rt_cache_keep(const struct rt_cache *cache, struct arena *scratch, const struct wasm_module *w, const struct jit_code *c,
                   const u8 *key);

/* memory.c, table.c: *_new returns one count; NULL and ERR_NOMEM or ERR_LIMIT. */
enum err rt_memory_new(struct rt_store *s, const struct wasm_memory *type, struct rt_memory **out);
void rt_memory_hold(struct rt_memory *m);
void rt_memory_drop(struct rt_memory *m);
void rt_memory_disown(struct rt_store *s, struct rt_memory *m); /* drop by who called rt_memory_new */
void rt_memory_use(struct rt_memory *m, struct rt_memory_user *u, struct abi_memory *shown);
void rt_memory_unuse(struct rt_memory *m, struct rt_memory_user *u);
u64 rt_memory_bytes(const struct rt_memory *m);
bool rt_memory_window(const struct rt_memory *m, u64 address); /* may an access there be a trap? */
u64 rt_memory_grow(struct rt_store *s, struct rt_memory *m, u64 delta); /* old pages or -1 */
enum err rt_table_new(struct rt_store *s, const struct wasm_table *type, u32 handle, struct rt_table **out);
void rt_table_drop(struct rt_table *t);
bool rt_table_put(struct rt_table *t, u64 index, u32 handle); /* false: not a handle for it */
u64 rt_table_enlarge(struct rt_table *t, u64 delta, u32 handle); /* old length or -1 */
extern const struct abi_func rt_null_pair; /* code with type id 0 before it */

/* pool.c */
u8 *rt_pool_take(struct rt_engine *e, u64 bytes); /* NULL: none so large */
bool rt_pool_give(struct rt_engine *e, u8 *window, u64 bytes);
bool rt_pool_flush(struct rt_engine *e); /* was there anything? */

/* store.c */
u64 rt_stack_top(const struct rt_store *s); /* where calls begin: a struct rt_place lies there */
void rt_stack_arm(struct rt_store *s);
u32 rt_ref_new(struct rt_store *s, const struct rt_ref *r, const struct abi_func *pair); /* 0: no memory */
struct abi_func rt_ref_pair(struct rt_store *s, u32 handle); /* the null pair, if no function's */
void rt_ref_free(struct rt_store *s, u32 handle);
const struct rt_ref *rt_ref_at(struct rt_store *s, u32 handle); /* NULL: null or none */
/* type: as rt_type_of gives it. */
bool rt_handle_fits(struct rt_store *s, wasm_type type, u32 handle);
/* A type of m with an index that means the same everywhere: that of its rt_type. */
wasm_type rt_type_of(const struct rt_module *m, wasm_type t);
enum err rt_cell_new(struct rt_store *s, union abi_value v, struct rt_cell **out);
void rt_cell_drop(struct rt_cell *c);
enum err rt_store_keep_cell(struct rt_store *s, struct rt_cell *c);

/* throw.c, unwind.c */
enum err rt_tag_new(struct rt_store *s, u32 type_id, const wasm_type *params, u32 count, struct rt_tag **out);
void rt_tag_drop(struct rt_tag *t);
void rt_exceptions_free(struct rt_store *s);
void rt_exceptions_leave(struct rt_store *s); /* the outermost call has returned */
void rt_exception_caught(struct rt_store *s, u32 handle, bool all, bool ref);
struct rt_tag *rt_exception_tag(struct rt_store *s, u32 handle); /* NULL: no exception */
u64 rt_builtin_throw(struct abi_ctx *ctx, u32 tag);
u64 rt_unwind(struct abi_ctx *ctx, u64 sp);

/* linker.c */
const struct rt_def *rt_find_def(const struct rt_linker *l, struct bytes module, struct bytes name);
struct rt_instance *rt_find_named(const struct rt_linker *l, struct bytes module);

/* describe.c: texts for messages; the result is out. */
const char *rt_name_text(char *out, size_t cap, struct bytes name);
const char *rt_sig_text(char *out, size_t cap, const wasm_type *params, u32 np, const wasm_type *results, u32 nr);
const char *rt_global_text(char *out, size_t cap, wasm_type type, bool mutable);
const char *rt_limits_text(char *out, size_t cap, const char *what, u64 min, const struct wasm_limits *l,
                           wasm_type element);

/* instance.c */
u32 rt_func_handle(struct rt_instance *i, u32 func); /* 0: no memory */
union abi_value *rt_global_at(struct rt_instance *i, u32 global);
void rt_instance_destroy(struct rt_instance *i);
void rt_resolve_func(struct rt_instance *i, u32 func, struct rt_callable *out);

/* link.c: fills in imports, memories, tables, cells (each held) of a fresh
 * instance; what it filled in before it failed the instance gives back. given:
 * one for each import, instead of the linker; or NULL. */
enum err rt_link(struct rt_instance *i, const struct rt_linker *l, const struct rt_given *given, struct rt_error *error);

/* init.c: constant expressions, segments. */
enum err rt_eval(struct rt_instance *i, const struct wasm_init *init, union abi_value *out);
enum err rt_init_globals(struct rt_instance *i);
enum err rt_init_segments(struct rt_instance *i);
enum abi_trap rt_run_segments(struct rt_instance *i);

/* builtin.c, bulk.c */
extern const void *const rt_builtins[ABI_BUILTIN_COUNT];
/* Bulk operations: bounds-checked, chunked. */
enum abi_trap rt_do_memory_fill(struct rt_store *store, struct rt_memory *m, u64 at, u8 byte, u64 n);
enum abi_trap rt_do_memory_copy(struct rt_store *store, struct rt_memory *d, u64 to, struct rt_memory *s, u64 from, u64 n);
enum abi_trap rt_do_table_fill(struct rt_table *t, u64 at, u32 handle, u64 n);
enum abi_trap rt_do_table_copy(struct rt_table *d, u64 to, struct rt_table *s, u64 from, u64 n);
enum abi_trap rt_do_memory_init(struct rt_instance *i, u32 mem, u32 segment, u64 to, u32 from, u32 n);
enum abi_trap rt_do_table_init(struct rt_instance *i, u32 table, u32 segment, u64 to, u32 from, u32 n);

/* atomic.c */
u64 rt_atomic_notify(struct abi_ctx *ctx, u32 mem, u64 index, u64 offset, u32 count);
u64 rt_atomic_wait(struct abi_ctx *ctx, u32 mem, u64 index, u64 offset, u64 expected, i64 ns, u32 width);

/* round.c */
u32 rt_round_f32(u32 bits, u32 mode);
u64 rt_round_f64(u64 bits, u32 mode);

/* Operands of 32-bit memories and tables are i32, whose upper halves may be
 * dirty in registers (abi.h). */
static inline u64 rt_cut(const struct wasm_limits *l, u64 v) { return l->is64 ? v : (u32)v; }
/* NULL: there is none (builtin.c, I1). */
static inline struct rt_memory *rt_memory_at(const struct abi_ctx *ctx, u32 mem) {
    const struct rt_instance *i = ctx->instance;
    return mem < i->module->info.memory_count ? i->memories[mem] : NULL;
}
/* Of machine code: at any address. */
static inline u32 rt_word_at(const u8 *p) {
    u32 v;
    __builtin_memcpy(&v, p, 4);
    return v;
}
static inline bool rt_inside(u64 at, u64 n, u64 size) { return at <= size && n <= size - at; }
static inline bool rt_is_ref(wasm_type t) { return wasm_is_ref(t); }
static inline bool rt_is_exn_ref(wasm_type t) { return (t & WASM_TYPE_CODE) == WASM_EXNREF; }
static inline bool rt_is_func_ref(wasm_type t) { return (t & WASM_TYPE_CODE) == WASM_FUNCREF; }

#endif

/* internal.h: the objects behind wasm.h and whelk/engine.h.
 *
 * I1 every reference is a struct wasm_ref_t, first in its own type; copies are
 *    counts. An object of a store counts that store's memory, not its life.
 * I2 functions are handles of the store; tables, memories, globals and tags are
 *    exports, by name, of an instance (of their own, if the embedder made them).
 * I3 instances, and what went into one (as an import, as a reference), stay until the
 *    store is deleted: references to them may be anywhere. After that store->rt is
 *    NULL, and objects left over answer nothing.
 * I4 what the embedder made, and no instance has had, goes with its last holder. */
#ifndef WHELK_CAPI_INTERNAL_H
#define WHELK_CAPI_INTERNAL_H

/* The codes of the binary format have the names of wasm.h's kinds. */
#define WASM_I32 CODE_I32
#define WASM_I64 CODE_I64
#define WASM_F32 CODE_F32
#define WASM_F64 CODE_F64
#define WASM_FUNCREF CODE_FUNCREF
#define WASM_EXTERNREF CODE_EXTERNREF
#include "rt/rt.h"
#undef WASM_I32
#undef WASM_I64
#undef WASM_F32
#undef WASM_F64
#undef WASM_FUNCREF
#undef WASM_EXTERNREF

#include <pthread.h>

#include "cli/host_rt.h"
#include "include/whelk/engine.h"
#include "wasi/wasi.h"

/* Of a value that wasm.h has no kind for (v128, exnref): no such value passes. */
enum { KIND_NONE = 255 };

/* Parameters and results of a host function, together: what rt_define_func can say. */
enum { CAPI_VALUES = 64 };

/* Types. One struct for the five kinds: conversions are casts. */
struct wasm_externtype_t {
    wasm_externkind_t kind;
    wasm_valtype_vec_t params, results; /* FUNC */
    wasm_valtype_t *value;              /* GLOBAL, TABLE */
    wasm_mutability_t mutability;       /* GLOBAL */
    wasm_limits_t limits;               /* TABLE, MEMORY */
    wasm_functype_t *payload;           /* TAG */
};
struct wasm_valtype_t {
    wasm_valkind_t kind;
};

enum ref_kind { REF_FUNC, REF_GLOBAL, REF_TABLE, REF_MEMORY, REF_TAG, REF_TRAP, REF_FOREIGN, REF_MODULE, REF_INSTANCE };
static_assert((int)REF_FUNC == WASM_EXTERN_FUNC && (int)REF_GLOBAL == WASM_EXTERN_GLOBAL &&
                  (int)REF_TABLE == WASM_EXTERN_TABLE && (int)REF_MEMORY == WASM_EXTERN_MEMORY &&
                  (int)REF_TAG == WASM_EXTERN_TAG, "wasm_extern_kind");

struct wasm_ref_t {
    enum ref_kind kind;
    u32 holders; /* atomic: modules are shared */
    struct wasm_store_t *store;
    void *info;
    void (*finalizer)(void *);
    struct host_func *made; /* FUNC: I4; NULL: a module's, or one may have it */
    bool own;     /* GLOBAL, TABLE, MEMORY: owner is for it alone */
    u32 handle;   /* FUNC: itself */
    struct rt_callable callable; /* FUNC: resolved; valid while the store is there (I3) */
    u32 external; /* as an externref; 0 until it was one, and then retained by the store */
    struct wasm_ref_t *next_retained;
    struct rt_instance *owner; /* GLOBAL, TABLE, MEMORY, TAG, INSTANCE */
    struct bytes name;         /* GLOBAL, TABLE, MEMORY, TAG: of the export; in owner's module */
    struct wasm_externtype_t *type; /* of externs */
    struct rt_module *module;  /* MODULE: one hold */
    wasm_byte_vec_t message;   /* TRAP */
    struct wasm_frame_t *frames; /* TRAP: the innermost first */
    u32 frame_count;
};
#define REF_STRUCT(name) struct wasm_##name##_t { struct wasm_ref_t ref; }
REF_STRUCT(func);
REF_STRUCT(global);
REF_STRUCT(table);
REF_STRUCT(memory);
REF_STRUCT(extern);
REF_STRUCT(trap);
REF_STRUCT(foreign);
REF_STRUCT(module);
REF_STRUCT(shared_module);
REF_STRUCT(instance);

/* A function of the embedder, in a slot of the pool (enter.c). */
struct host_func {
    struct host_func *next, **link; /* of the store; what points here */
    wasm_store_t *store;
    struct wasm_externtype_t *type;
    wasm_func_callback_t plain; /* or: */
    wasm_func_callback_with_env_t with_env;
    void *env;
    void (*finalizer)(void *);
    struct rt_linker *linker;
    struct rt_instance *instance; /* make.c's */
    u32 slot;
};

/* Where it was is not kept: frames tell functions. */
struct wasm_frame_t {
    u32 func;  /* index in its module */
    size_t at; /* of its code, in the module's binary */
};

struct wasm_config_t {
    struct rt_limits limits;
};
struct wasm_engine_t {
    struct rt_limits limits;
};

struct wasm_store_t {
    struct rt_store *rt; /* NULL: deleted */
    struct rt_engine *engine;
    struct rt_limits limits;
    u32 holders; /* atomic: the embedder, objects */
    struct wasm_ref_t *retained;
    struct host_func *funcs;
    wasm_trap_t *raised; /* by a callback, on its way to who called */
    wasm_trap_t *spare;  /* of no store: for calls that end when there is no memory for another */
    char error[200];
    /* whelk/engine.h */
    u64 budget;
    u32 depth; /* of calls from outside */
    struct wasi *wasi;
    struct rt_linker *wasi_linker;
    pthread_mutex_t mutex; /* around: */
    bool watched;
    struct host_deadline watch;
};

/* types.c */
struct wasm_externtype_t *capi_type_copy(const struct wasm_externtype_t *t);
void capi_type_free(struct wasm_externtype_t *t);
struct wasm_externtype_t *capi_functype(const struct wasm_functype *t);
wasm_module_t *capi_module_load(wasm_store_t *s, struct bytes binary, const struct rt_cache *cache); /* NULL: refused */
struct wasm_externtype_t *capi_type_of(const struct wasm_module *w, enum wasm_kind kind, u32 index); /* NULL: no memory */
wasm_type capi_code_of(wasm_valkind_t kind); /* 0: none */
wasm_valkind_t capi_kind_of(wasm_type t);

/* ref.c */
extern const enum wasm_kind capi_kinds[]; /* by ref_kind, of externs */
struct wasm_ref_t *capi_ref_new(wasm_store_t *s, enum ref_kind kind); /* NULL: no memory */
struct wasm_ref_t *capi_ref_hold(const struct wasm_ref_t *r);
void capi_ref_drop(struct wasm_ref_t *r);
/* Values between the two worlds. to: false: wrong kind, or not this store's. */
bool capi_to_abi(wasm_store_t *s, wasm_valkind_t kind, const wasm_val_t *v, union abi_value *out);
void capi_from_abi(wasm_store_t *s, wasm_valkind_t kind, const union abi_value *v, wasm_val_t *out);
bool capi_handle_of(wasm_store_t *s, wasm_valkind_t kind, struct wasm_ref_t *r, u32 *out);
struct wasm_ref_t *capi_ref_of(wasm_store_t *s, wasm_valkind_t kind, u32 handle);

/* store.c */
void capi_store_drop(wasm_store_t *s);

/* trap.c */
wasm_trap_t *capi_spare_trap(void); /* NULL: no memory */
wasm_trap_t *capi_trap_text(wasm_store_t *s, const char *text);
/* What a call or an instantiation ended with. */
wasm_trap_t *capi_trap_of(wasm_store_t *s, enum abi_trap t);

/* func.c, enter.c */
wasm_func_t *capi_func_of(wasm_store_t *s, u32 handle); /* NULL: no function's */
void capi_host_free(struct host_func *h);
void capi_host_gone(struct host_func *h); /* its last holder has let go: I4 */
/* The C function that calls h, by taking a slot; NULL: all are in use. */
const void *capi_slot_take(struct host_func *h);
void capi_slot_give(struct host_func *h);
u64 capi_host_call(struct host_func *h, struct abi_ctx *caller, const union abi_value *args, u64 *more);

/* make.c: a module of one export "", out of its type; a function is what the
 * linker has under (module, name). */
struct capi_import {
    struct rt_linker *linker;
    struct bytes module, name;
};
struct rt_instance *capi_make(wasm_store_t *s, const struct wasm_externtype_t *t, const union abi_value *init,
                              const struct capi_import *import);
void capi_make_trim(void); /* lets go of the modules that it keeps */

/* engine.c: around each call from outside. false: there is no timer to be had. */
bool capi_enter_call(wasm_store_t *s);
void capi_leave_call(wasm_store_t *s);

#endif

/* wasm.h: the C interface to WebAssembly engines, as Whelk offers it: names,
 * signatures and ownership are those that engines have in common, so a program
 * written for another one compiles against this.
 *
 * I1 own: whoever holds the pointer deletes it, or hands it on where a parameter
 *    is own. Everything else is borrowed for the call; what a type or a vector
 *    answers with lives as long as it does.
 * I2 a vector owns its data; deleting it deletes what the data points to. One that was
 *    handed on is left empty.
 * I3 NULL, false or an empty vector is the answer where something cannot be had.
 *    Nothing that a module does ends the process.
 * I4 a store and all that was made with it is used by one thread at a time; its
 *    instances live until it is deleted. Engines and shared modules belong to all. */
#ifndef WHELK_WASM_H
#define WHELK_WASM_H

#ifndef assert
#include <assert.h> /* programs expect it of this header; with one of their own they keep that */
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef WASM_API_EXTERN
#define WASM_API_EXTERN
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef char byte_t;
typedef float float32_t;
typedef double float64_t;
typedef byte_t wasm_byte_t;

#define own

/* Families of declarations. */

#define WASM_DECLARE_OWN(name)                    \
    typedef struct wasm_##name##_t wasm_##name##_t; \
    WASM_API_EXTERN void wasm_##name##_delete(own wasm_##name##_t *);

/* new takes over the elements, copy makes new ones; data of
 * new_uninitialized is the caller's to fill in. */
#define WASM_DECLARE_VEC(name, ptr_or_none)                                                               \
    typedef struct wasm_##name##_vec_t {                                                                  \
        size_t size;                                                                                      \
        wasm_##name##_t ptr_or_none *data;                                                                \
    } wasm_##name##_vec_t;                                                                                \
    WASM_API_EXTERN void wasm_##name##_vec_new_empty(own wasm_##name##_vec_t *out);                       \
    WASM_API_EXTERN void wasm_##name##_vec_new_uninitialized(own wasm_##name##_vec_t *out, size_t);       \
    WASM_API_EXTERN void wasm_##name##_vec_new(own wasm_##name##_vec_t *out, size_t,                      \
                                               own wasm_##name##_t ptr_or_none const[]);                  \
    WASM_API_EXTERN void wasm_##name##_vec_copy(own wasm_##name##_vec_t *out, const wasm_##name##_vec_t *); \
    WASM_API_EXTERN void wasm_##name##_vec_delete(own wasm_##name##_vec_t *);

#define WASM_DECLARE_TYPE(name) \
    WASM_DECLARE_OWN(name)      \
    WASM_DECLARE_VEC(name, *)   \
    WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *);

#define WASM_DECLARE_REF_BASE(name)                                                               \
    WASM_DECLARE_OWN(name)                                                                        \
    WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *);             \
    WASM_API_EXTERN bool wasm_##name##_same(const wasm_##name##_t *, const wasm_##name##_t *);    \
    WASM_API_EXTERN void *wasm_##name##_get_host_info(const wasm_##name##_t *);                   \
    WASM_API_EXTERN void wasm_##name##_set_host_info(wasm_##name##_t *, void *);                  \
    WASM_API_EXTERN void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t *, void *, void (*)(void *));

#define WASM_DECLARE_REF(name)                                                              \
    WASM_DECLARE_REF_BASE(name)                                                             \
    WASM_API_EXTERN wasm_ref_t *wasm_##name##_as_ref(wasm_##name##_t *);                    \
    WASM_API_EXTERN wasm_##name##_t *wasm_ref_as_##name(wasm_ref_t *);                      \
    WASM_API_EXTERN const wasm_ref_t *wasm_##name##_as_ref_const(const wasm_##name##_t *);  \
    WASM_API_EXTERN const wasm_##name##_t *wasm_ref_as_##name##_const(const wasm_ref_t *);

#define WASM_DECLARE_SHARABLE_REF(name)                                                     \
    WASM_DECLARE_REF(name)                                                                  \
    WASM_DECLARE_OWN(shared_##name)                                                         \
    WASM_API_EXTERN own wasm_shared_##name##_t *wasm_##name##_share(const wasm_##name##_t *); \
    WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_obtain(wasm_store_t *, const wasm_shared_##name##_t *);

/* Bytes and names. */

WASM_DECLARE_VEC(byte, )

typedef wasm_byte_vec_t wasm_name_t;
#define wasm_name wasm_byte_vec
#define wasm_name_new wasm_byte_vec_new
#define wasm_name_new_empty wasm_byte_vec_new_empty
#define wasm_name_new_uninitialized wasm_byte_vec_new_uninitialized
#define wasm_name_new_new_uninitialized wasm_byte_vec_new_uninitialized /* its older name */
#define wasm_name_copy wasm_byte_vec_copy
#define wasm_name_delete wasm_byte_vec_delete

static inline void wasm_name_new_from_string(own wasm_name_t *out, const char *s) { wasm_name_new(out, strlen(s), s); }
/* The same with the terminating zero in it. */
static inline void wasm_name_new_from_string_nt(own wasm_name_t *out, const char *s) {
    wasm_name_new(out, strlen(s) + 1, s);
}

/* Where things live. One machine underneath serves all engines of a process. */

WASM_DECLARE_OWN(config)
WASM_API_EXTERN own wasm_config_t *wasm_config_new(void);

WASM_DECLARE_OWN(engine)
WASM_API_EXTERN own wasm_engine_t *wasm_engine_new(void);
WASM_API_EXTERN own wasm_engine_t *wasm_engine_new_with_config(own wasm_config_t *);

WASM_DECLARE_OWN(store)
WASM_API_EXTERN own wasm_store_t *wasm_store_new(wasm_engine_t *);

/* Types. */

typedef uint8_t wasm_mutability_t;
enum wasm_mutability_enum { WASM_CONST, WASM_VAR };

typedef struct wasm_limits_t {
    uint32_t min;
    uint32_t max;
} wasm_limits_t;
static const uint32_t wasm_limits_max_default = 0xffffffff;

WASM_DECLARE_TYPE(valtype)
typedef uint8_t wasm_valkind_t;
enum wasm_valkind_enum { WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_EXTERNREF = 128, WASM_FUNCREF };
#define WASM_ANYREF WASM_EXTERNREF /* its older name */
WASM_API_EXTERN own wasm_valtype_t *wasm_valtype_new(wasm_valkind_t);
WASM_API_EXTERN wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t *);

static inline bool wasm_valkind_is_num(wasm_valkind_t k) { return k < WASM_EXTERNREF; }
static inline bool wasm_valkind_is_ref(wasm_valkind_t k) { return k >= WASM_EXTERNREF; }
static inline bool wasm_valtype_is_num(const wasm_valtype_t *t) { return wasm_valkind_is_num(wasm_valtype_kind(t)); }
static inline bool wasm_valtype_is_ref(const wasm_valtype_t *t) { return wasm_valkind_is_ref(wasm_valtype_kind(t)); }

WASM_DECLARE_TYPE(functype)
WASM_API_EXTERN own wasm_functype_t *wasm_functype_new(own wasm_valtype_vec_t *params, own wasm_valtype_vec_t *results);
WASM_API_EXTERN const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *);
WASM_API_EXTERN const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *);

WASM_DECLARE_TYPE(globaltype)
WASM_API_EXTERN own wasm_globaltype_t *wasm_globaltype_new(own wasm_valtype_t *, wasm_mutability_t);
WASM_API_EXTERN const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *);
WASM_API_EXTERN wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t *);

WASM_DECLARE_TYPE(tabletype)
WASM_API_EXTERN own wasm_tabletype_t *wasm_tabletype_new(own wasm_valtype_t *, const wasm_limits_t *);
WASM_API_EXTERN const wasm_valtype_t *wasm_tabletype_element(const wasm_tabletype_t *);
WASM_API_EXTERN const wasm_limits_t *wasm_tabletype_limits(const wasm_tabletype_t *);

WASM_DECLARE_TYPE(memorytype)
WASM_API_EXTERN own wasm_memorytype_t *wasm_memorytype_new(const wasm_limits_t *);
WASM_API_EXTERN const wasm_limits_t *wasm_memorytype_limits(const wasm_memorytype_t *);

/* Of exceptions: their values are the function type's parameters. There are no objects
 * of them: a tag is exported and imported as a wasm_extern_t. */
WASM_DECLARE_TYPE(tagtype)
WASM_API_EXTERN own wasm_tagtype_t *wasm_tagtype_new(own wasm_functype_t *);
WASM_API_EXTERN const wasm_functype_t *wasm_tagtype_functype(const wasm_tagtype_t *);

WASM_DECLARE_TYPE(externtype)
typedef uint8_t wasm_externkind_t;
enum wasm_externkind_enum { WASM_EXTERN_FUNC, WASM_EXTERN_GLOBAL, WASM_EXTERN_TABLE, WASM_EXTERN_MEMORY, WASM_EXTERN_TAG };
WASM_API_EXTERN wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t *);

/* Conversions do not change who owns; to another kind than it has: NULL. */
#define WASM_DECLARE_EXTERNTYPE(name)                                                                      \
    WASM_API_EXTERN wasm_externtype_t *wasm_##name##_as_externtype(wasm_##name##_t *);                     \
    WASM_API_EXTERN wasm_##name##_t *wasm_externtype_as_##name(wasm_externtype_t *);                       \
    WASM_API_EXTERN const wasm_externtype_t *wasm_##name##_as_externtype_const(const wasm_##name##_t *);   \
    WASM_API_EXTERN const wasm_##name##_t *wasm_externtype_as_##name##_const(const wasm_externtype_t *);
WASM_DECLARE_EXTERNTYPE(functype)
WASM_DECLARE_EXTERNTYPE(globaltype)
WASM_DECLARE_EXTERNTYPE(tabletype)
WASM_DECLARE_EXTERNTYPE(memorytype)
WASM_DECLARE_EXTERNTYPE(tagtype)

WASM_DECLARE_TYPE(importtype)
WASM_API_EXTERN own wasm_importtype_t *wasm_importtype_new(own wasm_name_t *module, own wasm_name_t *name,
                                                           own wasm_externtype_t *);
WASM_API_EXTERN const wasm_name_t *wasm_importtype_module(const wasm_importtype_t *);
WASM_API_EXTERN const wasm_name_t *wasm_importtype_name(const wasm_importtype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_importtype_type(const wasm_importtype_t *);

WASM_DECLARE_TYPE(exporttype)
WASM_API_EXTERN own wasm_exporttype_t *wasm_exporttype_new(own wasm_name_t *, own wasm_externtype_t *);
WASM_API_EXTERN const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *);

/* Values. */

typedef struct wasm_val_t {
    wasm_valkind_t kind;
    union {
        int32_t i32;
        int64_t i64;
        float32_t f32;
        float64_t f64;
        struct wasm_ref_t *ref; /* own; NULL: null */
    } of;
} wasm_val_t;
WASM_API_EXTERN void wasm_val_delete(own wasm_val_t *v);
WASM_API_EXTERN void wasm_val_copy(own wasm_val_t *out, const wasm_val_t *);
WASM_DECLARE_VEC(val, )

/* References: counted handles. Copies are the same object, host info included. */

WASM_DECLARE_REF_BASE(ref)

WASM_DECLARE_OWN(frame)
WASM_DECLARE_VEC(frame, *)
WASM_API_EXTERN own wasm_frame_t *wasm_frame_copy(const wasm_frame_t *);
WASM_API_EXTERN struct wasm_instance_t *wasm_frame_instance(const wasm_frame_t *);
WASM_API_EXTERN uint32_t wasm_frame_func_index(const wasm_frame_t *);
WASM_API_EXTERN size_t wasm_frame_func_offset(const wasm_frame_t *);
WASM_API_EXTERN size_t wasm_frame_module_offset(const wasm_frame_t *);

typedef wasm_name_t wasm_message_t; /* of a trap always ends in a zero byte, which is counted */

/* Frames tell functions, the innermost 16: offsets are those of a function's code, and
 * there is no instance. Of a trap that never was in a module: origin is NULL, trace empty. */
WASM_DECLARE_REF(trap)
WASM_API_EXTERN own wasm_trap_t *wasm_trap_new(wasm_store_t *, const wasm_message_t *);
WASM_API_EXTERN void wasm_trap_message(const wasm_trap_t *, own wasm_message_t *out);
WASM_API_EXTERN own wasm_frame_t *wasm_trap_origin(const wasm_trap_t *);
WASM_API_EXTERN void wasm_trap_trace(const wasm_trap_t *, own wasm_frame_vec_t *out);

WASM_DECLARE_REF(foreign)
WASM_API_EXTERN own wasm_foreign_t *wasm_foreign_new(wasm_store_t *);

WASM_DECLARE_SHARABLE_REF(module)
WASM_API_EXTERN own wasm_module_t *wasm_module_new(wasm_store_t *, const wasm_byte_vec_t *binary);
WASM_API_EXTERN bool wasm_module_validate(wasm_store_t *, const wasm_byte_vec_t *binary);
WASM_API_EXTERN void wasm_module_imports(const wasm_module_t *, own wasm_importtype_vec_t *out);
WASM_API_EXTERN void wasm_module_exports(const wasm_module_t *, own wasm_exporttype_vec_t *out);
/* What is written is the module's bytes and its code, which is proved anew when read. */
WASM_API_EXTERN void wasm_module_serialize(const wasm_module_t *, own wasm_byte_vec_t *out);
WASM_API_EXTERN own wasm_module_t *wasm_module_deserialize(wasm_store_t *, const wasm_byte_vec_t *);

/* A callback fills in results; a trap that it answers with is handed over. Where no
 * function can be had, env stays the caller's: its finalizer does not run. */
WASM_DECLARE_REF(func)
typedef own wasm_trap_t *(*wasm_func_callback_t)(const wasm_val_vec_t *args, own wasm_val_vec_t *results);
typedef own wasm_trap_t *(*wasm_func_callback_with_env_t)(void *env, const wasm_val_vec_t *args,
                                                          wasm_val_vec_t *results);
WASM_API_EXTERN own wasm_func_t *wasm_func_new(wasm_store_t *, const wasm_functype_t *, wasm_func_callback_t);
WASM_API_EXTERN own wasm_func_t *wasm_func_new_with_env(wasm_store_t *, const wasm_functype_t *,
                                                        wasm_func_callback_with_env_t, void *env,
                                                        void (*finalizer)(void *));
WASM_API_EXTERN own wasm_functype_t *wasm_func_type(const wasm_func_t *);
WASM_API_EXTERN size_t wasm_func_param_arity(const wasm_func_t *);
WASM_API_EXTERN size_t wasm_func_result_arity(const wasm_func_t *);
/* NULL: the results are there, as many as there is room for. What cannot be called, for
 * want of memory too, is a trap. */
WASM_API_EXTERN own wasm_trap_t *wasm_func_call(const wasm_func_t *, const wasm_val_vec_t *args,
                                                wasm_val_vec_t *results);

WASM_DECLARE_REF(global)
WASM_API_EXTERN own wasm_global_t *wasm_global_new(wasm_store_t *, const wasm_globaltype_t *, const wasm_val_t *);
WASM_API_EXTERN own wasm_globaltype_t *wasm_global_type(const wasm_global_t *);
WASM_API_EXTERN void wasm_global_get(const wasm_global_t *, own wasm_val_t *out);
WASM_API_EXTERN void wasm_global_set(wasm_global_t *, const wasm_val_t *);

WASM_DECLARE_REF(table)
typedef uint32_t wasm_table_size_t;
WASM_API_EXTERN own wasm_table_t *wasm_table_new(wasm_store_t *, const wasm_tabletype_t *, wasm_ref_t *init);
WASM_API_EXTERN own wasm_tabletype_t *wasm_table_type(const wasm_table_t *);
WASM_API_EXTERN own wasm_ref_t *wasm_table_get(const wasm_table_t *, wasm_table_size_t index);
WASM_API_EXTERN bool wasm_table_set(wasm_table_t *, wasm_table_size_t index, wasm_ref_t *);
WASM_API_EXTERN wasm_table_size_t wasm_table_size(const wasm_table_t *);
WASM_API_EXTERN bool wasm_table_grow(wasm_table_t *, wasm_table_size_t delta, wasm_ref_t *init);

/* data stays where it is when the memory grows. */
WASM_DECLARE_REF(memory)
typedef uint32_t wasm_memory_pages_t;
static const size_t MEMORY_PAGE_SIZE = 0x10000;
WASM_API_EXTERN own wasm_memory_t *wasm_memory_new(wasm_store_t *, const wasm_memorytype_t *);
WASM_API_EXTERN own wasm_memorytype_t *wasm_memory_type(const wasm_memory_t *);
WASM_API_EXTERN byte_t *wasm_memory_data(wasm_memory_t *);
WASM_API_EXTERN size_t wasm_memory_data_size(const wasm_memory_t *);
WASM_API_EXTERN wasm_memory_pages_t wasm_memory_size(const wasm_memory_t *);
WASM_API_EXTERN bool wasm_memory_grow(wasm_memory_t *, wasm_memory_pages_t delta);

WASM_DECLARE_REF(extern)
WASM_DECLARE_VEC(extern, *)
WASM_API_EXTERN wasm_externkind_t wasm_extern_kind(const wasm_extern_t *);
WASM_API_EXTERN own wasm_externtype_t *wasm_extern_type(const wasm_extern_t *);

#define WASM_DECLARE_EXTERN(name)                                                               \
    WASM_API_EXTERN wasm_extern_t *wasm_##name##_as_extern(wasm_##name##_t *);                  \
    WASM_API_EXTERN wasm_##name##_t *wasm_extern_as_##name(wasm_extern_t *);                    \
    WASM_API_EXTERN const wasm_extern_t *wasm_##name##_as_extern_const(const wasm_##name##_t *); \
    WASM_API_EXTERN const wasm_##name##_t *wasm_extern_as_##name##_const(const wasm_extern_t *);
WASM_DECLARE_EXTERN(func)
WASM_DECLARE_EXTERN(global)
WASM_DECLARE_EXTERN(table)
WASM_DECLARE_EXTERN(memory)

/* imports: in the module's order. NULL and *trap (if it is asked for) when initialising
 * trapped or the imports do not fit: its message says so. */
WASM_DECLARE_REF(instance)
WASM_API_EXTERN own wasm_instance_t *wasm_instance_new(wasm_store_t *, const wasm_module_t *,
                                                       const wasm_extern_vec_t *imports, own wasm_trap_t **trap);
WASM_API_EXTERN void wasm_instance_exports(const wasm_instance_t *, own wasm_extern_vec_t *out);

/* Short forms. */

static inline own wasm_valtype_t *wasm_valtype_new_i32(void) { return wasm_valtype_new(WASM_I32); }
static inline own wasm_valtype_t *wasm_valtype_new_i64(void) { return wasm_valtype_new(WASM_I64); }
static inline own wasm_valtype_t *wasm_valtype_new_f32(void) { return wasm_valtype_new(WASM_F32); }
static inline own wasm_valtype_t *wasm_valtype_new_f64(void) { return wasm_valtype_new(WASM_F64); }
static inline own wasm_valtype_t *wasm_valtype_new_externref(void) { return wasm_valtype_new(WASM_EXTERNREF); }
#define wasm_valtype_new_anyref wasm_valtype_new_externref
static inline own wasm_valtype_t *wasm_valtype_new_funcref(void) { return wasm_valtype_new(WASM_FUNCREF); }

static inline own wasm_functype_t *wasm_functype_of_arrays(size_t np, own wasm_valtype_t *const p[], size_t nr,
                                                           own wasm_valtype_t *const r[]) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_vec_new(&params, np, p);
    wasm_valtype_vec_new(&results, nr, r);
    if (params.size == np && results.size == nr) return wasm_functype_new(&params, &results);
    wasm_valtype_vec_delete(&params); /* no memory */
    wasm_valtype_vec_delete(&results);
    return NULL;
}

/* wasm_functype_new_P_R(P parameters, R results), up to three of the first and
 * two of the second. */
#define WASM_NONE_(T) void
#define WASM_T wasm_valtype_t *
#define WASM_FUNCTYPE_NEW(np, nr, formals, params, results)                     \
    static inline own wasm_functype_t *wasm_functype_new_##np##_##nr formals {  \
        wasm_valtype_t *p[] = params;                                           \
        wasm_valtype_t *r[] = results;                                          \
        return wasm_functype_of_arrays(np, p, nr, r);                           \
    }
#define WASM_L0 {NULL}
#define WASM_L1(a) {a}
#define WASM_L2(a, b) {a, b}
#define WASM_L3(a, b, c) {a, b, c}
WASM_FUNCTYPE_NEW(0, 0, (void), WASM_L0, WASM_L0)
WASM_FUNCTYPE_NEW(1, 0, (WASM_T a), WASM_L1(a), WASM_L0)
WASM_FUNCTYPE_NEW(2, 0, (WASM_T a, WASM_T b), WASM_L2(a, b), WASM_L0)
WASM_FUNCTYPE_NEW(3, 0, (WASM_T a, WASM_T b, WASM_T c), WASM_L3(a, b, c), WASM_L0)
WASM_FUNCTYPE_NEW(0, 1, (WASM_T x), WASM_L0, WASM_L1(x))
WASM_FUNCTYPE_NEW(1, 1, (WASM_T a, WASM_T x), WASM_L1(a), WASM_L1(x))
WASM_FUNCTYPE_NEW(2, 1, (WASM_T a, WASM_T b, WASM_T x), WASM_L2(a, b), WASM_L1(x))
WASM_FUNCTYPE_NEW(3, 1, (WASM_T a, WASM_T b, WASM_T c, WASM_T x), WASM_L3(a, b, c), WASM_L1(x))
WASM_FUNCTYPE_NEW(0, 2, (WASM_T x, WASM_T y), WASM_L0, WASM_L2(x, y))
WASM_FUNCTYPE_NEW(1, 2, (WASM_T a, WASM_T x, WASM_T y), WASM_L1(a), WASM_L2(x, y))
WASM_FUNCTYPE_NEW(2, 2, (WASM_T a, WASM_T b, WASM_T x, WASM_T y), WASM_L2(a, b), WASM_L2(x, y))
WASM_FUNCTYPE_NEW(3, 2, (WASM_T a, WASM_T b, WASM_T c, WASM_T x, WASM_T y), WASM_L3(a, b, c), WASM_L2(x, y))
#undef WASM_FUNCTYPE_NEW
#undef WASM_NONE_
#undef WASM_T
#undef WASM_L0
#undef WASM_L1
#undef WASM_L2
#undef WASM_L3

static inline void wasm_val_init_ptr(own wasm_val_t *out, void *p) {
    out->kind = WASM_I64;
    out->of.i64 = (int64_t)(intptr_t)p;
}
static inline void *wasm_val_ptr(const wasm_val_t *val) { return (void *)(intptr_t)val->of.i64; }

#ifdef __cplusplus
#define WASM_OF(k, field, value) wasm_val_t{k, {.field = value}}
#else
#define WASM_OF(k, field, value) {.kind = (k), .of = {.field = (value)}}
#endif
#define WASM_I32_VAL(i) WASM_OF(WASM_I32, i32, i)
#define WASM_I64_VAL(i) WASM_OF(WASM_I64, i64, i)
#define WASM_F32_VAL(z) WASM_OF(WASM_F32, f32, z)
#define WASM_F64_VAL(z) WASM_OF(WASM_F64, f64, z)
#define WASM_REF_VAL(r) WASM_OF(WASM_EXTERNREF, ref, r)
#define WASM_INIT_VAL WASM_OF(WASM_EXTERNREF, ref, NULL)

#define WASM_EMPTY_VEC {0, NULL}
#define WASM_ARRAY_VEC(array) {sizeof(array) / sizeof(*(array)), array}

#undef own

#ifdef __cplusplus
}
#endif

#endif

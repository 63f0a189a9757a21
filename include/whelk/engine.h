/* engine.h: what Whelk's library offers beyond wasm.h: limits, time budgets,
 * interruption, reasons, WASI. Ownership and errors as there. */
#ifndef WHELK_ENGINE_H
#define WHELK_ENGINE_H

#include <wasm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Limits of each store of an engine; 0: none. */
WASM_API_EXTERN void whelk_config_limit_memory(wasm_config_t *, uint64_t bytes);    /* of all its memories */
WASM_API_EXTERN void whelk_config_limit_table(wasm_config_t *, uint64_t elements);  /* of all its tables */
WASM_API_EXTERN void whelk_config_limit_module(wasm_config_t *, uint64_t bytes);    /* of a module's binary */
WASM_API_EXTERN void whelk_config_limit_compile(wasm_config_t *, uint64_t bytes);   /* of memory, to load a module */
WASM_API_EXTERN void whelk_config_set_stack(wasm_config_t *, uint64_t bytes);       /* 0: 1 MiB */

/* Each call from outside may take so long; then it traps, "time budget exceeded".
 * 0: as long as it likes, and it cannot be interrupted. A start function counts as a call. */
#define WHELK_UNBOUNDED UINT64_MAX
WASM_API_EXTERN void whelk_store_set_budget(wasm_store_t *, uint64_t nanoseconds);
/* From any thread: the call that runs in the store traps, "interrupted". false:
 * none runs, or it has no budget. The store must live. */
WASM_API_EXTERN bool whelk_store_interrupt(wasm_store_t *);

/* Serialized modules (wasm_module_serialize) hold the binary and its code. They need not
 * be trusted: the code is proven safe again when it is read. Where it is of another CPU or
 * version, or damaged, the binary is compiled; was that so for this module? */
WASM_API_EXTERN bool whelk_module_was_compiled(const wasm_module_t *);

/* Why the last module or instance was refused; "" if it was not. The store's. */
WASM_API_EXTERN const char *whelk_store_error(const wasm_store_t *);

/* WASI preview 1 for what runs in a store: standard streams are the process's;
 * arguments and environment are copied; directories as "NAME" = "path" pairs. */
typedef struct whelk_wasi_config_t {
    size_t arg_count, env_count, dir_count;
    const char *const *args;
    const char *const *env; /* "NAME=value" */
    const char *const *dir_names, *const *dir_paths; /* as the module sees it; as we do */
} whelk_wasi_config_t;
/* Once per store, before instances that need it. false: a directory cannot be
 * opened, there is WASI already, or no memory. */
WASM_API_EXTERN bool whelk_store_set_wasi(wasm_store_t *, const whelk_wasi_config_t *);
/* The function of WASI that an import of that name and type stands for: NULL if there is none. */
WASM_API_EXTERN wasm_func_t *whelk_wasi_func(wasm_store_t *, const wasm_importtype_t *);
/* After a call that trapped with "exit": the status. */
WASM_API_EXTERN uint32_t whelk_wasi_exit_status(const wasm_store_t *);

#ifdef __cplusplus
}
#endif

#endif

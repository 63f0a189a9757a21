/* define.c: the functions into a linker, by their names and types. */
#include "wasi/internal.h"

static const struct {
    const char *name, *type;
    const void *fn;
} funcs[] = {
#define X(name, type) {#name, type, wasi_##name},
    WASI_FUNCS(X)
#undef X
};

enum err wasi_define(struct rt_linker *l) {
    for (size_t i = 0; i < ARRAY_LEN(funcs); i++) {
        enum err e = rt_define_func(l, "wasi_snapshot_preview1", funcs[i].name, funcs[i].type, funcs[i].fn);
        if (e) return e;
    }
    return ERR_OK;
}

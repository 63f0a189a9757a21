/* host.c: the suite's module "spectest". What it prints nobody reads. */
#include "base/mem.h"
#include "test/spec/internal.h"

/* Floating-point arguments stay in vector registers: no need to name them. */
static u64 print(struct abi_ctx *caller) { return 0; }

enum err spec_define_host(struct spec_run *r) {
    static const struct {
        const char *name, *type;
    } funcs[] = {
        {"print", ":"}, {"print_i32", "i:"}, {"print_i64", "I:"}, {"print_f32", "f:"},
        {"print_f64", "F:"}, {"print_i32_f32", "if:"}, {"print_f64_f64", "FF:"},
    };
    static const struct {
        const char *name;
        wasm_type type;
        u64 bits;
    } globals[] = {
        {"global_i32", WASM_I32, 666},
        {"global_i64", WASM_I64, 666},
        {"global_f32", WASM_F32, 0x4426a666},         /* 666.6 */
        {"global_f64", WASM_F64, 0x4084d4cccccccccd}, /* 666.6 */
    };
    static const struct wasm_table table = {.type = WASM_FUNCREF, .limits = {.min = 10, .max = 20, .has_max = true}};
    static const struct wasm_table wide = {.type = WASM_FUNCREF,
                                           .limits = {.min = 10, .max = 20, .has_max = true, .is64 = true}};
    static const struct wasm_memory memory = {.limits = {.min = 1, .max = 2, .has_max = true}};
    static const struct wasm_memory shared = {.limits = {.min = 1, .max = 2, .has_max = true, .shared = true}};
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < ARRAY_LEN(funcs); i++)
        e = rt_define_func(r->linker, "spectest", funcs[i].name, funcs[i].type, (const void *)print);
    for (size_t i = 0; !e && i < ARRAY_LEN(globals); i++) {
        union abi_value v = {.i64 = globals[i].bits};
        e = rt_define_global(r->linker, "spectest", globals[i].name, r->store, globals[i].type, false, v);
    }
    if (!e) e = rt_define_table(r->linker, "spectest", "table", r->store, &table);
    if (!e) e = rt_define_table(r->linker, "spectest", "table64", r->store, &wide);
    if (!e) e = rt_define_memory(r->linker, "spectest", "shared_memory", r->store, &shared);
    return e ? e : rt_define_memory(r->linker, "spectest", "memory", r->store, &memory);
}

/* fuzz_wasm.c: any bytes at all into the decoder and the validator, and what
 * they let through into the compiler. Nothing may crash or hang, and what was
 * let through must stand a second, much simpler look:
 * I1 every index immediate lies inside its index space;
 * I2 a constant that a branch takes out of the body has the result's type. */
#include <stdlib.h>

#include "base/assert.h"
#include "cli/host_rt.h"
#include "jit/jit.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);

static void compile(struct arena *a, const struct arena_source *heap, const struct wasm_module *m) {
    struct arena scratch;
    struct jit_code code;
    struct jit_error error;
    u32 *ids = ARENA_ARRAY(a, u32, m->type_count + 1u);
    for (u32 i = 0; i < m->type_count; i++) ids[i] = m->types[i].canon + 1;
    arena_init(&scratch, heap, 256 << 20);
    jit_compile(a, &scratch, m, &(struct jit_options){.type_ids = ids}, &code, &error);
    arena_reset(&scratch);
}

/* The first index of an instruction against its space (I1). */
static void check_index(const struct wasm_module *m, const struct wasm_func *f, const struct wasm_instr *i) {
    switch ((enum wasm_immediate)wasm_opinfos[i->op].imm) {
    case WASM_IMM_FUNC: assert(i->a < m->func_count); return;
    case WASM_IMM_LOCAL: assert(i->a < f->local_count); return;
    case WASM_IMM_GLOBAL: assert(i->a < m->global_count); return;
    case WASM_IMM_TABLE: assert(i->a < m->table_count); return;
    case WASM_IMM_TYPE_TABLE: assert(i->a < m->type_count && i->b < m->table_count); return;
    case WASM_IMM_MEMARG: assert(i->b < m->memory_count); return;
    case WASM_IMM_MEMORY_MEMORY: assert(i->a < m->memory_count && i->b < m->memory_count); return;
    case WASM_IMM_MEMORY: assert(i->a < m->memory_count); return;
    case WASM_IMM_DATA: assert(i->a < m->data_count); return;
    case WASM_IMM_ELEM: assert(i->a < m->elem_count); return;
    case WASM_IMM_DATA_MEMORY: assert(i->a < m->data_count && i->b < m->memory_count); return;
    case WASM_IMM_ELEM_TABLE: assert(i->a < m->elem_count && i->b < m->table_count); return;
    case WASM_IMM_TABLE_TABLE: assert(i->a < m->table_count && i->b < m->table_count); return;
    default: return;
    }
}

/* The type of a constant, 0 for anything else. */
static u8 constant_type(const struct wasm_instr *i) {
    switch ((u32)i->op) {
    case WASM_OP_I32_CONST: return WASM_I32;
    case WASM_OP_I64_CONST: return WASM_I64;
    case WASM_OP_F32_CONST: return WASM_F32;
    case WASM_OP_F64_CONST: return WASM_F64;
    default: return 0;
    }
}

/* I2, where it is plain to see: a constant, then a branch out of the body. The
 * constant must be the function's last result. */
static void check_branch(const struct wasm_module *m, const struct wasm_func *f, u32 depth, u8 before,
                         const struct wasm_instr *i) {
    const struct wasm_functype *t = &m->types[f->type];
    if (i->op != WASM_OP_BR || i->a != depth || !before || !t->result_count) return;
    assert(t->results[t->result_count - 1] == before);
}

static bool opens(enum wasm_op op) {
    return op == WASM_OP_BLOCK || op == WASM_OP_LOOP || op == WASM_OP_IF || op == WASM_OP_TRY || op == WASM_OP_TRY_TABLE;
}

static void look_again(const struct wasm_module *m, const struct wasm_func *f) {
    struct cursor c = cursor_of(f->code);
    const char *why;
    struct wasm_instr i;
    u32 depth = 0;
    for (u8 before = 0; cursor_left(&c); before = constant_type(&i)) {
        enum err e = wasm_take_instr(&c, &i, &why);
        assert(!e);
        check_index(m, f, &i);
        check_branch(m, f, depth, before, &i);
        if (opens(i.op)) depth++;
        if ((i.op == WASM_OP_END || i.op == WASM_OP_DELEGATE) && depth) depth--;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    struct arena a;
    struct wasm_module m;
    struct wasm_error error = {0};
    arena_init(&a, &host_heap, 256 << 20);
    enum err e = wasm_decode(&a, (struct bytes){data, n}, &m, &error);
    if (!e) e = wasm_validate(&a, &m, &error);
    if (e) assert(error.code == e && error.offset <= n && error.text[0]);
    for (u32 i = m.imported_funcs; !e && i < m.func_count; i++) look_again(&m, &m.funcs[i]);
    if (!e) compile(&a, &host_heap, &m);
    arena_reset(&a);
    return 0;
}

/* prove.c: what the verifier is told of a module, and what it answers.
 *
 * I1 facts come from the validated module and from how rt/ lays things out; the
 *    compiler's tables go along as hints, which verify/ checks (verify.h).
 * I2 a refusal is our bug, never the module's fault: it names function, offset and rule. */
#include "base/assert.h"
#include "rt/internal.h"
#include "verify/verify.h"

/* The compiler's tables and the verifier's are the same words. */
#define SAME(a, b, field) static_assert(offsetof(struct a, field) == offsetof(struct b, field) && sizeof(struct a) == sizeof(struct b), "")
SAME(jit_trap_site, verify_trap, pc);
SAME(jit_trap_site, verify_trap, kind);
SAME(jit_point, verify_point, pc);
SAME(jit_point, verify_point, keep);
SAME(jit_site, verify_site, pc);
SAME(jit_site, verify_site, first);
SAME(jit_site, verify_site, count);
SAME(jit_catch, verify_catch, tag);
SAME(jit_catch, verify_catch, pc);
SAME(jit_catch, verify_catch, ref);
#define CPU(name) static_assert((int)JIT_CPU_##name == (int)VERIFY_CPU_##name, "one set of features")
CPU(SSE41);
CPU(POPCNT);
CPU(LZCNT);
CPU(BMI1);
CPU(BMI2);
CPU(AVX);
CPU(AVX2);
CPU(FMA);
static_assert(JIT_POINT_PAD == VERIFY_PAD, "one meaning of the top bit");

static u8 letter(wasm_type t) {
    u32 code = t & WASM_TYPE_CODE;
    if (code == WASM_V128) return VERIFY_VECTOR;
    return code == WASM_F32 || code == WASM_F64 ? VERIFY_FLOAT : VERIFY_INT;
}

static bool tell_types(struct arena *a, const struct wasm_module *w, const u32 *ids, const struct jit_code *c,
                       struct verify_module *out) {
    struct verify_type *types = ARENA_ARRAY(a, struct verify_type, w->type_count);
    for (u32 k = 0; types && k < w->type_count; k++) {
        const struct wasm_functype *t = &w->types[k];
        u8 *letters = ARENA_ARRAY(a, u8, t->param_count + t->result_count + 1);
        if (!letters) return false;
        for (u32 i = 0; i < t->param_count; i++) letters[i] = letter(t->params[i]);
        for (u32 i = 0; i < t->result_count; i++) letters[t->param_count + i] = letter(t->results[i]);
        types[k] = (struct verify_type){ids[k], t->canon, c->thunks[k], c->host_stubs[k], t->param_count, t->result_count, letters};
    }
    out->types = types;
    out->type_count = w->type_count;
    return types;
}

static bool tell_funcs(struct arena *a, const struct wasm_module *w, const struct jit_code *c, struct verify_module *out) {
    struct verify_func *funcs = ARENA_ARRAY(a, struct verify_func, c->func_count);
    u32 *imports = ARENA_ARRAY(a, u32, w->imported_funcs);
    if (!funcs || !imports) return false;
    for (u32 k = 0; k < w->imported_funcs; k++) imports[k] = w->types[w->funcs[k].type].canon;
    for (u32 k = 0; k < c->func_count; k++) {
        const struct jit_func *f = &c->funcs[k];
        funcs[k] = (struct verify_func){f->entry, f->end, f->frame, f->spare, w->funcs[w->imported_funcs + k].type};
    }
    out->funcs = funcs;
    out->func_count = c->func_count;
    out->imports = imports;
    return true;
}

/* abi.h: what is imported or exported and mutable is in a cell. */
static bool tell_state(struct arena *a, const struct wasm_module *w, bool checked, struct verify_module *out) {
    u8 *globals = ARENA_ARRAY(a, u8, w->global_count), *guarded = ARENA_ARRAY(a, u8, w->memory_count);
    if (!globals || !guarded) return false;
    for (u32 k = 0; k < w->global_count; k++) {
        bool mutable = w->globals[k].mutable;
        globals[k] = mutable ? VERIFY_GLOBAL_WRITE | (k < w->imported_globals ? VERIFY_GLOBAL_CELL : 0) : 0;
    }
    for (u32 k = 0; k < w->export_count; k++) {
        const struct wasm_export *x = &w->exports[k];
        if (x->kind == WASM_KIND_GLOBAL && w->globals[x->index].mutable) globals[x->index] |= VERIFY_GLOBAL_CELL;
    }
    for (u32 k = 0; k < w->memory_count; k++) guarded[k] = !checked && wasm_memory_guarded(&w->memories[k]);
    out->globals = globals;
    out->guarded = guarded;
    return true;
}

bool rt_proof_facts(struct arena *a, const struct wasm_module *w, const struct jit_options *o, const struct jit_code *c,
                    struct verify_module *out) {
    struct abi_counts counts = {w->imported_funcs, w->table_count, w->global_count, w->memory_count};
    *out = (struct verify_module){
        .code = c->bytes, .size = c->size, .code_end = c->code_end, .adaptors = c->adaptors, .glue_start = c->thunks_start, .glue_end = c->thunks_end,
        .trap_exit = c->trap_exit, .cross_return = c->cross_return, .cpu = o->cpu, .counts = counts,
        .layout = abi_layout(counts), .front = RT_WINDOW_FRONT, .back = RT_WINDOW_BACK,
        .traps = (const struct verify_trap *)c->traps, .trap_count = c->trap_count,
        .points = (const struct verify_point *)c->points, .point_count = c->point_count,
        .sites = (const struct verify_site *)c->sites, .site_count = c->site_count,
        .catches = (const struct verify_catch *)c->catches, .catch_count = c->catch_count, .tag_count = w->tag_count};
    return tell_types(a, w, o->type_ids, c, out) && tell_funcs(a, w, c, out) && tell_state(a, w, o->checked_memory, out);
}

enum err rt_prove(struct arena *scratch, const struct wasm_module *w, const struct jit_options *o,
                  const struct jit_code *c, struct rt_error *error) {
    struct arena_mark mark = arena_mark(scratch);
    struct verify_module m;
    struct verify_error why = {0};
    enum err e = rt_proof_facts(scratch, w, o, c, &m) ? verify_code(scratch, &m, &why) : ERR_NOMEM;
    arena_release(scratch, mark);
    if (e == ERR_NOMEM) return rt_fail(error, e, SIZE_MAX, "out of memory for the proof of %u bytes of code", c->size);
    if (!e) return ERR_OK;
    if (why.func == UINT32_MAX)
        return rt_fail(error, e, SIZE_MAX, "our bug: glue refused at offset 0x%x of the code: %s", why.offset, verify_rule_text(why.rule));
    u32 func = w->imported_funcs + why.func;
    return rt_fail(error, e, w->funcs[func].code_offset, "our bug: code of function %u refused at +0x%x (0x%x): %s", func,
                   why.offset - c->funcs[why.func].entry, why.offset, verify_rule_text(why.rule));
}

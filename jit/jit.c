/* jit.c: the journey of a function, and of a module.
 *
 * I1 everything of one function is in scratch, released before the next.
 * I2 code, tables and fixups live in result. */
#include "jit/jit.h"

#include "base/fmt.h"
#include "jit/ir.h"
#include "jit/x86_64/emit.h"

static const struct pass {
    char letter;
    const char *name;
    void (*run)(struct fn *f);
} passes[JIT_PASS_COUNT] = {
    [JIT_BUILD] = {'B', "build", jit_build},     /* validated bytes -> SSA         */
    [JIT_CLEAN] = {'C', "clean", jit_clean},     /* what is used, what is clean    */
    [JIT_SELECT] = {'S', "select", jit_select},  /* what is folded into its user   */
    [JIT_LIVE] = {'L', "live", jit_live},        /* compact.c; ranges, uses, hints */
    [JIT_ALLOC] = {'R', "alloc", jit_allocate},  /* a place for every value        */
    [JIT_EMIT] = {'D', "emit", NULL},            /* machine code                   */
    [JIT_GLUE] = {0, "glue", NULL},              /* once a module: thunks, stubs   */
};

const char *jit_pass_name(enum jit_pass p) { return passes[p].name; }

struct compile {
    struct fn keep; /* allocation context of what outlives a function */
    struct fn f;
    struct code code;
    struct module_info info;
    struct jit_exit exit;
    struct arena *scratch;
    u8 *leaves; /* see fn */
    struct jit_code *out;
    u32 func; /* at hand: for messages */
    u64 since; /* when the pass at hand began */
};

static void note_time(struct compile *k, enum jit_pass p) {
    if (!k->info.options->now_ns) return;
    u64 now = k->info.options->now_ns();
    k->out->pass_ns[p] += now - k->since;
    k->since = now;
}

static bool dumps(const struct jit_options *o, char letter) {
    if (!o->dump || !o->dump_passes) return false;
    for (const char *p = o->dump_passes; *p; p++)
        if (*p == letter) return true;
    return false;
}

/* Vectors are of SSE4.1 at least. */
static void check_cpu(struct compile *k) {
    if (k->f.simd && !(k->info.options->cpu & JIT_CPU_SSE41)) jit_escape(&k->f, ERR_UNSUPPORTED);
}

/* Most functions need no more, in one chunk: what one pass gives back another can
 * have then, however large. */
static void reserve_scratch(struct compile *k, size_t bytes) { arena_reserve(k->scratch, 24 * bytes); }

static void compile_function(struct compile *k, u32 index) {
    const struct wasm_module *m = k->info.m;
    struct arena_mark mark = arena_mark(k->scratch);
    reserve_scratch(k, m->funcs[index].code.n);
    k->func = index;
    k->f = (struct fn){.arena = k->scratch, .exit = &k->exit, .m = m, .wf = &m->funcs[index],
                       .type = &m->types[m->funcs[index].type], .options = k->info.options, .index = index, .leaves = k->leaves};
    jit_begin(&k->f);
    for (enum jit_pass p = 0; p < JIT_EMIT; p++) {
        passes[p].run(&k->f);
        note_time(k, p);
        if (dumps(k->info.options, passes[p].letter)) ir_dump(&k->f, passes[p].name);
    }
    check_cpu(k);
    emit_function(&k->f, &k->code, &k->info, &k->out->funcs[index - m->imported_funcs]);
    arena_release(k->scratch, mark);
    note_time(k, JIT_EMIT);
}

static void note_exports(struct compile *k) {
    const struct wasm_module *m = k->info.m;
    k->info.global_indirect = jit_alloc(&k->keep, m->global_count, 1);
    for (u32 i = 0; i < m->imported_globals; i++) k->info.global_indirect[i] = m->globals[i].mutable;
    for (u32 i = 0; i < m->export_count; i++)
        if (m->exports[i].kind == WASM_KIND_GLOBAL)
            k->info.global_indirect[m->exports[i].index] = m->globals[m->exports[i].index].mutable;
}

static void prepare(struct compile *k) {
    const struct wasm_module *m = k->info.m;
    struct fn *keep = &k->keep;
    u32 defined = m->func_count - m->imported_funcs;
    k->code.keep = keep;
    k->info.layout = abi_layout((struct abi_counts){m->imported_funcs, m->table_count, m->global_count, m->memory_count});
    k->info.import_used = jit_alloc(keep, m->imported_funcs, sizeof(u32));
    k->info.tail_import_used = jit_alloc(keep, m->imported_funcs, sizeof(u32));
    k->info.direct_used = jit_alloc(keep, m->imported_funcs, sizeof(u32));
    k->out->funcs = jit_alloc(keep, defined, sizeof(struct jit_func));
    k->out->func_count = defined;
    k->leaves = jit_alloc(keep, m->func_count, 1);
    note_exports(k);
}

/* Machine code has half as many bytes again as WebAssembly's, mostly less. */
static void reserve_code(struct compile *k) {
    const struct wasm_module *m = k->info.m;
    u64 bytes = 0;
    for (u32 i = m->imported_funcs; i < m->func_count; i++) bytes += m->funcs[i].code.n;
    bytes = MIN(bytes + bytes / 2, (u64)UINT32_MAX / 8);
    u32 text = (u32)bytes + 256, traps = (u32)bytes / 16;
    arena_reserve(k->keep.arena, text + (traps + traps / 4) * sizeof(struct jit_trap_site)); /* and a few other tables: in one chunk */
    VEC_ROOM(&k->keep, k->code.text, text);
    VEC_ROOM(&k->keep, k->code.traps, traps);
}

/* Offsets in code become offsets from the table. */
static void place_tables(struct code *c, u32 start) {
    for (u32 i = 0; i < c->tables.n; i++) {
        struct jump_table t = c->tables.p[i];
        for (u32 k = 0; k < t.count; k++) {
            u8 *at = c->data.p + t.at + 4 * k;
            u32 to;
            memcpy(&to, at, 4);
            to -= start + t.at;
            memcpy(at, &to, 4);
        }
    }
}

static void append_data(struct compile *k) {
    struct code *c = &k->code;
    put_align(c, 16);
    u32 start = here(c);
    k->out->code_end = start;
    for (u32 i = 0; i < c->fixups.n; i++) {
        struct fixup x = c->fixups.p[i];
        if (x.kind == FIX_DATA) patch32(c, x.at, start + x.target - (x.at + 4 + x.trailing));
    }
    place_tables(c, start);
    VEC_ROOM(c->keep, c->text, c->data.n);
    if (c->data.n) memcpy(c->text.p + start, c->data.p, c->data.n);
    c->text.n += c->data.n;
}

static void note_type_uses(struct compile *k) {
    const struct code *c = &k->code;
    u32 n = 0;
    for (u32 i = 0; i < c->fixups.n; i++) n += c->fixups.p[i].kind == FIX_TYPE;
    struct jit_type_use *uses = k->out->type_uses = jit_alloc(&k->keep, n, sizeof *uses);
    k->out->type_use_count = n;
    for (u32 i = 0; i < c->fixups.n; i++)
        if (c->fixups.p[i].kind == FIX_TYPE) *uses++ = (struct jit_type_use){c->fixups.p[i].at, c->fixups.p[i].target};
}

static void compile_module(struct compile *k) {
    const struct wasm_module *m = k->info.m;
    if (k->info.options->now_ns) k->since = k->info.options->now_ns();
    prepare(k);
    reserve_code(k);
    put_align(&k->code, 16);
    for (u32 i = m->imported_funcs; i < m->func_count; i++) compile_function(k, i);
    k->func = UINT32_MAX;
    emit_glue(&k->code, &k->info, k->out);
    append_data(k);
    note_type_uses(k);
    note_time(k, JIT_GLUE);
    k->out->bytes = k->code.text.p;
    k->out->size = k->code.text.n;
    k->out->vectors = k->code.vectors;
    k->out->traps = k->code.traps.p;
    k->out->trap_count = k->code.traps.n;
    k->out->sites = k->code.sites.p;
    k->out->site_count = k->code.sites.n;
    k->out->catches = k->code.catches.p;
    k->out->catch_count = k->code.catches.n;
    k->out->points = k->code.points.p;
    k->out->point_count = k->code.points.n;
    k->out->lines = k->code.lines.p;
    k->out->line_count = k->code.lines.n;
}

static enum err refuse(const struct compile *k, struct jit_error *error) {
    *error = (struct jit_error){.code = k->exit.err, .func = k->func};
    if (k->exit.err == ERR_UNSUPPORTED) fmt(error->text, sizeof error->text, "function %u: SIMD on a CPU without SSE4.1", k->func);
    else fmt(error->text, sizeof error->text, "function %u: %s while compiling", k->func, err_text(k->exit.err));
    return k->exit.err;
}

enum err jit_compile(struct arena *result, struct arena *scratch, const struct wasm_module *m,
                     const struct jit_options *options, struct jit_code *out,
                     struct jit_error *error) {
    struct arena_mark mark = arena_mark(scratch);
    assert(result != scratch);
    *out = (struct jit_code){0};
    struct compile *k = ARENA_NEW(scratch, struct compile);
    if (!k) {
        *error = (struct jit_error){.code = ERR_NOMEM, .func = UINT32_MAX, .text = "out of memory"};
        return ERR_NOMEM;
    }
    k->scratch = scratch;
    k->out = out;
    k->info.m = m;
    k->info.options = options;
    k->keep = (struct fn){.arena = result, .exit = &k->exit, .m = m, .options = options};
    if (!__builtin_setjmp(k->exit.buffer)) compile_module(k);
    enum err e = k->exit.err ? refuse(k, error) : ERR_OK;
    arena_release(scratch, mark);
    return e;
}

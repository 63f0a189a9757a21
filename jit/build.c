/* build.c: validated bytes to SSA, in one pass.
 *
 * I1 the module is validated: decoding cannot fail and types agree.
 * I2 ins, blocks, edges and loops start at 1: 0 means none. */
#include "jit/build_simd.h"
#include "wasm/short.h"

static bool is_control(enum wasm_op op) {
    switch (op) {
    case WASM_OP_UNREACHABLE:
    case WASM_OP_BLOCK:
    case WASM_OP_LOOP:
    case WASM_OP_IF:
    case WASM_OP_ELSE:
    case WASM_OP_END:
    case WASM_OP_BR:
    case WASM_OP_BR_IF:
    case WASM_OP_BR_TABLE:
    case WASM_OP_RETURN:
    case WASM_OP_RETURN_CALL:
    case WASM_OP_RETURN_CALL_INDIRECT:
    case WASM_OP_RETURN_CALL_REF:
    case WASM_OP_BR_ON_NULL:
    case WASM_OP_BR_ON_NON_NULL:
    case WASM_OP_TRY:
    case WASM_OP_CATCH:
    case WASM_OP_CATCH_ALL:
    case WASM_OP_DELEGATE:
    case WASM_OP_TRY_TABLE:
    case WASM_OP_THROW:
    case WASM_OP_THROW_REF:
    case WASM_OP_RETHROW: return true;
    default: return false;
    }
}

static void reserve_zero(struct fn *f) {
    VEC_PUSH(f, f->ins, (struct ins){0});
    if (f->options->lines) VEC_PUSH(f, f->origins, 0);
    VEC_PUSH(f, f->blocks, (struct block){0});
    VEC_PUSH(f, f->edges, (struct edge){0});
    VEC_PUSH(f, f->loops, (struct loop){0});
    VEC_PUSH(f, f->pool, 0);
}

u32 build_zero(struct build *b, wasm_type t) {
    u8 type = ir_type_of(t);
    return type == T_V128 ? vconst(b, 0, 0) : ir_const(b->f, type, 0);
}

enum { LOCAL_BYTES = 5 * sizeof(u32) + sizeof(struct column) + 1 };
static void start_locals(struct build *b) {
    struct fn *f = b->f;
    u32 n = f->wf->local_count, k = 0, room = n + INLINE_LOCALS;
    b->locals = jit_raw(f, room, LOCAL_BYTES); /* and what else there is of each */
    b->logged = b->locals + room;
    b->stamp = b->logged + room;
    b->slot = b->stamp + room;
    b->before = b->slot + room;
    b->columns = (struct column *)(b->before + room);
    b->ends = (u8 *)(b->columns + room);
    memset(b->locals, 0, 3 * room * sizeof(u32));
    memset(b->ends, UINT8_MAX, room);
    if (f->wf->local_ends && n) memcpy(b->ends, f->wf->local_ends, n);
    for (; k < f->type->param_count; k++) {
        struct ins a = {.op = IR_ARG, .type = ir_type_of(f->type->params[k]), .a = k};
        b->locals[k] = ir_append(f, a);
    }
    for (u32 r = 0; r < f->wf->local_runs; r++) {
        u32 zero = build_zero(b, f->wf->locals[r].type), *to = b->locals + k, count = f->wf->locals[r].count;
        for (u32 i = 0; i < count; i++) to[i] = zero;
        k += count;
    }
    assert(k == n);
}

static void start_body(struct build *b) {
    struct ctl c = {.kind = CTL_FUNC, .results = b->f->type->result_count, .number = number_mark(b->f)};
    VEC_PUSH(b->f, b->ctls, c);
}

static void finish_body(struct build *b) {
    struct fn *f = b->f;
    if (b->dead) return;
    u32 n = f->type->result_count, start = f->pool.n;
    assert(b->stack.n == n);
    for (u32 i = 0; i < n; i++) VEC_PUSH(f, f->pool, b->stack.p[i]);
    build_end_block(b, (struct ins){.op = IR_RETURN, .a = start, .b = n});
}

static __attribute__((noinline)) void take_long(struct build *b) {
    const char *why;
    enum err e = wasm_take_instr(&b->code, &b->in, &why);
    assert(e == ERR_OK);
}

static INLINE void build_instr(struct build *b) {
    if (!b->dead) build_short(b);
    if (!b->ctls.n) return; /* the last END is behind */
    b->f->origin = b->code.p;
    if (unlikely(!wasm_take_short(&b->code, &b->in))) take_long(b);
    if (is_control(b->in.op)) build_control(b);
    else if (!b->dead) build_plain(b);
}

/* Most functions need about as much for so many bytes of code; without leaves that
 * are built in, the last three no more than validation noted. */
static void reserve(struct build *b, u32 bytes) {
    struct fn *f = b->f;
    f->ins.cap = bytes * 11 / 32 + 8;
    f->pool.cap = bytes * 3 / 8 + 16;
    f->edges.cap = bytes / 10 + 8;
    f->blocks.cap = bytes / 16 + 8;
    u8 *at = jit_raw(f, VEC_BYTES(f->ins) + VEC_BYTES(f->pool) + VEC_BYTES(f->edges) + VEC_BYTES(f->blocks), 1);
    VEC_AT(f->ins, at);
    VEC_AT(f->pool, at);
    VEC_AT(f->edges, at);
    VEC_AT(f->blocks, at);
    VEC_ROOM(f, f->loops, f->wf->loop_count + 1);
    VEC_ROOM(f, b->ctls, f->wf->max_depth);
    VEC_ROOM(f, b->stack, f->wf->max_stack);
}

static void give_all(struct build *b) {
    struct fn *f = b->f;
    number_end(f);
    VEC_GIVE(f, b->stack);
    VEC_GIVE(f, b->ctls);
    VEC_GIVE(f, b->log);
    VEC_GIVE(f, b->kept);
    jit_give(f, b->locals, ((size_t)f->wf->local_count + INLINE_LOCALS) * LOCAL_BYTES);
}

void jit_build(struct fn *f) {
    struct build b = {.f = f, .code = body_of(f, f->wf)};
    b.plain_memory = f->m->memory_count && !build_checks(&b, 0);
    f->origin = f->m->bytes.p; /* of none */
    reserve(&b, (u32)f->wf->code.n);
    number_init(f, (u32)f->wf->code.n / 8);
    reserve_zero(f);
    build_block(&b);
    start_locals(&b);
    start_body(&b);
    build_scan_tries(&b);
    while (b.ctls.n) build_instr(&b);
    assert(is_over(&b.code, f->wf));
    finish_body(&b);
    build_finish_sites(&b);
    give_all(&b);
}

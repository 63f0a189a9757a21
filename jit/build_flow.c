/* build_flow.c: structured control (WebAssembly 2.0, 4.4.8) into blocks.
 *
 * I1 no recursion: open labels are in ctls.
 * I2 in dead code nothing is built; only nesting and loops are counted.
 * I3 after a terminator either a block is opened or dead is set. */
#include "base/fault.h"
#include "jit/build.h"

u32 build_block(struct build *b) {
    struct fn *f = b->f;
    struct block k = {.first = f->ins.n, .loop = b->loop};
    VEC_PUSH(f, f->blocks, k);
    b->block = f->blocks.n - 1;
    ir_alone(f, ir_make(IR_BLOCK, T_NONE, 0, b->block, 0, 0));
    memory_changes(b);
    if (!fault(STALE_GLOBAL)) global_changes(b);
    return b->block;
}

void build_end_block(struct build *b, struct ins terminator) {
    assert(!b->dead);
    b->f->blocks.p[b->block].last = ir_append(b->f, terminator);
}

static void go_dead(struct build *b) {
    b->dead = true;
    b->dead_depth = 0;
}

/* Of one that has a type. */
static void count_block_type(struct build *b, struct ctl *c) {
    u64 t = b->in.bits;
    if (wasm_block_is_index(t)) {
        const struct wasm_functype *y = &b->f->m->types[t];
        c->params = y->param_count;
        c->results = y->result_count;
    } else {
        c->results = 1;
    }
}

static INLINE void fill_label(struct build *b, struct ctl *c, u8 kind) {
    *c = (struct ctl){.kind = kind, .log = b->log.n, .number = number_mark(b->f), .scope = b->ctls.p[b->ctls.n - 1].scope};
    if (!wasm_block_is_empty(b->in.bits)) count_block_type(b, c);
    assert(b->stack.n >= c->params);
    c->height = b->stack.n - c->params;
}

static struct ctl open_label(struct build *b, u8 kind) {
    struct ctl c;
    fill_label(b, &c, kind);
    return c;
}

/* The same, innermost at once. */
static INLINE struct ctl *push_label(struct build *b, u8 kind) {
    VEC_ROOM(b->f, b->ctls, 1);
    struct ctl *c = &b->ctls.p[b->ctls.n];
    fill_label(b, c, kind);
    b->ctls.n++;
    return c;
}

/* A block in which nothing is, with one way in, goes: that way leads on, open again.
 * 0: the block stays. (SQLite: a sixth of the blocks.) */
static u32 drop_block(struct build *b) {
    struct fn *f = b->f;
    const struct block *k = &f->blocks.p[b->block];
    u32 e = *block_preds(f, b->block);
    if (f->ins.n != k->first + 1 || !e || f->edges.p[e].next || k->header) return 0;
    f->blocks.n--;
    f->ins.n--;
    if (f->options->lines) f->origins.n--;
    f->edges.p[e] = (struct edge){.from = f->edges.p[e].from};
    return e;
}

/* The edge on which control leaves the block at hand, which is over. */
static u32 leave_block(struct build *b) {
    u32 e = drop_block(b);
    if (e) return e;
    e = build_edge(b);
    build_end_block(b, ir_make(IR_JUMP, T_NONE, 0, e, 0, 0));
    return e;
}

static void jump_to(struct build *b, u32 depth) { build_edge_to_label(b, leave_block(b), depth); }

void build_open(struct build *b) { push_label(b, CTL_BLOCK); }

static void enter_loop(struct build *b, struct ctl *c) {
    struct fn *f = b->f;
    struct loop l = {.parent = b->loop, .header = f->blocks.n, .depth = f->loops.p[b->loop].depth + 1};
    if (!b->loop) b->outside = build_offset(b);
    VEC_PUSH(f, f->loops, l);
    c->loop = b->loop = f->loops.n - 1;
    struct block k = {.first = f->ins.n, .loop = b->loop, .header = true};
    VEC_PUSH(f, f->blocks, k);
    c->header = b->block = f->blocks.n - 1;
    memory_changes(b);
    global_changes(b);
    ir_alone(f, ir_make(IR_BLOCK, T_NONE, 0, b->block, 0, 0));
}

static u32 loop_param(struct build *b, u32 old) {
    struct fn *f = b->f;
    return ir_alone(f, ir_make(IR_PARAM, f->ins.p[old].type, 0, b->block, f->blocks.p[b->block].params++, 0));
}

static void do_loop(struct build *b) {
    struct fn *f = b->f;
    struct ctl c = open_label(b, CTL_LOOP);
    build_loop_params(b, &c);
    u32 entry = build_edge(b), count = f->pool.p[c.locals];
    build_end_block(b, ir_make(IR_JUMP, T_NONE, 0, entry, 0, 0));
    enter_loop(b, &c);
    VEC_PUSH(f, b->ctls, c);
    build_edge_to_label(b, entry, 0);
    for (u32 i = 0; i < c.params; i++) {
        u32 *at = &b->stack.p[b->stack.n - c.params + i];
        *at = loop_param(b, *at);
    }
    for (u32 i = 1; i <= count; i++) {
        u32 local = f->pool.p[c.locals + i];
        build_set_local(b, local, loop_param(b, b->locals[local]));
    }
    b->loops_seen++;
}

/* What was loaded is compared with 0, for then it may be compared where it is. A
 * comparison of this block that has a user is made again: for each of them flags will do. */
u32 build_condition(struct build *b, u32 v) {
    struct ins x = b->f->ins.p[v];
    if (x.op == IR_LOAD) return value2(b, IR_ICMP, T_I32, CC_NE, v, ir_const(b->f, T_I32, 0));
    bool again = (x.op == IR_ICMP || x.op == IR_FCMP) && x.flags >= V_USE && v > b->f->blocks.p[b->block].first;
    if (!again) return v;
    x.flags = 0;
    return ir_append(b->f, x);
}

void build_if(struct build *b) {
    struct fn *f = b->f;
    u32 cond = build_condition(b, pop(b));
    struct ctl *c = push_label(b, CTL_IF);
    c->saved = f->pool.n;
    for (u32 i = 0; i < c->params; i++) VEC_PUSH(f, f->pool, b->stack.p[c->height + i]);
    u32 yes = build_edges(b, 2), no = c->else_edge = yes + 1;
    build_end_block(b, ir_make(IR_BRIF, T_NONE, 0, cond, yes, no));
    build_attach(b, yes, build_block(b));
}

static void restore_params(struct build *b, const struct ctl *c) {
    b->stack.n = c->height;
    for (u32 i = 0; i < c->params; i++) push(b, b->f->pool.p[c->saved + i]);
}

static void do_else(struct build *b) {
    if (!b->dead) jump_to(b, 0);
    struct ctl *c = &b->ctls.p[b->ctls.n - 1];
    assert(c->kind == CTL_IF);
    build_undo_locals(b, c->log);
    number_release(b->f, c->number);
    restore_params(b, c);
    b->dead = false;
    c->kind = CTL_ELSE;
    u32 e = c->else_edge;
    build_attach(b, e, build_block(b));
}

/* An if without else: the values go straight to the end. */
static void close_if(struct build *b) {
    struct ctl *c = &b->ctls.p[b->ctls.n - 1];
    build_undo_locals(b, c->log);
    restore_params(b, c);
    build_edge_to_label(b, c->else_edge, 0);
}

static void end_loop(struct build *b, const struct ctl *c) {
    struct fn *f = b->f;
    u32 e = b->dead ? 0 : leave_block(b);
    f->loops.p[c->loop].last = f->blocks.n - 1;
    b->loop = f->loops.p[c->loop].parent;
    /* What follows is outside: a block of its own keeps loops contiguous. */
    if (e) build_attach(b, e, build_block(b));
}

void build_end(struct build *b) {
    struct ctl *c = &b->ctls.p[b->ctls.n - 1];
    if (c->kind == CTL_LOOP) {
        struct ctl copy = *c;
        b->ctls.n--;
        if (b->dead) build_undo_locals(b, copy.log);
        end_loop(b, &copy);
        return;
    }
    bool fell = !b->dead;
    if (c->kind <= CTL_INLINE && fell && !c->edges) {
        build_run_out(b);
        return;
    }
    if (fell) jump_to(b, 0);
    if (c->kind == CTL_IF) close_if(b);
    if (c->own) build_end_scope(b, c);
    c = &b->ctls.p[b->ctls.n - 1];
    u32 open = b->ctls.n; /* nothing is opened meanwhile: c stays */
    b->dead = false;
    if (!build_merge(b, c, fell)) go_dead(b);
    b->ctls.n = open - 1;
    if (c->kind == CTL_INLINE) build_leave(b);
}

void build_br(struct build *b, u32 depth) {
    jump_to(b, depth);
    go_dead(b);
}

void build_br_if(struct build *b, u32 depth) {
    u32 cond = build_condition(b, pop(b)), yes = build_edges(b, 2), no = yes + 1;
    build_edge_to_label(b, yes, depth);
    build_end_block(b, ir_make(IR_BRIF, T_NONE, 0, cond, yes, no));
    u32 memory = b->memory_epoch, global = b->global_epoch;
    build_attach(b, no, build_block(b));
    b->memory_epoch = memory; /* the only way here: what was read still holds */
    b->global_epoch = global;
}

void build_return(struct build *b) { build_br(b, b->ctls.n - 1 - b->body); }

static void do_br_on_null(struct build *b, u32 depth) {
    u32 ref = pop(b);
    push(b, build_is_null(b, ref));
    build_br_if(b, depth);
    push(b, ref);
}

/* A handle that is not 0 is a condition that holds. */
static void do_br_on_non_null(struct build *b, u32 depth) {
    push(b, b->stack.p[b->stack.n - 1]);
    build_br_if(b, depth);
    pop(b);
}

/* Targets that repeat share one edge: a million entries make few edges. */
static void do_br_table(struct build *b) {
    struct fn *f = b->f;
    u32 index = pop(b), count = b->in.a + 1, start = f->pool.n;
    u32 *seen = jit_alloc(f, b->ctls.n, sizeof(u32));
    VEC_ROOM(f, f->pool, count);
    f->pool.n += count;
    for (u32 i = 0; i < count; i++) {
        u32 depth;
        enum err e = take_leb_u32(&b->in.labels, &depth);
        assert(e == ERR_OK && depth < b->ctls.n); /* validated */
        if (!seen[depth]) {
            seen[depth] = build_edge(b);
            build_edge_to_label(b, seen[depth], depth);
        }
        f->pool.p[start + i] = seen[depth];
    }
    jit_give(f, seen, b->ctls.n * sizeof *seen);
    ir_index(f, index);
    build_end_block(b, (struct ins){.op = IR_BRTABLE, .a = index, .b = start, .c = count});
    go_dead(b);
}

/* The handler's body: reached from pads, or from nowhere. */
static void enter_catch(struct build *b) {
    if (!b->dead) jump_to(b, 0);
    b->dead = false;
    build_catch(b);
    if (b->dead) go_dead(b);
}

static void skip_dead(struct build *b) {
    switch (b->in.op) {
    case WASM_OP_LOOP:
    case WASM_OP_TRY:
        if (b->in.op == WASM_OP_LOOP) b->loops_seen++;
        else b->tries_seen++; /* fall through */
    case WASM_OP_BLOCK:
    case WASM_OP_TRY_TABLE:
    case WASM_OP_IF: b->dead_depth++; break;
    case WASM_OP_CATCH:
    case WASM_OP_CATCH_ALL:
        if (!b->dead_depth) enter_catch(b);
        break;
    case WASM_OP_DELEGATE:
    case WASM_OP_END:
        if (b->dead_depth) b->dead_depth--;
        else build_end(b);
        break;
    case WASM_OP_ELSE:
        if (!b->dead_depth) do_else(b);
        break;
    default: break;
    }
}

void build_control(struct build *b) {
    if (b->dead) {
        skip_dead(b);
        return;
    }
    switch (b->in.op) {
    case WASM_OP_BLOCK: build_open(b); break;
    case WASM_OP_LOOP: do_loop(b); break;
    case WASM_OP_IF: build_if(b); break;
    case WASM_OP_ELSE: do_else(b); break;
    case WASM_OP_TRY: build_try(b, open_label(b, CTL_TRY)); break;
    case WASM_OP_TRY_TABLE: build_try_table(b, open_label(b, CTL_TRY_TABLE)); break;
    case WASM_OP_CATCH:
    case WASM_OP_CATCH_ALL: enter_catch(b); break;
    case WASM_OP_THROW:
    case WASM_OP_THROW_REF:
    case WASM_OP_RETHROW: build_throw(b), go_dead(b); break;
    case WASM_OP_DELEGATE:
    case WASM_OP_END: build_end(b); break;
    case WASM_OP_BR_IF: build_br_if(b, b->in.a); break;
    case WASM_OP_BR_TABLE: do_br_table(b); break;
    case WASM_OP_BR: build_br(b, b->in.a); break;
    case WASM_OP_RETURN: build_return(b); break;
    case WASM_OP_RETURN_CALL:
    case WASM_OP_RETURN_CALL_INDIRECT:
    case WASM_OP_RETURN_CALL_REF: build_tail_call(b), go_dead(b); break;
    case WASM_OP_BR_ON_NULL: do_br_on_null(b, b->in.a); break;
    case WASM_OP_BR_ON_NON_NULL: do_br_on_non_null(b, b->in.a); break;
    case WASM_OP_UNREACHABLE:
        build_end_block(b, (struct ins){.op = IR_TRAP, .aux = ABI_TRAP_UNREACHABLE});
        go_dead(b);
        break;
    default: unreachable();
    }
}

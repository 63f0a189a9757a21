/* build_merge.c: edges, and the values that meet where they join.
 *
 * I1 an edge to a forward label remembers only the locals assigned since the
 *    label was opened; all others hold what they held then.
 * I2 a value becomes a PARAM only if two edges disagree about it and, of a local, only
 *    if it may still be read (wasm_func.local_ends): else it has any value that it had.
 * I3 the log holds a local at most once per open label, so an edge costs the
 *    distinct locals assigned, not the assignments. */
#include "jit/build.h"

enum { MAX_CELLS = 1 << 24 };

static void charge(struct build *b, u64 cells) {
    b->cells += cells;
    if (b->cells > MAX_CELLS) jit_escape(b->f, ERR_LIMIT);
}

static __attribute__((noinline)) void log_grows(struct build *b, u32 local, u32 v) {
    VEC_ROOM(b->f, b->log, 1);
    build_set_local(b, local, v);
}

void build_set_local(struct build *b, u32 local, u32 v) {
    u32 mark = b->ctls.p[b->ctls.n - 1].log;
    if (b->logged[local] <= mark) { /* not since the innermost label */
        if (unlikely(b->log.n == b->log.cap)) {
            log_grows(b, local, v);
            return;
        }
        b->log.p[b->log.n++] = (struct assign){local, b->locals[local], b->logged[local]};
        b->logged[local] = b->log.n;
    }
    b->locals[local] = v;
    b->assigns++;
}

void build_undo_locals(struct build *b, u32 mark) {
    assert(mark <= b->log.n);
    b->assigns++;
    while (b->log.n > mark) {
        struct assign a = b->log.p[--b->log.n];
        b->locals[a.local] = a.value;
        b->logged[a.local] = a.logged;
    }
}

u32 build_edges(struct build *b, u32 n) {
    struct fn *f = b->f;
    u32 first = f->edges.n;
    VEC_ROOM(f, f->edges, n);
    for (u32 i = 0; i < n; i++) f->edges.p[first + i] = (struct edge){.from = b->block};
    f->edges.n = first + n;
    return first;
}

u32 build_edge(struct build *b) { return build_edges(b, 1); }

void build_attach(struct build *b, u32 edge, u32 block) {
    struct edge *e = &b->f->edges.p[edge];
    u32 *list = block_preds(b->f, block);
    e->to = block; /* no pairs any more */
    e->next = *list;
    *list = edge;
}

static u32 new_stamp(struct build *b) { return ++b->stamp_now; }

/* A local that is read until here and no longer is dead: in WASM_ENDS-th parts of the
 * code. In a loop, until where the outermost one begins. */
static u32 dead_end(const struct build *b) {
    u32 at = b->loop ? b->outside : build_offset(b);
    return (u32)((u64)at * WASM_ENDS / b->f->wf->code.n);
}

/* Notes (local, value) for what was assigned since the label was opened. */
static void note_locals(struct build *b, const struct ctl *c, u32 edge) {
    struct fn *f = b->f;
    u32 now = new_stamp(b), start = f->pool.n, most = b->log.n - c->log;
    if (!most) return;
    charge(b, most);
    VEC_ROOM(f, f->pool, 2 * most);
    u32 *pair = f->pool.p + start;
    for (const struct assign *a = b->log.p + c->log, *end = b->log.p + b->log.n; a < end; a++) {
        if (b->stamp[a->local] == now) continue;
        b->stamp[a->local] = now;
        *pair++ = a->local;
        *pair++ = b->locals[a->local];
    }
    f->pool.n = (u32)(pair - f->pool.p);
    f->edges.p[edge].pairs = (f->pool.n - start) / 2;
}

static INLINE void push_args(struct build *b, struct edge *e, u32 arity) {
    struct fn *f = b->f;
    assert(b->stack.n >= arity);
    e->args = f->pool.n;
    if (!arity) return;
    charge(b, arity);
    for (u32 i = 0; i < arity; i++) VEC_PUSH(f, f->pool, b->stack.p[b->stack.n - arity + i]);
}

static void edge_to_loop(struct build *b, const struct ctl *c, u32 edge) {
    struct fn *f = b->f;
    u32 count = f->pool.p[c->locals];
    push_args(b, &f->edges.p[edge], c->params);
    charge(b, count);
    for (u32 i = 1; i <= count; i++) VEC_PUSH(f, f->pool, b->locals[f->pool.p[c->locals + i]]);
    build_attach(b, edge, c->header);
}

void build_edge_to_label(struct build *b, u32 edge, u32 depth) {
    assert(depth < b->ctls.n);
    build_edge_to(b, edge, &b->ctls.p[b->ctls.n - 1 - depth]);
}

void build_edge_to(struct build *b, u32 edge, struct ctl *c) {
    if (c->kind == CTL_LOOP) {
        edge_to_loop(b, c, edge);
        return;
    }
    push_args(b, &b->f->edges.p[edge], c->results);
    if (c->kind > CTL_INLINE) note_locals(b, c, edge); /* no local outlives a body */
    b->f->edges.p[edge].next = c->edges;
    c->edges = edge;
    c->edge_count++;
}

/* ---- meeting ---- */

static u32 new_param(struct build *b, u8 type) {
    struct block *k = &b->f->blocks.p[b->block];
    return ir_alone(b->f, ir_make(IR_PARAM, type, 0, b->block, k->params++, 0));
}

/* One edge says what a local is. An edge that does not holds b->locals' value. */
static INLINE void note_column(struct build *b, u32 now, u32 local, u32 value) {
    if (b->stamp[local] != now) {
        b->stamp[local] = now;
        b->slot[local] = b->column_count;
        b->columns[b->column_count++] = (struct column){.local = local, .value = value, .seen = 1};
        return;
    }
    struct column *k = &b->columns[b->slot[local]];
    k->seen++;
    k->differs |= value != k->value;
}

/* The locals that any edge assigned, in b->columns. */
static void gather_columns(struct build *b, const struct ctl *c, u32 dead) {
    const struct fn *f = b->f;
    u32 now = new_stamp(b);
    b->column_count = 0;
    for (u32 e = c->edges; e; e = f->edges.p[e].next) {
        const struct edge *d = &f->edges.p[e];
        const u32 *pair = f->pool.p + d->args + c->results;
        for (u32 i = d->pairs; i; i--, pair += 2)
            if (b->ends[pair[0]] > dead) note_column(b, now, pair[0], pair[1]);
    }
}

static bool result_differs(const struct fn *f, const struct ctl *c, u32 k, u32 value) {
    for (u32 e = c->edges; e; e = f->edges.p[e].next)
        if (f->pool.p[f->edges.p[e].args + k] != value) return true;
    return false;
}

/* Pushes the results, common values or new PARAMs; which are PARAMs: b->kept. */
static void decide_results(struct build *b, const struct ctl *c) {
    b->kept.n = 0;
    for (u32 k = 0; k < c->results; k++) {
        u32 value = b->f->pool.p[b->f->edges.p[c->edges].args + k];
        bool differs = result_differs(b->f, c, k, value);
        if (differs) VEC_PUSH(b->f, b->kept, k);
        push(b, differs ? new_param(b, b->f->ins.p[value].type) : value);
    }
}

/* The same for locals: b->columns. Returns how many PARAMs the block has. */
static u32 decide_locals(struct build *b, const struct ctl *c) {
    u32 params = b->kept.n;
    for (u32 i = 0; i < b->column_count; i++) {
        struct column *k = &b->columns[i];
        k->differs |= k->seen < c->edge_count && k->value != b->locals[k->local];
        if (!k->differs) continue;
        b->before[params - b->kept.n] = b->locals[k->local];
        k->param = params++;
        k->value = new_param(b, b->f->ins.p[k->value].type);
    }
    return params;
}

static void write_args(struct build *b, const struct ctl *c, struct edge *d, u32 params, u32 dead) {
    struct fn *f = b->f;
    VEC_ROOM(f, f->pool, params);
    u32 start = f->pool.n, *args = f->pool.p + start;
    f->pool.n += params;
    for (u32 k = 0; k < b->kept.n; k++) args[k] = f->pool.p[d->args + b->kept.p[k]];
    if (params > b->kept.n) memcpy(args + b->kept.n, b->before, (params - b->kept.n) * sizeof *args);
    const u32 *pair = f->pool.p + d->args + c->results;
    for (u32 i = d->pairs; i; i--, pair += 2) {
        if (b->ends[pair[0]] <= dead) continue;
        const struct column *k = &b->columns[b->slot[pair[0]]];
        if (k->differs) args[k->param] = pair[1];
    }
    d->args = start;
}

static void attach_all(struct build *b, const struct ctl *c, u32 params, u32 dead) {
    struct fn *f = b->f;
    charge(b, (u64)(params + 1) * c->edge_count);
    for (u32 e = c->edges, next; e; e = next) {
        next = f->edges.p[e].next;
        if (params) write_args(b, c, &f->edges.p[e], params, dead);
        build_attach(b, e, b->block);
    }
}

static bool merge(struct build *b, struct ctl *c, bool fell, bool close) {
    build_undo_locals(b, c->log);
    b->stack.n = c->height;
    if (!c->edges) return false;
    if (c->edge_count > 1 || !fell) number_release(b->f, c->number);
    u32 dead = dead_end(b);
    gather_columns(b, c, dead);
    build_block(b);
    decide_results(b, c);
    attach_all(b, c, decide_locals(b, c), dead);
    if (close) b->ctls.n--; /* locals now belong to the enclosing label */
    for (u32 i = 0; i < b->column_count && b->ctls.n; i++) build_set_local(b, b->columns[i].local, b->columns[i].value);
    return true;
}

/* fell: the end is reached from just before it, so if that is the only way,
 * what was numbered on the way still dominates. */
bool build_merge(struct build *b, struct ctl *c, bool fell) { return merge(b, c, fell, true); }

bool build_meet(struct build *b, struct ctl *c) { return merge(b, c, false, false); }

/* The loop's PARAMs: its block parameters, then each local that it assigns and that is
 * read in it or behind it (noted by validation). Called before the entry edge is attached. */
void build_loop_params(struct build *b, struct ctl *c) {
    struct fn *f = b->f;
    const struct wasm_func *w = f->wf;
    const u32 *set = w->loop_sets + (size_t)b->loops_seen * w->loop_words;
    c->locals = f->pool.n;
    VEC_PUSH(f, f->pool, 0);
    charge(b, w->loop_words);
    u32 dead = dead_end(b);
    for (u32 i = 0; i < w->loop_words; i++)
        for (u32 bits = set[i]; bits; bits &= bits - 1) {
            u32 local = i * 32 + (u32)__builtin_ctz(bits);
            if (b->ends[local] > dead) VEC_PUSH(f, f->pool, local);
        }
    f->pool.p[c->locals] = f->pool.n - c->locals - 1;
}

/* build_merge.c: edges, and the values that meet where they join.
 *
 * I1 an edge to a forward label remembers only the locals assigned since the
 *    label was opened; all others hold what they held then.
 * I2 a value becomes a PARAM only if two edges disagree about it.
 * I3 the log holds a local at most once per open label, so an edge costs the
 *    distinct locals assigned, not the assignments. */
#include "jit/build.h"

enum { MAX_CELLS = 1 << 24 };

static void charge(struct build *b, u64 cells) {
    b->cells += cells;
    if (b->cells > MAX_CELLS) jit_escape(b->f, ERR_LIMIT);
}

void build_set_local(struct build *b, u32 local, u32 v) {
    u32 mark = b->ctls.p[b->ctls.n - 1].log;
    if (b->logged[local] <= mark) { /* not since the innermost label */
        struct assign a = {local, b->locals[local], b->logged[local]};
        VEC_PUSH(b->f, b->log, a);
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

u32 build_edge(struct build *b) {
    struct edge e = {.from = b->block};
    VEC_PUSH(b->f, b->f->edges, e);
    return b->f->edges.n - 1;
}

void build_attach(struct build *b, u32 edge, u32 block) {
    struct edge *e = &b->f->edges.p[edge];
    struct block *t = &b->f->blocks.p[block];
    e->to = block;
    e->next = t->preds;
    t->preds = edge;
    e->moves = e->label = 0; /* no pairs any more */
}

static u32 new_stamp(struct build *b) { return ++b->stamp_now; }

/* Notes (local, value) for what was assigned since the label was opened. */
static void note_locals(struct build *b, const struct ctl *c, u32 edge) {
    struct fn *f = b->f;
    u32 now = new_stamp(b), start = f->pool.n;
    charge(b, b->log.n - c->log);
    for (u32 i = c->log; i < b->log.n; i++) {
        u32 local = b->log.p[i].local;
        if (b->stamp[local] == now) continue;
        b->stamp[local] = now;
        VEC_PUSH(f, f->pool, local);
        VEC_PUSH(f, f->pool, b->locals[local]);
    }
    f->edges.p[edge].pairs = start;
    f->edges.p[edge].pair_count = (f->pool.n - start) / 2;
}

static void push_args(struct build *b, u32 edge, u32 arity) {
    struct fn *f = b->f;
    u32 start = f->pool.n;
    assert(b->stack.n >= arity);
    charge(b, arity);
    for (u32 i = 0; i < arity; i++) VEC_PUSH(f, f->pool, b->stack.p[b->stack.n - arity + i]);
    f->edges.p[edge].args = start;
    f->edges.p[edge].count = arity;
}

static void edge_to_loop(struct build *b, const struct ctl *c, u32 edge) {
    struct fn *f = b->f;
    u32 count = f->pool.p[c->locals];
    push_args(b, edge, c->params);
    charge(b, count);
    for (u32 i = 1; i <= count; i++) VEC_PUSH(f, f->pool, b->locals[f->pool.p[c->locals + i]]);
    f->edges.p[edge].count += count;
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
    push_args(b, edge, c->results);
    if (c->kind > CTL_INLINE) note_locals(b, c, edge); /* no local outlives a body */
    b->f->edges.p[edge].next = c->edges;
    c->edges = edge;
    c->edge_count++;
}

/* The locals that any edge assigned; slot[] numbers them. Returns a pool index. */
static u32 gather_locals(struct build *b, const struct ctl *c, u32 *count) {
    struct fn *f = b->f;
    u32 now = new_stamp(b), start = f->pool.n;
    for (u32 e = c->edges; e; e = f->edges.p[e].next) {
        struct edge d = f->edges.p[e];
        for (u32 i = 0; i < d.pair_count; i++) {
            u32 local = f->pool.p[d.pairs + 2 * i];
            if (b->stamp[local] == now) continue;
            b->stamp[local] = now;
            b->slot[local] = f->pool.n - start;
            VEC_PUSH(f, f->pool, local);
        }
    }
    *count = f->pool.n - start;
    return start;
}

/* One row per edge: results, then locals. */
static void fill_row(struct build *b, const struct ctl *c, const struct edge *d, u32 locals, u32 count, u32 *row) {
    const u32 *pool = b->f->pool.p;
    for (u32 i = 0; i < c->results; i++) row[i] = pool[d->args + i];
    for (u32 i = 0; i < count; i++) row[c->results + i] = b->locals[pool[locals + i]];
    for (u32 i = 0; i < d->pair_count; i++)
        row[c->results + b->slot[pool[d->pairs + 2 * i]]] = pool[d->pairs + 2 * i + 1];
}

static bool column_agrees(const u32 *rows, u32 width, u32 height, u32 k) {
    for (u32 r = 1; r < height; r++)
        if (rows[(size_t)r * width + k] != rows[k]) return false;
    return true;
}

static u32 new_param(struct build *b, u8 type) {
    struct block *k = &b->f->blocks.p[b->block];
    struct ins p = {.op = IR_PARAM, .type = type, .a = b->block, .b = k->params++};
    return ir_append(b->f, p);
}

/* Decides each column: the common value, or a new PARAM. keep[] is compacted
 * to the columns that became PARAMs; returns their number. */
static u32 decide_columns(struct build *b, const u32 *rows, u32 width, u32 height, u32 *values, u32 *keep) {
    u32 kept = 0;
    for (u32 k = 0; k < width; k++) {
        values[k] = rows[k];
        if (column_agrees(rows, width, height, k)) continue;
        values[k] = new_param(b, b->f->ins.p[rows[k]].type);
        keep[kept++] = k;
    }
    return kept;
}

static void write_args(struct build *b, const struct ctl *c, const u32 *rows, u32 width, const u32 *keep, u32 kept) {
    struct fn *f = b->f;
    u32 r = 0;
    for (u32 e = c->edges, next; e; e = next, r++) {
        next = f->edges.p[e].next;
        u32 start = f->pool.n;
        for (u32 k = 0; k < kept; k++) VEC_PUSH(f, f->pool, rows[(size_t)r * width + keep[k]]);
        f->edges.p[e].args = start;
        f->edges.p[e].count = kept;
        build_attach(b, e, b->block);
    }
}

static bool merge(struct build *b, struct ctl *c, bool fell, bool close) {
    struct fn *f = b->f;
    build_undo_locals(b, c->log);
    b->stack.n = c->height;
    if (!c->edges) return false;
    if (c->edge_count > 1 || !fell) number_release(f, c->number);
    u32 count, locals = gather_locals(b, c, &count), width = c->results + count;
    charge(b, (u64)width * c->edge_count);
    size_t cells = (size_t)width * (c->edge_count + 2);
    u32 *rows = jit_alloc(f, cells, sizeof(u32));
    u32 *values = rows + (size_t)width * c->edge_count, *keep = values + width, r = 0;
    for (u32 e = c->edges; e; e = f->edges.p[e].next)
        fill_row(b, c, &f->edges.p[e], locals, count, rows + (size_t)width * r++);
    build_block(b);
    u32 kept = decide_columns(b, rows, width, c->edge_count, values, keep);
    write_args(b, c, rows, width, keep, kept);
    for (u32 i = 0; i < c->results; i++) push(b, values[i]);
    if (close) b->ctls.n--; /* locals now belong to the enclosing label */
    for (u32 i = 0; i < count && b->ctls.n; i++)
        build_set_local(b, f->pool.p[locals + i], values[c->results + i]);
    jit_give(f, rows, cells * sizeof(u32));
    return true;
}

/* fell: the end is reached from just before it, so if that is the only way,
 * what was numbered on the way still dominates. */
bool build_merge(struct build *b, struct ctl *c, bool fell) { return merge(b, c, fell, true); }

bool build_meet(struct build *b, struct ctl *c) { return merge(b, c, false, false); }

/* The loop's PARAMs: its block parameters, then each local that it assigns
 * (noted by validation). Called before the entry edge is attached. */
void build_loop_params(struct build *b, struct ctl *c) {
    struct fn *f = b->f;
    const struct wasm_func *w = f->wf;
    const u32 *set = w->loop_sets + (size_t)b->loops_seen * w->loop_words;
    c->locals = f->pool.n;
    VEC_PUSH(f, f->pool, 0);
    charge(b, w->loop_words);
    for (u32 i = 0; i < w->loop_words; i++)
        for (u32 bits = set[i]; bits; bits &= bits - 1)
            VEC_PUSH(f, f->pool, i * 32 + (u32)__builtin_ctz(bits));
    f->pool.p[c->locals] = f->pool.n - c->locals - 1;
}

/* build_throw.c: throwing, and where it is caught.
 *
 * A call inside a try gets a pad for each handler that it may reach: a block that
 * takes the payload and jumps on to the handler's label with the locals as they
 * were at the call. It is made when the handler's scope ends, so that blocks stay
 * in code order; until then it is an edge. Calls share a pad if no local changed
 * in between.
 *
 * I1 a clause's pads are made exactly when its scope ends.
 * I2 beyond a clause that catches all, nothing is looked for; beyond one of a tag,
 *    none of that tag. So a site has at most as many pads as there are tags. */
#include "base/fault.h"
#include "jit/build.h"

enum { MAX_CATCHES = 1 << 20, MAX_PADS = 1 << 17, MAX_STEPS = 1 << 24 };

static const struct wasm_functype *tag_type(const struct build *b, u32 tag) {
    return &b->f->m->types[b->f->m->tags[tag].type];
}

/* Values that a clause carries: the payload, then perhaps the exception. */
static u32 carried(const struct build *b, const struct clause *k) {
    return (k->tag == WASM_NONE ? 0 : tag_type(b, k->tag)->param_count) + k->ref;
}

/* ---- scopes ---- */

static u32 new_scope(struct build *b, u32 parent) {
    if (!b->scopes.n) VEC_PUSH(b->f, b->scopes, (struct scope){0});
    if (!b->pads.n) VEC_PUSH(b->f, b->pads, (struct pad){0});
    struct scope s = {.parent = parent, .first = b->clauses.n};
    VEC_PUSH(b->f, b->scopes, s);
    return b->scopes.n - 1;
}

static void add_clause(struct build *b, u32 scope, struct clause k) {
    assert(b->scopes.p[scope].first + b->scopes.p[scope].count == b->clauses.n);
    VEC_PUSH(b->f, b->clauses, k);
    b->scopes.p[scope].count++;
}

void build_try_table(struct build *b, struct ctl c) {
    struct wasm_catch k;
    if (b->in.a) {
        c.own = new_scope(b, c.scope);
        while (wasm_take_catch(&b->in.labels, &k)) {
            assert(k.label < b->ctls.n);
            struct clause x = {.tag = k.all ? WASM_NONE : k.tag, .ref = k.ref, .target = b->ctls.n - 1 - k.label};
            add_clause(b, c.own, x);
        }
        c.scope = c.own;
    }
    VEC_PUSH(b->f, b->ctls, c);
}

/* ---- legacy: what stands behind a try ---- */

static void note_clause(struct build *b, u32 try, u32 tag) {
    struct old_clause k = {.tag = tag};
    VEC_PUSH(b->f, b->old_clauses, k);
    struct old_try *t = &b->old_tries.p[try];
    if (t->last) b->old_clauses.p[t->last].next = b->old_clauses.n - 1;
    else t->clauses = b->old_clauses.n - 1;
    t->last = b->old_clauses.n - 1;
}

/* open: per block, 1 + the try that it is, or 0. Returns the new depth. */
static u32 scan_one(struct build *b, const struct wasm_instr *in, u32 *open, u32 depth) {
    u32 try = depth ? open[depth - 1] : 0;
    switch (in->op) {
    case WASM_OP_TRY: VEC_PUSH(b->f, b->old_tries, (struct old_try){0}); open[depth] = b->old_tries.n; return depth + 1;
    case WASM_OP_BLOCK:
    case WASM_OP_LOOP:
    case WASM_OP_IF:
    case WASM_OP_TRY_TABLE: open[depth] = 0; return depth + 1;
    case WASM_OP_CATCH: note_clause(b, try - 1, in->a); return depth;
    case WASM_OP_CATCH_ALL: note_clause(b, try - 1, WASM_NONE); return depth;
    case WASM_OP_RETHROW: /* to the clause that is the newest so far */
        b->old_clauses.p[b->old_tries.p[open[depth - 1 - in->a] - 1].last].rethrown = true;
        return depth;
    case WASM_OP_DELEGATE:
        b->old_tries.p[try - 1].delegates = true;
        b->old_tries.p[try - 1].label = in->a;
        return depth - 1;
    case WASM_OP_END: return depth - 1;
    default: return depth;
    }
}

void build_scan_tries(struct build *b) {
    const struct wasm_func *w = b->f->wf;
    const char *why;
    struct wasm_instr in;
    if (!w->has_try) return;
    struct cursor c = body_of(b->f, w);
    u32 *open = jit_alloc(b->f, w->max_depth + 1, sizeof *open), depth = 1; /* the body */
    VEC_PUSH(b->f, b->old_clauses, (struct old_clause){0});
    while (depth) {
        enum err e = wasm_take_instr(&c, &in, &why);
        assert(!e);
        depth = scan_one(b, &in, open, depth);
    }
}

/* A handler's body begins where its pads meet: a label of its own, with the
 * payload and, for a rethrow, the exception. */
static void add_handler(struct build *b, const struct ctl *c, u32 scope, const struct old_clause *old) {
    struct clause k = {.tag = old->tag, .ref = old->rethrown, .target = b->handlers.n, .legacy = true};
    struct ctl h = {.kind = CTL_BLOCK, .results = carried(b, &k), .height = c->height, .log = c->log,
                    .number = c->number, .caught = k.ref};
    VEC_PUSH(b->f, b->handlers, h);
    add_clause(b, scope, k);
}

void build_try(struct build *b, struct ctl c) {
    struct old_try t = b->old_tries.p[b->tries_seen++];
    c.handlers = b->handlers.n;
    if (t.clauses) {
        c.own = new_scope(b, c.scope);
        for (u32 k = t.clauses; k; k = b->old_clauses.p[k].next) add_handler(b, &c, c.own, &b->old_clauses.p[k]);
        c.scope = c.own;
    } else if (t.delegates) {
        assert(t.label < b->ctls.n);
        c.scope = b->ctls.p[b->ctls.n - 1 - t.label].scope;
    }
    VEC_PUSH(b->f, b->ctls, c);
}

/* After the part before it has jumped to the end: makes the body's pads, then
 * the next handler's first block. */
void build_catch(struct build *b) {
    struct ctl *c = &b->ctls.p[b->ctls.n - 1];
    if (c->own) build_end_scope(b, c);
    c->kind = CTL_CATCH;
    struct ctl h = b->handlers.p[c->handlers++];
    b->dead = !build_meet(b, &h);
    if (!b->dead && h.caught) c->caught = pop(b);
}

/* ---- throwing ---- */

static u32 new_pad(struct build *b, u32 clause) {
    struct clause *k = &b->clauses.p[clause];
    struct pad p = {.clause = clause, .edge = build_edge(b), .next = k->pads, .stamp = b->assigns};
    u32 n = carried(b, k);
    for (u32 i = 0; i < n; i++) push(b, b->f->blocks.p[1].first); /* until make_pad knows */
    build_edge_to(b, p.edge, k->legacy ? &b->handlers.p[k->target] : &b->ctls.p[k->target]);
    b->stack.n -= n;
    VEC_PUSH(b->f, b->pads, p);
    return k->pads = b->pads.n - 1;
}

static u32 pad_of(struct build *b, u32 clause) {
    u32 newest = b->clauses.p[clause].pads;
    bool same = newest && (b->pads.p[newest].stamp == b->assigns || fault(PAD_SHARED));
    return same ? newest : new_pad(b, clause);
}

void build_site(struct build *b, u32 call) {
    struct fn *f = b->f;
    if (!b->ctls.p[b->ctls.n - 1].scope) return;
    struct site s = {.call = call, .first = f->catches.n};
    bool all = false;
    if (!b->tag_seen) b->tag_seen = jit_alloc(f, f->m->tag_count, sizeof(u32));
    b->site_number++;
    for (u32 k = b->ctls.p[b->ctls.n - 1].scope; k && !all; k = b->scopes.p[k].parent) {
        struct scope scope = b->scopes.p[k];
        for (u32 i = scope.first; i < scope.first + scope.count && !all; i++) {
            struct clause *c = &b->clauses.p[i];
            if (++b->clause_steps > MAX_STEPS) jit_escape(f, ERR_LIMIT);
            all = c->tag == WASM_NONE;
            if (!all && b->tag_seen[c->tag] == b->site_number) continue;
            if (!all) b->tag_seen[c->tag] = b->site_number;
            struct catch x = {c->tag, pad_of(b, i), c->ref};
            VEC_PUSH(f, f->catches, x);
        }
    }
    s.count = f->catches.n - s.first;
    if (f->catches.n > MAX_CATCHES || b->pads.n > MAX_PADS) jit_escape(f, ERR_LIMIT);
    if (s.count) VEC_PUSH(f, f->sites, s);
}

static u32 caught(struct build *b, u8 type, u32 which) {
    return ir_append(b->f, (struct ins){.op = IR_CAUGHT, .type = type, .a = which});
}

static void make_pad(struct build *b, struct pad *p) {
    struct fn *f = b->f;
    const struct clause *k = &b->clauses.p[p->clause];
    u32 n = carried(b, k) - k->ref, args = f->edges.p[p->edge].args;
    p->block = build_block(b);
    f->blocks.p[p->block].pad = true;
    VEC_PUSH(f, f->pads, p->block);
    for (u32 i = 0; i < n; i++) f->pool.p[args + i] = caught(b, ir_type_of(tag_type(b, k->tag)->params[i]), i);
    if (k->ref) f->pool.p[args + n] = caught(b, T_I32, WASM_NONE);
    f->edges.p[p->edge].from = p->block;
    build_end_block(b, (struct ins){.op = IR_JUMP, .a = p->edge});
}

void build_end_scope(struct build *b, struct ctl *c) {
    struct scope s = b->scopes.p[c->own];
    b->dead = false;
    for (u32 i = s.first; i < s.first + s.count; i++)
        for (u32 p = b->clauses.p[i].pads; p; p = b->pads.p[p].next) make_pad(b, &b->pads.p[p]);
    c->own = 0;
    c->scope = s.parent;
}

void build_finish_sites(struct build *b) {
    struct fn *f = b->f;
    for (u32 i = 0; i < f->catches.n; i++) {
        f->catches.p[i].block = b->pads.p[f->catches.p[i].block].block;
        assert(f->catches.p[i].block);
    }
}

void build_throw(struct build *b) {
    struct fn *f = b->f;
    struct ins i = {.op = IR_THROW_REF};
    f->calls = true;
    if (b->in.op == WASM_OP_THROW) {
        u32 n = tag_type(b, b->in.a)->param_count;
        i = (struct ins){.op = IR_THROW, .a = build_pool_args(b, n), .b = n, .c = b->in.a};
    } else if (b->in.op == WASM_OP_THROW_REF) {
        i.a = pop(b);
    } else {
        i.a = b->ctls.p[b->ctls.n - 1 - b->in.a].caught;
        assert(i.a);
    }
    build_end_block(b, i);
    build_site(b, f->blocks.p[b->block].last);
}

/* replay.c: a function's runs, from every block and RUNS states each, once unchanged,
 * and for each mutant those that the change can reach.
 *
 * I1 a run that executes no changed instruction and reads no changed byte, from a block
 *    of which the proof knows the same as before, is the run of the unchanged function,
 *    step by step: machine.c begins both with the same state. It is not made again.
 * I2 one in `audit` of these is made nonetheless, and must leave the same trace. */
#include "test/verify/mutate.h"

struct block {
    u32 at, known; /* offset in the function */
    bool has_r11, impossible;
    struct value r11;
    u64 trace[RUNS];
    u8 *cover[RUNS];
};

struct replay_function {
    u32 count;
    struct block *blocks;
};

enum { BLOCKS_MAX = 8192, BITS_MAX = 1 << 21 };
static struct block blocks[BLOCKS_MAX]; /* of the function at hand */
static u8 changed[BITS_MAX / 8];

/* ---- the blocks of the function that was proven last ---- */

/* What r11 holds at a retry loop is kept by the proof for the last one only. So: prove
 * with points of which the later ones do not keep r11. Whether that proof succeeds
 * does not matter: up to this point it is the same. */
static struct value kept_at(struct verifier *v, struct verifier *other, u32 pc, struct verify_point *points) {
    struct verify_module m = *v->m;
    struct verify_error why;
    memcpy(points, m.points, m.point_count * sizeof *points);
    for (u32 k = 0; k < m.point_count; k++)
        if (points[k].pc > pc) points[k].keep &= ~(1u << R11);
    m.points = points;
    other->m = &m;
    other->why = &why;
    verify_function(other, v->index);
    assert(other->loop_pc == pc);
    return other->loop_value;
}

static void note_r11(struct replay *r, u32 pc, u32 f, struct block *b) {
    struct verifier *v = r->v, other = *v;
    b->has_r11 = true;
    b->r11 = v->loop_value;
    b->impossible = !machine_possible(&b->r11);
    if (v->loop_pc == pc) return;
    struct arena_mark mark = arena_mark(r->arena);
    other.failed = false;
    other.switched = 0;
    other.trap = r->traps[f];
    other.point = r->points[f];
    other.marks = ARENA_ARRAY(r->arena, u32, v->m->funcs[f].end - v->m->funcs[f].entry);
    b->r11 = kept_at(v, &other, pc, ARENA_ARRAY(r->arena, struct verify_point, v->m->point_count));
    b->impossible = !machine_possible(&b->r11);
    arena_release(r->arena, mark);
}

static u32 list_blocks(struct replay *r, u32 f) {
    const struct verify_func *fn = &r->v->m->funcs[f];
    u32 n = 0;
    for (u32 at = 0; at < fn->end - fn->entry; at++) {
        u32 mark = r->v->marks[at];
        if (at && !(mark & M_START && mark & (M_PENDING | M_POINT))) continue;
        assert(n < BLOCKS_MAX);
        struct block *b = &blocks[n++];
        *b = (struct block){.at = at, .known = at ? K_ALL & ~mark : 0};
        if (mark & M_KEPT) note_r11(r, fn->entry + at, f, b);
    }
    return n;
}

/* ---- runs ---- */

static u64 mix(u64 x) { /* splitmix64 */
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static const char *run(struct replay *r, u32 f, const struct block *b, u32 n, u8 *cover, u64 *trace) {
    u32 pc = r->v->m->funcs[f].entry + b->at;
    struct run x = {f, pc, b->known, b->has_r11 ? &b->r11 : NULL, mix(mix(r->seed ^ pc) + n), cover, 0};
    const char *escape = machine_run(r->machine, &x);
    *trace = x.trace;
    if (escape) r->at = b->at, r->known = b->known;
    return escape;
}

static u8 *cover_of(struct replay *r, u32 bits) {
    enum { PROLOGUE = 8 }; /* what it saves is read by machine.c before any run */
    u8 *c = arena_alloc(r->arena, (bits + 7) / 8 + 8);
    assert(c && bits <= BITS_MAX);
    memset(c, 0xff, PROLOGUE / 8);
    return c;
}

const char *replay_record(struct replay *r, u32 f) {
    const char *escape = NULL;
    u32 count = list_blocks(r, f), bits = machine_bits(r->machine, f);
    struct replay_function *fn = r->functions[f] = ARENA_NEW(r->arena, struct replay_function);
    machine_patch(r->machine, f, NULL);
    for (u32 i = 0; i < count && !escape; i++)
        for (u32 n = 0; n < RUNS && !escape && !blocks[i].impossible; n++) {
            blocks[i].cover[n] = cover_of(r, bits);
            escape = run(r, f, &blocks[i], n, blocks[i].cover[n], &blocks[i].trace[n]);
        }
    fn->count = count;
    fn->blocks = ARENA_ARRAY(r->arena, struct block, count);
    memcpy(fn->blocks, blocks, count * sizeof *blocks);
    return escape;
}

static bool touches(const u8 *cover, u32 low, u32 high) { /* bytes of changed that are not zero */
    for (u32 k = low; k < high; k++)
        if (cover[k] & changed[k]) return true;
    return false;
}

/* The block of the unchanged function at which the same is known. */
static const struct block *same_block(const struct replay_function *f, const struct block *b) {
    u32 low = 0, high = f->count;
    while (low < high) {
        u32 mid = (low + high) / 2;
        if (f->blocks[mid].at < b->at) low = mid + 1;
        else high = mid;
    }
    const struct block *o = &f->blocks[low];
    if (low == f->count || o->at != b->at || o->known != b->known || o->has_r11 != b->has_r11) return NULL;
    return memcmp(&o->r11, &b->r11, sizeof b->r11) ? NULL : o;
}

static bool audited(struct replay *r) { return r->audit && random64(&r->random) % r->audit == 0; }

static const char *run_block(struct replay *r, u32 f, const struct block *b, u32 low, u32 high) {
    const struct block *same = same_block(r->functions[f], b);
    const char *escape = NULL;
    r->tally->blocks++;
    r->tally->impossible += b->impossible;
    if (b->impossible) return NULL;
    for (u32 n = 0; n < RUNS && !escape; n++) {
        bool is_same = same && !touches(same->cover[n], low, high), audit = is_same && audited(r);
        u64 trace;
        r->tally->runs++;
        r->tally->same += is_same;
        if (is_same && !audit) continue;
        escape = run(r, f, b, n, NULL, &trace);
        r->tally->audited += audit;
        r->tally->differ += audit && (escape || trace != same->trace[n]);
    }
    return escape;
}

/* A block of the unchanged function, where it is now. */
static struct block moved(const struct replay *r, u32 f, const struct block *b) {
    u32 entry = r->s->was.funcs[f].entry;
    struct block now = *b;
    now.at = edit_moved(r->s, entry + b->at) - entry;
    return now;
}

const char *replay_mutant(struct replay *r, u32 f, bool off) {
    const struct replay_function *fn = r->functions[f];
    const char *escape = NULL;
    u32 low = 0, high = (machine_bits(r->machine, f) + 7) / 8, count = fn->count;
    machine_patch(r->machine, f, changed);
    while (low < high && !changed[low]) low++;
    while (low < high && !changed[high - 1]) high--;
    if (!off) count = list_blocks(r, f);
    for (u32 i = 0; i < count && !escape; i++) {
        if (off) blocks[i] = moved(r, f, &fn->blocks[i]);
        escape = run_block(r, f, &blocks[i], low, high);
    }
    return escape;
}

/* verify.c: the tables first, then each function, then the glue's entries.
 *
 * I1 functions ascend and do not overlap; what lies between is never reached.
 * I2 every entry of the trap table and every point was met where it says. */
#include "verify/internal.h"

static const char *const texts[] = {
#define X(name, text) [VERIFY_##name] = text,
    VERIFY_RULES(X)
#undef X
};

const char *verify_rule_text(enum verify_rule r) { return r < VERIFY_RULE_COUNT ? texts[r] : "?"; }

bool verify_fail(struct verifier *v, enum verify_rule rule, u32 at) {
    if (!v->failed) *v->why = (struct verify_error){rule, v->f ? v->index : UINT32_MAX, at};
    v->failed = true;
    return false;
}

enum { LOOKAHEAD = 64, CODE_MAX = 1 << 30 }; /* what decoding and templates may read behind an instruction */

static bool table_is_sane(struct verifier *v) {
    const struct verify_module *m = v->m;
    u32 at = 0;
    if (m->size > CODE_MAX || m->code_end > m->size || m->glue_start > m->glue_end || m->glue_end > m->code_end) return FAIL(v, TABLES);
    for (u32 k = 0; k < m->func_count; k++) {
        const struct verify_func *f = &m->funcs[k];
        v->pc = f->entry;
        if (f->entry % 16 || f->entry < at + 4 || f->end <= f->entry || f->end > m->glue_start) return FAIL(v, TABLES);
        if (f->type >= m->type_count || !m->types[f->type].id) return FAIL(v, TABLES);
        if ((u32)read32(code_at(v, f->entry - 4)) != m->types[f->type].id) return FAIL(v, TABLES);
        at = f->end;
    }
    return m->func_count == 0 || m->size - at >= LOOKAHEAD ? true : FAIL(v, TABLES);
}

/* What a proof needs of memory; false: none. */
static bool take_room(struct verifier *v, struct arena *a) {
    const struct verify_module *m = v->m;
    u32 longest = 0;
    for (u32 k = 0; k < m->func_count; k++) longest = MAX(longest, m->funcs[k].end - m->funcs[k].entry);
    v->entries = ARENA_ARRAY(a, u8, m->code_end / 128 + 1);
    v->glue = ARENA_ARRAY(a, u8, m->glue_end - m->glue_start + 1);
    v->marks = ARENA_ARRAY(a, u32, longest + 1);
    if (!v->entries || !v->glue || !v->marks) return FAIL(v, NOMEM);
    for (u32 k = 0; k < m->func_count; k++) v->entries[m->funcs[k].entry / 128] |= (u8)(1 << m->funcs[k].entry / 16 % 8);
    return true;
}

/* Is there a pad at pc? */
static bool is_pad(const struct verify_module *m, u32 pc) {
    u32 low = 0, high = m->point_count;
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (m->points[mid].pc < pc) low = mid + 1;
        else high = mid;
    }
    while (low < m->point_count && m->points[low].pc == pc && !(m->points[low].keep & VERIFY_PAD)) low++;
    return low < m->point_count && m->points[low].pc == pc;
}

/* A handler belongs to the function of the call: its frame is the one that is entered. */
static bool sites_are_sane(struct verifier *v) {
    const struct verify_module *m = v->m;
    const struct verify_func *f = m->funcs, *end = m->funcs + m->func_count;
    for (u32 k = 0; k < m->site_count; k++) {
        const struct verify_site *s = &m->sites[k];
        v->pc = s->pc;
        if (k && s->pc <= m->sites[k - 1].pc) return FAIL(v, TABLES);
        while (f < end && f->end < s->pc) f++;
        if (f == end || s->pc <= f->entry || s->first > m->catch_count || s->count > m->catch_count - s->first) return FAIL(v, TABLES);
        for (u32 i = s->first; i < s->first + s->count; i++) {
            const struct verify_catch *c = &m->catches[i];
            if (c->pc < f->entry || c->pc >= f->end || !is_pad(m, c->pc)) return FAIL(v, TABLES);
            if (c->tag != UINT32_MAX && c->tag >= m->tag_count) return FAIL(v, TABLES);
        }
    }
    return true;
}

bool verify_begin(struct verifier *v, struct arena *scratch) {
    const struct verify_module *m = v->m; /* what memory.c's `guarded` says of memory 0, any 32 bits and a displacement: */
    bool plain = m->counts.memories && m->guarded[0] && m->back >= UINT32_MAX;
    v->plain_low = plain ? -(i64)m->front : INT64_MAX;
    v->plain_high = plain ? (i64)m->back - UINT32_MAX : INT64_MIN;
    return table_is_sane(v) && take_room(v, scratch);
}

static bool prove(struct verifier *v, struct arena *scratch) {
    const struct verify_module *m = v->m;
    if (!verify_begin(v, scratch)) return false;
    for (u32 k = 0; k < m->func_count; k++)
        if (!verify_function(v, k)) return false;
    v->f = NULL;
    v->pc = m->code_end;
    if (v->trap != m->trap_count) return FAIL(v, TRAPS);
    if (v->point != m->point_count) return FAIL(v, BRANCH);
    return sites_are_sane(v) && verify_glue(v);
}

enum err verify_code(struct arena *scratch, const struct verify_module *m, struct verify_error *why) {
    struct arena_mark mark = arena_mark(scratch);
    struct verifier v = {.m = m, .why = why};
    bool ok = prove(&v, scratch);
    assert(ok != v.failed);
    arena_release(scratch, mark);
    if (ok) return ERR_OK;
    return why->rule == VERIFY_NOMEM ? ERR_NOMEM : ERR_PROOF;
}

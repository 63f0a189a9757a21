/* flow.c: labels, jumps, calls, the entry of a function.
 *
 * I1 marks[] has, per byte of the function: M_POINT where a point is, M_PENDING where a
 *    jump forward leads to, and which bits of `known` any that comes there lacks; once
 *    the proof has passed, M_START, too.
 * I2 `pending` counts what it has not passed: a jump into an instruction leaves it above
 *    zero.
 * I3 code behind an unconditional transfer is dead until something joins. */
#include "verify/internal.h"

bool verify_backward(struct verifier *v, u32 from, i64 target) {
    if (target < v->f->entry || target >= v->f->end) return verify_fail(v, VERIFY_BRANCH, from);
    u32 at = (u32)target - v->f->entry, m = v->marks[at];
    if (!(m & M_POINT) || !(m & M_START) || K_ALL & ~(v->known | m)) return verify_fail(v, VERIFY_BRANCH, from);
    if (m & M_KEPT) {
        bool same = v->special >> R11 & 1 && v->loop_pc == v->f->entry + at &&
                    !memcmp(&v->values[R11], &v->loop_value, sizeof v->loop_value);
        if (!same) return verify_fail(v, VERIFY_BRANCH, from);
    }
    return true;
}

/* The function's points: there only what the mask keeps is known. Before the walk, so
 * that a point inside of an instruction is as a jump there: pending for ever. */
static bool mark_points(struct verifier *v) {
    const struct verify_module *m = v->m;
    for (; v->point < m->point_count && m->points[v->point].pc < v->f->end; v->point++) {
        u32 pc = m->points[v->point].pc, keep = m->points[v->point].keep & (0xffff | K_SPARE | VERIFY_PAD);
        if (pc < v->pc) return verify_fail(v, VERIFY_BRANCH, pc);
        if (keep & VERIFY_PAD && v->saved != CALLEE_SAVED) return verify_fail(v, VERIFY_SAVED, pc); /* what was unwound has changed them */
        u32 *mark = &v->marks[pc - v->f->entry];
        v->pending += !(*mark & M_POINT);
        *mark |= M_POINT | (K_ALL & ~(keep & VERIFY_PAD ? 0 : keep));
    }
    return true;
}

/* What holds at pc, before the instruction there, if a jump leads to it or it is a point:
 * what all that come know. */
void verify_join(struct verifier *v, u32 *mark) {
    u32 m = *mark, special = 0;
    v->known = (v->dead ? K_ALL : v->known) & ~m;
    *mark = m | M_START | (K_ALL & ~v->known);
    v->pending -= (m & M_POINT ? 1 : 0) + (m & M_PENDING ? 1 : 0);
    if (v->special & ~m & 1 << R11 && !(m & M_PENDING) && !v->dead) { /* a retry loop's point */
        special = 1 << R11;
        v->loop_value = v->values[R11];
        v->loop_pc = v->pc;
        *mark |= M_KEPT;
    }
    v->special = special;
    v->fact.at = v->high.at = 0;
    v->dead = false;
}

static bool is_entry(const struct verifier *v, i64 target) {
    if (target < 0 || target >= v->m->code_end || target % 16) return false;
    return v->entries[target / 128] >> (target / 16 % 8) & 1;
}

/* A jump out of the function, from `from`, its frame gone: its callee takes its place. */
bool verify_leave_by(struct verifier *v, u32 from, i64 target) {
    if (is_entry(v, target)) return true;
    enum glue_kind k = target >= v->m->glue_start && target < v->m->glue_end ? verify_glue_at(v, (u32)target) : GLUE_UNKNOWN;
    if (v->failed) return false;
    if (k == GLUE_TAIL || (k == GLUE_TAIL_CROSS && v->known & K_TYPED)) return true;
    return verify_fail(v, k == GLUE_TAIL_CROSS ? VERIFY_INDIRECT : VERIFY_CALL, from);
}

bool verify_jump(struct verifier *v, i64 target) {
    verify_end(v);
    if (target >= v->f->entry && target < v->f->end && target != v->f->entry) return verify_branch(v, v->pc, target);
    if (v->f->frame) return FAIL(v, RETURN);
    return verify_leave_by(v, v->pc, target);
}

void verify_prove_by(struct verifier *v, u8 condition, u32 next) {
    struct fact x = v->fact;
    v->fact = (struct fact){0};
    if (x.kind == F_BOUND && condition == 7) { /* not above */
        struct value n = v->values[x.reg];
        u64 low = v->special >> x.reg & 1 && (n.kind == NUMBER || n.kind == LEAST) ? n.low : 0;
        v->values[x.reg] = (struct value){CHECKED, x.index, low, 0};
        v->special |= 1u << x.reg;
    } else if (x.kind == F_CARRY && condition == 2 && v->special >> x.reg & 1 && v->values[x.reg].kind == CARRY) { /* no carry */
        v->values[x.reg].kind = LEAST;
    } else if (x.kind == F_LIMIT && condition == 3) { /* below */
        v->fact = (struct fact){.at = next, .kind = F_LIMIT, .index = x.index, .w = 1};
    } else if (x.kind == F_ZERO && condition == 4) { /* not zero */
        x.kind = F_DIVISOR;
        x.nonzero = true;
        x.at = next;
        v->fact = x;
    }
}

/* Only what the convention preserves survives. */
void verify_called(struct verifier *v) {
    v->known &= CALLEE_SAVED | K_SPARE;
    v->special &= CALLEE_SAVED;
}

bool verify_call(struct verifier *v, i64 target) {
    if (v->f->frame % 16 != 8) return FAIL(v, ALIGN);
    if (!is_entry(v, target)) {
        enum glue_kind k = target >= v->m->glue_start && target < v->m->glue_end ? verify_glue_at(v, (u32)target) : GLUE_UNKNOWN;
        if (v->failed) return false;
        if (k == GLUE_CROSS && !(v->known & K_TYPED)) return FAIL(v, INDIRECT);
        if (k != GLUE_CALL && k != GLUE_CROSS) return FAIL(v, CALL);
    }
    verify_called(v);
    return true;
}

/* ---- the entry: saved registers, then the frame, every page of it touched ---- */

static const u8 *take_saves(struct verifier *v, const u8 *p) {
    v->saved = 0;
    if (*p == 0x53) v->saved |= 1 << RBX, p++;
    if (*p == 0x55) v->saved |= 1 << RBP, p++;
    if (p[0] == 0x41 && p[1] == 0x54) v->saved |= 1 << R12, p += 2;
    if (p[0] == 0x41 && p[1] == 0x55) v->saved |= 1 << R13, p += 2;
    return p;
}

/* sub rsp, n. Of a negative n nothing is taken: that one is no part of an entry. */
static bool take_sub(const u8 **p, u32 *n) {
    const u8 *q = *p;
    if (q[0] != 0x48 || (q[1] != 0x83 && q[1] != 0x81) || q[2] != 0xec) return false;
    i32 by = q[1] == 0x83 ? (i8)q[3] : read32(q + 3);
    *p += by <= 0 ? 0 : q[1] == 0x83 ? 4 : 7;
    *n = (u32)by;
    return by > 0;
}

enum { PROBE = 4096, FRAME_MAX = 1 << 28 };

bool verify_prologue(struct verifier *v) {
    const u8 *start = code_at(v, v->f->entry), *p = take_saves(v, start);
    const u8 *end = code_at(v, v->f->end);
    u32 saves = 0, step = 0;
    for (u32 m = v->saved; m; m &= m - 1) saves += 8;
    v->slots = 0;
    while (p < end && v->slots < FRAME_MAX && take_sub(&p, &step)) {
        static const u8 probe[] = {0x85, 0x04, 0x24}; /* test [rsp], eax */
        v->slots += step;
        if (step > PROBE) return FAIL(v, FRAME);
        if (step < PROBE || memcmp(p, probe, sizeof probe)) break;
        p += sizeof probe;
    }
    v->pc = v->f->entry + (u32)(p - start);
    if (v->slots + saves != v->f->frame || v->slots % 8 || p >= end) return FAIL(v, FRAME);
    v->writable = 0xffff & ~(u32)PINNED & (~(u32)CALLEE_SAVED | v->saved);
    return mark_points(v);
}

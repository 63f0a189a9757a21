/* mutants.c: what may be changed in emitted code, a thing or two at a time, and in what
 * kind of instruction that is.
 *
 * I1 instructions begin where the proof of the unchanged function says; templates
 *    (verify/template.c) count as one. */
#include "test/verify/mutate.h"

/* ---- classes ---- */

static bool in_try(const struct verify_module *m, u32 return_pc) {
    for (u32 k = 0; k < m->site_count; k++)
        if (m->sites[k].pc == return_pc) return m->sites[k].count > 0;
    return false;
}

static bool is_pad(const struct verify_module *m, u32 pc) {
    for (u32 k = 0; k < m->point_count; k++)
        if (m->points[k].pc == pc && m->points[k].keep & VERIFY_PAD) return true;
    return false;
}

static enum mutant_class of_access(const struct insn *d) {
    bool vector = d->width == 16 && (d->f.reg | d->f.rm) & A_VECTOR;
    switch (d->base) {
    case RSP: return CLASS_FRAME;
    case R14: return CLASS_CONTEXT;
    case RIP: return CLASS_CONSTANT;
    case R15: return vector ? CLASS_VECTOR_MEMORY : CLASS_MEMORY;
    default: return vector ? CLASS_VECTOR_MEMORY : CLASS_FURTHER;
    }
}

static bool locks(const struct insn *d) {
    return d->lock || d->f.role == CMPXCHG || d->f.role == FENCE || (d->f.rm == GB8 && d->opcode == 0x86) || d->opcode == 0x87;
}

static enum mutant_class of_operands(const struct insn *d) {
    bool memory = d->rm == NO_REG && d->f.role < PLAIN && d->f.role != LEA;
    if (d->f.role < PLAIN && memory && locks(d)) return CLASS_ATOMIC;
    if (memory && d->f.role != NOP && d->f.role != FENCE) return of_access(d);
    if (d->f.role == G_UNARY && (d->reg & 7) >= 6) return CLASS_DIVIDE;
    if (d->f.role == G_VSHIFT) return CLASS_VECTOR;
    if (!((d->f.reg | d->f.rm) & A_VECTOR)) return CLASS_INTEGER;
    return d->width == 16 ? CLASS_VECTOR : CLASS_FLOAT;
}

/* Of the instruction or template [at, end) of f. */
static enum mutant_class class_at(const struct verify_module *m, const struct verify_func *f, const u8 *code, u32 at, u32 end) {
    struct insn d;
    if (is_pad(m, at)) return CLASS_PAD;
    if (at == f->entry || !verify_decode(code + at, &d)) return CLASS_LEAVE;
    i64 target = (i64)at + d.length + d.imm;
    switch (d.f.role) {
    case CALL: return in_try(m, end) ? CLASS_THROW : CLASS_CALL;
    case JUMP8:
    case JUMP32: return target > f->entry && target < f->end ? CLASS_BRANCH : CLASS_TAIL;
    case JCC8:
    case JCC32: return CLASS_BRANCH;
    case UD2: return CLASS_TRAP;
    case RET: return CLASS_LEAVE;
    case G_FF: return (d.reg & 7) == 2 || (d.reg & 7) == 4 ? CLASS_INDIRECT : of_operands(&d);
    case CMP: return end - at > d.length ? CLASS_INDIRECT : of_operands(&d);
    case LEA: return end - at > d.length ? CLASS_SWITCH : CLASS_INTEGER;
    case POP: return code[end - 1] == 0xc3 ? CLASS_LEAVE : CLASS_TAIL;
    case G_ALU:
        if (d.rm == RSP) return code[end - 1] == 0xc3 ? CLASS_LEAVE : CLASS_TAIL;
        return end - at > d.length ? CLASS_DIVIDE : of_operands(&d); /* a guard */
    default: return of_operands(&d);
    }
}

static u32 next_start(const struct subject *s, u32 f, u32 at) {
    const struct verify_func *fn = &s->was.funcs[f];
    do at++;
    while (at < fn->end && !(s->marks[f][at - fn->entry] & M_START));
    return at;
}

enum mutant_class mutant_class(const struct subject *s, u32 f) {
    const struct verify_func *fn = &s->was.funcs[f];
    u32 at = s->edit.by ? s->edit.at : fn->entry;
    while (!s->edit.by && at < fn->end && s->bytes[at] == s->original[at]) at++;
    if (at == fn->end) return CLASS_DATA;
    while (at > fn->entry && !(s->marks[f][at - fn->entry] & M_START)) at--;
    return class_at(&s->was, fn, s->original, at, next_start(s, f, at));
}

u32 mutant_classes(const struct subject *s, u32 f) {
    const struct verify_func *fn = &s->facts.funcs[f];
    u32 all = 0;
    for (u32 at = fn->entry, end; at < fn->end; at = end) {
        end = next_start(s, f, at);
        all |= 1u << class_at(&s->facts, fn, s->original, at, end);
    }
    return all;
}

/* ---- mutation ---- */

/* Some instruction's start; *end is where it ends. */
static u32 any_start(const struct subject *s, u32 f, u64 *random, u32 *end) {
    const struct verify_func *fn = &s->facts.funcs[f];
    const u32 *marks = s->marks[f];
    u32 at = (u32)(random64(random) % (fn->end - fn->entry));
    while (at && !(marks[at] & M_START)) at--;
    *end = next_start(s, f, fn->entry + at);
    return fn->entry + at;
}

/* The next one of a class that occurs in f, so that rare classes are not. */
static u32 of_some_class(const struct subject *s, u32 f, u64 *random, u32 *end) {
    const struct verify_func *fn = &s->facts.funcs[f];
    u32 classes = s->classes[f], at = any_start(s, f, random, end), wanted = (u32)(random64(random) % CLASS_COUNT);
    while (!(classes >> wanted & 1)) wanted = (wanted + 1) % CLASS_COUNT;
    while (class_at(&s->facts, fn, s->original, at, *end) != wanted) {
        at = *end < fn->end ? *end : fn->entry;
        *end = next_start(s, f, at);
    }
    return at;
}

static u32 some_start(const struct subject *s, u32 f, u64 *random, u32 *end) {
    return random64(random) & 1 ? any_start(s, f, random, end) : of_some_class(s, f, random, end);
}

static void flip(u8 *bytes, u32 low, u32 high, u64 *random) {
    for (u32 n = 1 + random64(random) % 3; n; n--) bytes[low + random64(random) % (high - low)] ^= (u8)(1 << random64(random) % 8);
}

static void change_tail(u8 *bytes, u32 start, u32 end, u64 *random) { /* the last byte or four: mostly an immediate or displacement */
    u64 x = random64(random);
    if (x & 1 || end - start < 5) bytes[end - 1] = (u8)(x >> 8);
    else if (x & 2) memcpy(bytes + end - 4, (u8 *)&x + 4, 4);
    else {
        i32 was = read32(bytes + end - 4) + (i32)(x >> 8) % 64;
        memcpy(bytes + end - 4, &was, 4);
    }
}

static void swap(struct subject *s, u32 f, u32 a, u32 b) { /* [a, b) with what comes next */
    const struct verify_func *fn = &s->facts.funcs[f];
    u8 copy[128];
    u32 c = b + 1;
    while (c < fn->end && !(s->marks[f][c - fn->entry] & M_START)) c++;
    if (c - a > sizeof copy || c > fn->end) return;
    memcpy(copy, s->bytes + b, c - b);
    memcpy(copy + (c - b), s->bytes + a, b - a);
    memcpy(s->bytes + a, copy, c - a);
}

/* Inverts what may be a conditional jump, in a template, too: a check that is skipped. */
static void invert(u8 *bytes, u32 start, u32 end, u64 *random) {
    u32 n = end - start, from = (u32)(random64(random) % n);
    for (u32 k = 0; k < n; k++) {
        u8 *p = bytes + start + (from + k) % n;
        bool jcc = (*p & 0xf0) == 0x70 || ((*p & 0xf0) == 0x80 && p > bytes + start && p[-1] == 0x0f);
        if (!jcc) continue;
        *p ^= 1;
        return;
    }
    flip(bytes, start, end, random);
}

static void change_register(u8 *bytes, u32 start, u32 end, u64 *random) {
    bytes[start + MIN(end - start - 1, 1 + (u32)(random64(random) % 3))] ^= (u8)(1 << (random64(random) % 6));
}

/* And in one of the next few instructions something, too: a check and what it checks. */
static void change_two(struct subject *s, u32 f, u32 at, u32 end, u64 *random) {
    static void (*const changes[])(u8 *, u32, u32, u64 *) = {flip, change_tail, invert, change_register};
    changes[random64(random) % 4](s->bytes, at, end, random);
    for (u64 k = random64(random) % 4; k && end < s->facts.funcs[f].end; k--) at = end, end = next_start(s, f, at);
    changes[random64(random) % 4](s->bytes, at, end, random);
}

/* Where a length can change is sought for a while. */
static void edit_some(struct subject *s, u32 f, enum mutant_kind kind, u64 *random) {
    enum { TRIES = 32 };
    u32 end;
    for (u32 k = 0; k < TRIES; k++) {
        u32 at = some_start(s, f, random, &end), behind = end;
        if (kind == KIND_INSERTED && edit_insert(s, f, behind, random64(random) & 3 ? any_start(s, f, random, &end) : at)) return;
        if (kind != KIND_INSERTED && edit_make(s, f, kind, at, end, random)) return;
    }
}

enum mutant_kind mutant_make(struct subject *s, u32 f, u64 *random) {
    const struct verify_func *fn = &s->facts.funcs[f];
    enum mutant_kind kind = (enum mutant_kind)(random64(random) % KIND_COUNT);
    u32 end, at = some_start(s, f, random, &end);
    switch (kind) {
    case KIND_FLIPPED: flip(s->bytes, fn->entry, fn->end, random); break;
    case KIND_IMMEDIATE: change_tail(s->bytes, at, end, random); break;
    case KIND_SWAPPED: swap(s, f, at, end); break;
    case KIND_DROPPED: memset(s->bytes + at, 0x90, end - at); break;
    case KIND_INDEXED:
    case KIND_UNINDEXED:
    case KIND_DISPLACED:
    case KIND_INSERTED:
    case KIND_REX: edit_some(s, f, kind, random); break;
    case KIND_CONDITION: invert(s->bytes, at, end, random); break;
    case KIND_REGISTER: change_register(s->bytes, at, end, random); break;
    case KIND_TWO: change_two(s, f, at, end, random); break;
    default:
        if (s->facts.size > s->facts.code_end && random64(random) % 4 == 0) flip(s->bytes, s->facts.code_end, s->facts.size, random);
        else flip(s->bytes, at, end, random);
        break;
    }
    return kind;
}

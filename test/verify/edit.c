/* edit.c: an instruction gets or loses bytes, or another one comes behind it. What follows in its function moves, and
 * whatever names a place there goes with it: jumps, calls, displacements from rip,
 * switch tables, and the compiler's tables of places.
 *
 * I1 entries stay where they are: a function grows into the padding before the next
 *    one's type id, or there is no such mutant.
 * I2 after edit_undo all is as the compiler emitted it. */
#include <Zydis/Zydis.h>

#include "test/verify/mutate.h"

bool edit_open(struct subject *s, struct arena *a) {
    struct verify_module *m = &s->facts;
    s->was = *m;
    s->edit = (struct edit){0};
#define COPY(name, count)                                                   \
    if (!(s->name = arena_alloc(a, (count) * sizeof *s->name + 1))) return false; \
    m->name = s->name;
    COPY(funcs, m->func_count)
    COPY(traps, m->trap_count)
    COPY(points, m->point_count)
    COPY(sites, m->site_count)
    COPY(catches, m->catch_count)
#undef COPY
    edit_undo(s);
    return true;
}

void edit_undo(struct subject *s) {
    const struct verify_module *m = &s->was;
    memcpy(s->bytes, s->original, m->size);
    memcpy(s->funcs, m->funcs, m->func_count * sizeof *m->funcs);
    if (m->trap_count) memcpy(s->traps, m->traps, m->trap_count * sizeof *m->traps);
    if (m->point_count) memcpy(s->points, m->points, m->point_count * sizeof *m->points);
    if (m->site_count) memcpy(s->sites, m->sites, m->site_count * sizeof *m->sites);
    if (m->catch_count) memcpy(s->catches, m->catches, m->catch_count * sizeof *m->catches);
    s->edit = (struct edit){0};
}

u32 edit_moved(const struct subject *s, u32 pc) {
    const struct edit *e = &s->edit;
    return pc > e->at && pc <= s->was.funcs[e->f].end ? pc + (u32)e->by : pc;
}

static bool decode(const u8 *p, u32 n, ZydisDecodedInstruction *i) {
    ZydisDecoder decoder;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, ZYAN_NULL, p, n, i));
}

/* ---- what names a place ---- */

static bool has_modrm(const ZydisDecodedInstruction *i) { return i->attributes & ZYDIS_ATTRIB_HAS_MODRM; }
static bool has_rex(const ZydisDecodedInstruction *i) { return i->attributes & ZYDIS_ATTRIB_HAS_REX; }
static bool by_rip(const ZydisDecodedInstruction *i) { return has_modrm(i) && i->raw.modrm.mod == 0 && i->raw.modrm.rm == 5; }

/* The field of n bytes, `from_end` before the end of what was at pc, says another
 * distance now. */
static bool fix(struct subject *s, u32 pc, u32 length, u32 from_end, u32 n, i64 distance) {
    u32 now = edit_moved(s, pc) + length + (pc == s->edit.at ? (u32)s->edit.by : 0);
    i64 target = pc + length + distance, to = target >= 0 && target < s->was.size ? edit_moved(s, (u32)target) : target, x = to - now;
    if (n == 1 && x != (i8)x) return false;
    memcpy(s->bytes + now - from_end, &x, n);
    return true;
}

static void fix_table(struct subject *s, i64 table, u32 count) {
    assert(table >= s->was.code_end && table + 4 * (i64)count <= s->was.size);
    for (u32 k = 0; k < count; k++) {
        u32 at = (u32)table + 4 * k, entry = edit_moved(s, (u32)table + (u32)read32(s->original + at)) - (u32)table;
        memcpy(s->bytes + at, &entry, 4);
    }
}

/* Of all instructions of the function, as they were. */
static bool fix_code(struct subject *s) {
    const struct verify_func *fn = &s->was.funcs[s->edit.f];
    ZydisDecodedInstruction i;
    u32 count = 0; /* of a br_table: what was compared last */
    for (u32 at = fn->entry, end; at < fn->end; at = end) {
        if (!decode(s->original + at, fn->end - at, &i)) return false;
        end = at + i.length;
        if (i.mnemonic == ZYDIS_MNEMONIC_CMP && i.raw.imm[0].size) count = (u32)i.raw.imm[0].value.u;
        if (i.raw.imm[0].is_relative && !fix(s, at, i.length, i.length - i.raw.imm[0].offset, i.raw.imm[0].size / 8, i.raw.imm[0].value.s)) return false;
        if (by_rip(&i)) fix(s, at, i.length, i.length - i.raw.disp.offset, 4, i.raw.disp.value);
        if (by_rip(&i) && i.mnemonic == ZYDIS_MNEMONIC_LEA) fix_table(s, end + i.raw.disp.value, count);
    }
    return true;
}

static void fix_facts(struct subject *s) {
    const struct verify_module *m = &s->was;
    s->funcs[s->edit.f].end += (u32)s->edit.by;
    for (u32 k = 0; k < m->trap_count; k++) s->traps[k].pc = edit_moved(s, m->traps[k].pc);
    for (u32 k = 0; k < m->point_count; k++) s->points[k].pc = edit_moved(s, m->points[k].pc);
    for (u32 k = 0; k < m->site_count; k++) s->sites[k].pc = edit_moved(s, m->sites[k].pc);
    for (u32 k = 0; k < m->catch_count; k++) s->catches[k].pc = edit_moved(s, m->catches[k].pc);
}

/* ---- other bytes for one instruction ---- */

struct text {
    u8 bytes[24];
    u32 n;
};

static void put(struct text *t, const u8 *p, u32 n) {
    memcpy(t->bytes + t->n, p, n);
    t->n += n;
}

/* [base + disp] becomes [base + index * scale + disp]. */
static bool add_index(const ZydisDecodedInstruction *i, const u8 *p, struct text *t, u64 random) {
    u32 o = i->raw.modrm.offset;
    if (!has_modrm(i) || i->raw.modrm.mod == 3 || i->raw.modrm.rm == 4 || by_rip(i)) return false;
    u8 two[2] = {(u8)((p[o] & 0xf8) | 4), (u8)((random & 0x38) | i->raw.modrm.rm)};
    if (random & 0x100) two[1] |= random & 0xc0; /* a scale */
    put(t, p, o);
    put(t, two, 2);
    put(t, p + o + 1, i->length - o - 1u);
    if (has_rex(i) && random & 0x200) t->bytes[i->raw.rex.offset] ^= 2;
    return true;
}

/* The reverse. A base of rsp or r12, or none, keeps its SIB byte. */
static bool drop_index(const ZydisDecodedInstruction *i, const u8 *p, struct text *t) {
    if (!has_modrm(i) || i->raw.modrm.mod == 3 || i->raw.modrm.rm != 4) return false;
    u32 o = i->raw.modrm.offset, base = i->raw.sib.base;
    bool stays = base == 4 || (base == 5 && i->raw.modrm.mod == 0);
    u8 modrm = (u8)((p[o] & 0xf8) | base), sib = (u8)((p[o + 1] & 7) | 0x20);
    put(t, p, o);
    put(t, stays ? p + o : &modrm, 1);
    if (stays) put(t, &sib, 1);
    put(t, p + o + 2, i->length - o - 2u);
    if (has_rex(i)) t->bytes[i->raw.rex.offset] &= (u8)~2;
    return true;
}

/* Another displacement, or the same in more or fewer bytes. */
static bool displace(const ZydisDecodedInstruction *i, const u8 *p, struct text *t, u64 random) {
    if (!has_modrm(i) || i->raw.modrm.mod == 3 || by_rip(i)) return false;
    bool sib = i->raw.modrm.rm == 4;
    u32 mod = (random & 3) % 3, base = sib ? i->raw.sib.base : i->raw.modrm.rm, o = i->raw.modrm.offset, operand = o + 1 + sib, had = i->raw.disp.size / 8;
    if (base == 5 && (mod == 0 || i->raw.modrm.mod == 0)) return false;
    u32 by = random & 4 ? 0 : random & 8 ? (u32)(random >> 8) % 64 - 32 : (u32)(random >> 8), disp = (u32)i->raw.disp.value + by;
    put(t, p, operand);
    t->bytes[o] = (u8)((p[o] & 0x3f) | mod << 6);
    put(t, (const u8 *)&disp, mod == 2 ? 4 : mod);
    put(t, p + operand + had, i->length - operand - had);
    return true;
}

/* A REX prefix, or another index by it. */
static bool add_rex(const ZydisDecodedInstruction *i, const u8 *p, struct text *t, u64 random) {
    u8 rex = (u8)(0x40 | (random & 1 ? 2 : random >> 8 & 15));
    u32 o = has_rex(i) ? i->raw.rex.offset : i->raw.prefix_count;
    put(t, p, o);
    if (has_rex(i)) rex = p[o] ^ 2;
    put(t, &rex, 1);
    put(t, p + o + has_rex(i), i->length - o - has_rex(i));
    return true;
}

static bool rewrite(enum mutant_kind kind, const ZydisDecodedInstruction *i, const u8 *p, struct text *t, u64 random) {
    t->n = 0;
    switch (kind) {
    case KIND_INDEXED: return add_index(i, p, t, random);
    case KIND_UNINDEXED: return drop_index(i, p, t);
    case KIND_DISPLACED: return displace(i, p, t, random);
    default: return add_rex(i, p, t, random);
    }
}

/* What begins behind `stays` moves. */
static bool replace(struct subject *s, u32 f, u32 stays, u32 at, u32 length, const struct text *t) {
    const struct verify_func *fn = &s->was.funcs[f];
    i32 by = (i32)t->n - (i32)length;
    u32 end = fn->end + (u32)by;
    if (end > subject_room(s, f)) return false;
    s->edit = (struct edit){f, stays, by};
    memcpy(s->bytes + at, t->bytes, t->n);
    memcpy(s->bytes + at + t->n, s->original + at + length, fn->end - at - length);
    if (end < fn->end) memset(s->bytes + end, 0xcc, fn->end - end);
    if (!by) return true;
    bool ok = fix_code(s);
    if (ok) fix_facts(s);
    else edit_undo(s);
    return ok;
}

bool edit_make(struct subject *s, u32 f, enum mutant_kind kind, u32 at, u32 end, u64 *random) {
    ZydisDecodedInstruction i;
    struct text text, chosen = {0};
    u32 chosen_at = 0, length = 0;
    for (u32 found = 0; at < end && decode(s->original + at, end - at, &i); at += i.length) {
        bool can = rewrite(kind, &i, s->original + at, &text, random64(random));
        if (!can || !memcmp(text.bytes, s->original + at, text.n) || random64(random) % ++found) continue;
        chosen = text;
        chosen_at = at;
        length = i.length;
    }
    return length && replace(s, f, chosen_at, chosen_at, length, &chosen);
}

/* What comes behind and what jumps there are not the same place then: a jump goes past it. */
bool edit_insert(struct subject *s, u32 f, u32 behind, u32 from) {
    const struct verify_module *m = &s->was;
    struct text t = {0};
    ZydisDecodedInstruction i;
    if (behind >= m->funcs[f].end || !decode(s->original + from, m->funcs[f].end - from, &i)) return false;
    if (i.raw.imm[0].is_relative || by_rip(&i)) return false;
    for (u32 k = 0; k < m->trap_count; k++)
        if (m->traps[k].pc == from) return false; /* a copy would need an entry of its own */
    put(&t, s->original + from, i.length);
    return replace(s, f, behind - 1, behind, 0, &t);
}

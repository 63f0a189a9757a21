/* encode.c: Intel SDM volume 2, the forms that the compiler uses. */
#include "base/fault.h"
#include "jit/x86_64/encode.h"

void put8(struct code *c, u8 x) { VEC_PUSH(c->keep, c->text, x); }

void put32(struct code *c, u32 x) {
    VEC_ROOM(c->keep, c->text, 4);
    memcpy(c->text.p + c->text.n, &x, 4);
    c->text.n += 4;
}

void patch32(struct code *c, u32 at, u32 x) {
    assert(at + 4 <= c->text.n);
    memcpy(c->text.p + at, &x, 4);
}

void put_fill(struct code *c, u32 n) {
    VEC_ROOM(c->keep, c->text, n);
    memset(c->text.p + c->text.n, 0xcc, n);
    c->text.n += n;
}

void put_align(struct code *c, u32 to) { put_fill(c, -c->text.n % to); }

u32 put_data(struct code *c, u64 low, u64 high, u32 size) {
    if (!c->seen) c->seen = jit_alloc(c->keep, 256, sizeof *c->seen);
    u32 *seen = &c->seen[((low ^ high ^ size) * 0x9e3779b97f4a7c15) >> 56], at = (*seen & ~3u) - 4;
    u64 bits[2] = {low, high};
    assert(size == 4 || size == 8 || size == 16);
    if (*seen && 4u << (*seen & 3) == size && !memcmp(c->data.p + at, bits, size)) return at;
    VEC_ROOM(c->keep, c->data, 32);
    while (c->data.n % size) c->data.p[c->data.n++] = 0;
    at = c->data.n;
    memcpy(c->data.p + at, bits, size);
    *seen = (at + 4) | size >> 3;
    c->data.n += size;
    return at;
}

u32 put_table(struct code *c, u32 count) {
    VEC_ROOM(c->keep, c->data, 4 * (u64)count + 4);
    while (c->data.n % 4) c->data.p[c->data.n++] = 0;
    struct jump_table t = {c->data.n, count};
    VEC_PUSH(c->keep, c->tables, t);
    memset(c->data.p + c->data.n, 0, 4 * (size_t)count);
    c->data.n += 4 * count;
    return t.at;
}

/* For who has made room: what is stored at p, and beyond; the answer is where the next
 * goes, so that what does not count is overwritten. */
static inline u8 *store8(u8 *p, u32 x, bool counts) {
    *p = (u8)x;
    return p + counts;
}
static inline u8 *store32(u8 *p, u32 x, u32 bytes) {
    memcpy(p, &x, 4);
    return p + bytes;
}

/* ModR/M, SIB, displacement. rbp and r13 as base always need a displacement, rsp and
 * r12 a SIB byte. */
static inline u8 *store_memory(u8 *p, u32 field, struct rm rm) {
    bool none = rm.disp == 0 && (rm.reg & 7) != RBP, small = rm.disp == (i8)rm.disp;
    u32 mod = none ? 0x00 : small ? 0x40 : 0x80;
    assert(rm.index != RSP);
    if (rm.index != NO_REG || (rm.reg & 7) == RSP) {
        *p++ = (u8)(mod | field << 3 | 4);
        *p++ = (u8)((u32)rm.scale << 6 | (rm.index & 7u) << 3 | (rm.reg & 7u));
    } else {
        *p++ = (u8)(mod | field << 3 | (rm.reg & 7u));
    }
    return store32(p, (u32)rm.disp, none ? 0 : small ? 1 : 4);
}

/* ModR/M and what belongs to it; not of RM_DATA. */
static inline u8 *store_operand(u8 *p, u8 reg, struct rm rm) {
    if (rm.kind != RM_REG) return store_memory(p, reg & 7u, rm);
    *p = (u8)(0xc0 | (reg & 7) << 3 | (rm.reg & 7));
    return p + 1;
}

/* The fourth bits of the registers, as REX has them: R, X, B. */
static inline u32 tops(u8 reg, struct rm rm) { return (reg >> 1 & 4u) | (u32)(rm.word >> 18 & 2) | (u32)(rm.word >> 11 & 1); }
static_assert(offsetof(struct rm, reg) == 1 && offsetof(struct rm, index) == 2, "tops");

static inline u8 *store_opcode(u8 *p, u64 form, u32 rex) {
    rex |= form >> FORM_REX & 0xff;
    p = store8(p, form >> FORM_PREFIX & 0xff, form >> FORM_PREFIX & 0xff);
    p = store8(p, 0x40 | rex, rex);
    return store32(p, (u32)form, (u32)form >> FORM_BYTES);
}

/* The operand is in data; p: where its ModR/M byte goes. */
static void put_operand_data(struct code *c, u8 *p, u8 reg, struct rm rm, u32 trailing) {
    *p++ = (u8)((reg & 7) << 3 | 5);
    struct fixup x = {(u32)(p - c->text.p), rm.data, FIX_DATA, (u8)trailing};
    VEC_PUSH(c->keep, c->fixups, x);
    c->text.n = (u32)(store32(p, 0, 4) - c->text.p);
}

static __attribute__((noinline)) void put_form_data(struct code *c, u64 form, u8 reg, struct rm rm) {
    u8 *p = store_opcode(c->text.p + c->text.n, form, tops(reg, rm));
    put_operand_data(c, p, reg, rm, (u8)(form >> FORM_TRAILING));
}

enum { FORM_ROOM = 24 }; /* an instruction has at most 15 bytes, and what is stored at once more */
static __attribute__((noinline)) void put_form_grow(struct code *c, u64 form, u8 reg, struct rm rm) {
    VEC_ROOM(c->keep, c->text, FORM_ROOM);
    put_form(c, form, reg, rm);
}

void put_form(struct code *c, u64 form, u8 reg, struct rm rm) {
    if (unlikely(c->text.cap - c->text.n < FORM_ROOM)) {
        put_form_grow(c, form, reg, rm);
        return;
    }
    c->vectors |= (reg | rm.reg) & XMM0; /* a base is below it */
    if (unlikely(rm.kind == RM_DATA)) {
        put_form_data(c, form, reg, rm);
        return;
    }
    u8 *p = store_opcode(c->text.p + c->text.n, form, tops(reg, rm));
    p = store_operand(p, reg, rm);
    c->text.n = (u32)(p - c->text.p);
}

/* SDM volume 2, 2.3.5: three bytes, or two where W, X and B are clear and the map is 0f: the
 * inverted tops of the registers, and the map; W, the second register, inverted, the prefix. */
static u8 *store_vex(u8 *p, u8 prefix, u32 w, u32 op, u32 top, u8 second) {
    u32 pp = prefix == 0x66 ? 1 : prefix == 0xf3 ? 2 : prefix == 0xf2 ? 3 : 0;
    u32 map = op >> 8 == 0x0f ? 1 : (op >> 8 & 0xff) == 0x38 ? 2 : 3, last = (~second & 15u) << 3 | pp;
    if (map == 1 && !w && !(top & 3)) return store32(p, 0xc5 | ((~top & 4) << 5 | last) << 8 | (op & 0xff) << 16, 3);
    return store32(p, 0xc4 | ((~top & 7) << 5 | map) << 8 | (w << 7 | last) << 16 | op << 24, 4);
}

void put_vex(struct code *c, u8 prefix, u32 w, u32 op, u8 reg, u8 second, struct rm rm, u32 trailing) {
    VEC_ROOM(c->keep, c->text, FORM_ROOM);
    c->vectors |= (reg | rm.reg) & XMM0;
    u8 *p = store_vex(c->text.p + c->text.n, prefix, w, op, tops(reg, rm), second);
    if (rm.kind == RM_DATA) {
        put_operand_data(c, p, reg, rm, trailing);
        return;
    }
    p = store_operand(p, reg, rm);
    c->text.n = (u32)(p - c->text.p);
}

void put_op8(struct code *c, u32 op, u8 reg, struct rm rm, u32 trailing) {
    bool low = (reg >= 4 && reg < 8) || (rm.kind == RM_REG && rm.reg >= 4 && rm.reg < 8);
    put_form(c, form_of(0, low ? 0x40 : 0, op, trailing), reg, rm);
}

void put_alu(struct code *c, enum alu op, u32 w, u8 reg, struct rm rm) {
    put_op(c, 0, w, (u32)op << 3 | 3, reg, rm, 0);
}

void put_alu_imm(struct code *c, enum alu op, u32 w, struct rm rm, i32 imm) {
    bool small = imm >= -128 && imm < 128;
    put_op(c, 0, w, small ? 0x83 : 0x81, (u8)op, rm, small ? 1 : 4);
    if (small) put8(c, (u8)imm);
    else put32(c, (u32)imm);
}

void put_mov(struct code *c, u32 w, u8 to, struct rm from) { put_op(c, 0, w, 0x8b, to, from, 0); }

void put_mov_imm(struct code *c, u8 to, u64 imm) {
    if (imm <= UINT32_MAX) {
        if (to >> 3 & 1) put8(c, 0x41);
        put8(c, 0xb8 | (to & 7));
        put32(c, (u32)imm);
    } else if ((i64)imm == (i32)imm) {
        put_op(c, 0, 1, 0xc7, 0, rm_reg(to), 4);
        put32(c, (u32)imm);
    } else {
        put8(c, to >> 3 & 1 ? 0x49 : 0x48);
        put8(c, 0xb8 | (to & 7));
        put32(c, (u32)imm);
        put32(c, (u32)(imm >> 32));
    }
}

void put_store(struct code *c, u32 w, struct rm to, u8 from) { put_op(c, 0, w, 0x89, from, to, 0); }

void put_store_imm(struct code *c, u32 w, struct rm to, i32 imm) {
    put_op(c, 0, w, 0xc7, 0, to, 4);
    put32(c, (u32)imm);
}

void put_lea(struct code *c, u32 w, u8 to, struct rm from) { put_op(c, 0, w, 0x8d, to, from, 0); }

void put_shift_imm(struct code *c, u32 sub, u32 w, u8 reg, u8 n) {
    put_op(c, 0, w, 0xc1, (u8)sub, rm_reg(reg), 1);
    put8(c, n);
}

/* SDM volume 2, table 2-3: base 101 with mod 00 is none, and four bytes of displacement. */
void put_lea_scaled(struct code *c, u32 w, u8 to, u8 index, u8 scale, i32 disp) {
    put_lea(c, w, to, rm_index(RAX, index, scale, INT32_MAX)); /* so long */
    u8 *end = c->text.p + c->text.n;
    end[-6] &= 0x3f;
    end[-5] |= 5;
    memcpy(end - 4, &disp, 4);
}

void put_push(struct code *c, u8 reg) {
    if (reg >> 3 & 1) put8(c, 0x41);
    put8(c, 0x50 | (reg & 7));
}

void put_pop(struct code *c, u8 reg) {
    if (reg >> 3 & 1) put8(c, 0x41);
    put8(c, 0x58 | (reg & 7));
}

/* movss, movsd, movups */
static u8 float_prefix(u8 type) { return type == T_V128 ? 0 : type == T_F64 ? 0xf2 : 0xf3; }

void put_fmov(struct code *c, u8 type, u8 to, struct rm from) {
    if (from.kind == RM_REG) put_op(c, 0, 0, 0x0f28, to, from, 0); /* movaps: the whole register */
    else put_op(c, float_prefix(type), 0, 0x0f10, to, from, 0);
}

void put_fstore(struct code *c, u8 type, struct rm to, u8 from) {
    put_op(c, float_prefix(type), 0, 0x0f11, from, to, 0);
}

u32 put_jcc8(struct code *c, u8 cc) {
    put8(c, 0x70 | cc);
    put8(c, 0);
    c->open8++;
    return here(c);
}

u32 put_jmp8(struct code *c) {
    put8(c, 0xeb);
    put8(c, 0);
    c->open8++;
    return here(c);
}

void land8(struct code *c, u32 at) {
    u32 distance = here(c) - at;
    assert(distance < 128 && c->open8);
    c->open8--;
    c->text.p[at - 1] = (u8)distance;
}

void put_fix(struct code *c, u32 op, u8 kind, u32 target) {
    struct fixup x = {put_rel32(c, op), target, kind, 0};
    VEC_PUSH(c->keep, c->fixups, x);
}

void put_trap_site(struct code *c, u32 pc, u32 kind) {
    struct jit_trap_site s = {pc, kind};
    if (fault(TRAP_SITE) && kind == ABI_TRAP_MEMORY) return;
    VEC_PUSH(c->keep, c->traps, s);
}

/* native_make.c: random programs that are near to what the verifier accepts: its sequences
 * (a check of a bound, a division, a switch), each with parts that may be
 * wrong, between instructions with operands of all kinds, some with a bit flipped.
 *
 * I1 a piece has room for whatever one recipe writes, a prefix included. */
#include <string.h>

#include "test/verify/native.h"

static struct piece *piece(struct program *g) { return &g->pieces[g->self]; }

static bool one_in(struct program *g, u32 n) { return !below(g, n); }

static void put(struct program *g, const void *from, u32 n) {
    struct piece *q = piece(g);
    assert(q->n + n <= PIECE_BYTES);
    memcpy(q->bytes + q->n, from, n);
    q->n += n;
}

static void byte(struct program *g, u32 x) { put(g, &(u8){(u8)x}, 1); }
static void word(struct program *g, u32 x) { put(g, &x, 4); }

static void put_place(struct program *g, enum place_kind kind, u32 to) {
    struct piece *q = piece(g);
    assert(q->place_count < PLACES);
    q->places[q->place_count++] = (struct place){kind, q->n, to};
    if (kind == TO_NEAR) byte(g, 0);
    else word(g, 0);
}

/* ---- operands ---- */

static u32 any_register(struct program *g) {
    static const u8 common[] = {RAX, RCX, RDX, RBX, RSI, RDI, R8, R9, R10, R11, R12, RAX, R11, RDX};
    return one_in(g, 12) ? below(g, 16) : common[below(g, ARRAY_LEN(common))];
}

static i32 any_number(struct program *g) {
    static const i32 edges[] = {0, 1, -1, 2, 8, 16, 127, -128, INT32_MAX, INT32_MIN, 24, 0x10000, 0xfff8, -8};
    return one_in(g, 3) ? (i32)random64(&g->random) : edges[below(g, ARRAY_LEN(edges))];
}

/* Of the context, or near one. */
static i32 any_field(struct program *g) {
    const struct abi_layout l = *g->layout;
    u32 one = abi_memory_offset(l, 1), two = abi_memory_offset(l, 2);
    const u32 fields[] = {0, 8, 16, 24, 24, 32, l.tables, l.globals, l.globals + 8, l.globals + 16, l.globals + 32, one, one + 8, two, two + 8};
    return (i32)fields[below(g, ARRAY_LEN(fields))] + (one_in(g, 12) ? (i32)below(g, 32) - 16 : 0);
}

struct address {
    u32 base, index, scale; /* index RSP: none */
    i32 disp;
};

static struct address by_r11(struct program *g) {
    u32 index = one_in(g, 2) ? any_register(g) : RSP;
    i32 overflow = (i32)offsetof(struct abi_store, overflow) + (i32)below(g, 3) * 8;
    return (struct address){R11, index, 0, one_in(g, 2) ? overflow : any_field(g)};
}

static struct address any_address(struct program *g) {
    switch (below(g, 8)) {
    case 0: return (struct address){RSP, RSP, 0, one_in(g, 4) ? (i32)below(g, 64) - 8 : (i32)(below(g, g->slots + 1) & ~3u)};
    case 1: return (struct address){R14, RSP, 0, any_field(g)};
    case 2: return (struct address){R11, RSP, 0, one_in(g, 2) ? (i32)below(g, 40) * 8 : -(i32)below(g, 40)};
    case 3: return (struct address){any_register(g), one_in(g, 2) ? any_register(g) : RSP, 0, -(i32)below(g, 40)};
    case 4: return by_r11(g);
    default: return (struct address){R15, any_register(g), 0, one_in(g, 3) ? any_number(g) : (i32)below(g, 64)};
    }
}

/* ---- instructions ---- */

static void opcode(struct program *g, u32 rex, const char *op) {
    if (rex || one_in(g, 6)) byte(g, 0x40 | rex);
    put(g, op, op[0] == 0x0f ? 2 : 1);
}

static void with_register(struct program *g, u32 w, const char *op, u32 reg, u32 rm) {
    opcode(g, w << 3 | reg >> 3 << 2 | rm >> 3, op);
    byte(g, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

/* The tops of an address, as in REX. */
static u32 tops(struct address a) { return (a.index == RSP ? 0 : a.index >> 3 << 1) | a.base >> 3; }

static void put_address(struct program *g, u32 reg, struct address a) {
    u32 sib = a.index != RSP || (a.base & 7) == RSP;
    u32 mod = !a.disp && (a.base & 7) != RBP ? 0 : a.disp == (i8)a.disp ? 1 : 2;
    byte(g, mod << 6 | (reg & 7) << 3 | (sib ? RSP : a.base & 7));
    if (sib) byte(g, a.scale << 6 | (a.index & 7) << 3 | (a.base & 7));
    if (mod == 1) byte(g, (u32)a.disp);
    if (mod == 2) word(g, (u32)a.disp);
}

static void with_address(struct program *g, u32 w, const char *op, u32 reg, struct address a) {
    opcode(g, w << 3 | reg >> 3 << 2 | tops(a), op);
    put_address(g, reg, a);
}

static void with_memory(struct program *g, u32 w, const char *op, u32 reg) {
    struct address a = any_address(g);
    if (one_in(g, 30)) a.scale = below(g, 4);
    with_address(g, w, op, reg, a);
}

static void with_field(struct program *g, const char *op, u32 reg, u32 field) {
    with_address(g, 1, op, reg, (struct address){R14, RSP, 0, (i32)field});
}

static void constant(struct program *g, u32 reg, u32 x) {
    if (reg > 7) byte(g, 0x41);
    byte(g, 0xb8 | (reg & 7));
    word(g, x);
}

static void jump_if(struct program *g, u32 condition, u32 to) {
    bool near = one_in(g, 2);
    if (!near) byte(g, 0x0f);
    byte(g, (near ? 0x70 : 0x80) | condition);
    put_place(g, near ? TO_NEAR : TO_FAR, to);
}

/* Mostly forward. */
static u32 any_target(struct program *g) { return one_in(g, 8) ? below(g, g->last + 1) : g->self + 1 + below(g, g->last - g->self); }

/* As it should be, mostly. */
static u32 condition(struct program *g, u32 right) { return one_in(g, 12) ? below(g, 16) : right; }

static void short_jump(struct program *g, u32 to) {
    byte(g, 0xeb);
    put_place(g, TO_NEAR, to);
}

/* ---- recipes ---- */

static const char *any_operation(struct program *g) {
    static const char *const ops[] = {"\x01", "\x09", "\x0b", "\x13", "\x1b", "\x23", "\x2b", "\x33", "\x39", "\x3b", "\x85", "\x87", "\x89", "\x8b", "\x63", "\x03",
        "\x0f\xb6", "\x0f\xb7", "\x0f\xbe", "\x0f\xbf", "\x0f\x42", "\x0f\x44", "\x0f\xaf", "\x0f\xbc", "\x0f\xb1", "\x0f\xc1", "\x89", "\x8b", "\x8b", "\x89", "\x88", "\x84", "\x22", "\x0a"};
    return ops[below(g, ARRAY_LEN(ops))];
}

static void maybe_prefix(struct program *g, u32 n) {
    if (one_in(g, n)) byte(g, one_in(g, 2) ? 0x66 : 0xf0);
}

static void between_registers(struct program *g) {
    maybe_prefix(g, 12);
    with_register(g, below(g, 2), any_operation(g), any_register(g), any_register(g));
}

static void of_memory(struct program *g) {
    maybe_prefix(g, 6);
    with_memory(g, below(g, 2), any_operation(g), any_register(g));
}

static void copy_half(struct program *g) { with_register(g, 0, "\x89", any_register(g), any_register(g)); }

static void set_constant(struct program *g) {
    u32 reg = any_register(g), w = one_in(g, 3);
    if (!w) return constant(g, reg, (u32)any_number(g));
    byte(g, 0x48 | reg >> 3);
    byte(g, 0xb8 | (reg & 7));
    word(g, (u32)any_number(g));
    word(g, one_in(g, 2) ? (u32)any_number(g) : 0);
}

static void immediate(struct program *g, bool small) {
    if (small) byte(g, (u32)any_number(g));
    else word(g, (u32)any_number(g));
}

static void register_immediate(struct program *g) {
    bool small = one_in(g, 2);
    with_register(g, !one_in(g, 3), small ? "\x83" : "\x81", below(g, 8), any_register(g));
    immediate(g, small);
}

static void memory_immediate(struct program *g) {
    static const char *const ops[] = {"\x81", "\x83", "\x80"};
    u32 k = below(g, 3);
    with_memory(g, below(g, 2), ops[k], below(g, 8));
    immediate(g, k);
}

static void shift(struct program *g) {
    bool by_constant = one_in(g, 2);
    with_register(g, below(g, 2), by_constant ? "\xc1" : "\xd3", below(g, 8), any_register(g));
    if (by_constant) byte(g, below(g, 64));
}

/* shlx, sarx, shrx, andn, rorx; paddd, pmulld, a shift, cvtsi2sd, pinsrd; what goes to
 * memory or to a general register: movss, movups, movd, pextrd, pextrb, pmovmskb, cvttsd2si. */
static void vex(struct program *g) {
    enum { TWO = 1, IMMEDIATE = 2, WIDE = 4 /* W says something */ };
    static const struct { u8 map, prefix, opcode, how; } forms[] = {
        {2, 1, 0xf7, WIDE}, {2, 2, 0xf7, WIDE}, {2, 3, 0xf7, WIDE}, {2, 0, 0xf2, WIDE}, {3, 3, 0xf0, TWO | IMMEDIATE | WIDE},
        {1, 1, 0xfe, 0}, {2, 1, 0x40, 0}, {1, 1, 0x72, IMMEDIATE}, {1, 3, 0x2a, WIDE}, {3, 1, 0x22, IMMEDIATE | WIDE}, {1, 2, 0x10, TWO},
        {1, 2, 0x11, TWO}, {1, 0, 0x11, TWO}, {1, 1, 0x7e, TWO | WIDE}, {3, 1, 0x16, TWO | IMMEDIATE | WIDE}, {3, 1, 0x14, TWO | IMMEDIATE},
        {1, 1, 0xd7, TWO}, {1, 3, 0x2c, TWO},
    };
    u32 k = below(g, ARRAY_LEN(forms)), how = forms[k].how;
    bool memory = one_in(g, 2);
    struct address a = memory ? any_address(g) : (struct address){any_register(g), RSP, 0, 0};
    u32 reg = any_register(g), second = how & TWO && !one_in(g, 12) ? 0 : any_register(g), w = how & WIDE ? below(g, 2) : one_in(g, 12);
    byte(g, 0xc4);
    byte(g, ((reg >> 3 << 2 | tops(a)) ^ 7) << 5 | forms[k].map);
    byte(g, w << 7 | (second ^ 15) << 3 | (u32)one_in(g, 20) << 2 | forms[k].prefix);
    byte(g, forms[k].opcode);
    if (memory) put_address(g, reg, a);
    else byte(g, 0xc0 | (reg & 7) << 3 | (a.base & 7));
    if (how & IMMEDIATE) byte(g, below(g, 64));
}

static void branch(struct program *g) { jump_if(g, below(g, 16), any_target(g)); }
static void jump(struct program *g) { short_jump(g, any_target(g)); }

/* An address in a memory whose bounds are checked: r = index + constant. */
static void sum(struct program *g, u32 reg) {
    i32 by = (i32)below(g, 48);
    if (one_in(g, 2)) {
        with_register(g, 0, "\x89", any_register(g), reg);
        with_register(g, 1, "\x83", 0, reg);
        byte(g, (u32)by);
        return;
    }
    constant(g, reg, (u32)by);
    with_register(g, 1, "\x03", reg, any_register(g));
    jump_if(g, condition(g, 2), any_target(g));
}

static void checked_access(struct program *g) {
    u32 memory = below(g, 3), reg = one_in(g, 2) ? any_register(g) : R11;
    sum(g, reg);
    with_field(g, one_in(g, 20) ? "\x39" : "\x3b", reg, abi_memory_offset(*g->layout, memory) + 8);
    jump_if(g, condition(g, 7), any_target(g));
    if (one_in(g, 2)) return;
    with_field(g, "\x03", reg, abi_memory_offset(*g->layout, one_in(g, 10) ? below(g, 3) : memory));
    with_address(g, 1, one_in(g, 2) ? "\x8b" : "\x89", any_register(g), (struct address){reg, RSP, 0, one_in(g, 3) ? -(i32)below(g, 50) : -8});
}

static void load_field(struct program *g) {
    with_field(g, one_in(g, 2) ? "\x03" : "\x8b", one_in(g, 3) ? any_register(g) : R11, (u32)any_field(g));
}

static void not_zero(struct program *g, u32 w, u32 reg) {
    if (one_in(g, 5)) return constant(g, reg, one_in(g, 4) ? (u32)any_number(g) : below(g, 3));
    with_register(g, w, "\x85", reg, one_in(g, 12) ? any_register(g) : reg);
    jump_if(g, condition(g, 4), any_target(g));
}

/* By -1 the remainder is 0, or of the least number there is a trap: cmp eax, 1; jo. */
static void not_minus_one(struct program *g, u32 w, u32 reg) {
    with_register(g, one_in(g, 10) ? !w : w, "\x83", 7, reg);
    byte(g, 0xff);
    byte(g, 0x75);
    if (one_in(g, 2)) {
        put(g, "\x04\x33\xd2", 3);
        return short_jump(g, g->self + 1);
    }
    byte(g, w ? 6 : 5);
    if (w) byte(g, 0x48);
    put(g, "\x83\xf8\x01\x70", 4);
    put_place(g, TO_NEAR, any_target(g));
}

static void divide(struct program *g) {
    u32 w = below(g, 2), reg = any_register(g), is_signed = below(g, 2);
    not_zero(g, w, reg);
    if (is_signed && !one_in(g, 4)) not_minus_one(g, w, reg);
    if (is_signed && w) byte(g, 0x48);
    put(g, is_signed ? "\x99" : "\x33\xd2", is_signed ? 1 : 2);
    with_register(g, one_in(g, 16) ? !w : w, "\xf7", 6 + is_signed, reg);
}

static void unary(struct program *g) {
    u32 of = below(g, 8), increment = one_in(g, 3);
    with_register(g, below(g, 2), increment ? "\xff" : "\xf7", increment ? of & 1 : of, any_register(g));
    if (!increment && of == 0) word(g, 7);
}

static void lea_or_unary(struct program *g) {
    static const char *const ops[] = {"\x8d", "\x8d", "\xf7", "\xff"};
    with_memory(g, below(g, 2), ops[below(g, 4)], one_in(g, 2) ? any_register(g) : below(g, 8));
}

static void stop(struct program *g) { put(g, "\x0f\x0b", 2); }

/* lea r11, [rip + table]; movsxd rax, [r11 + 4 * rax]; add r11, rax; jmp r11 */
static void switch_over(struct program *g) {
    if (!one_in(g, 8)) byte(g, 0x89), byte(g, 0xc0 | below(g, 8) << 3); /* mov eax, r */
    put(g, "\x83\xf8", 2);
    byte(g, 1 + below(g, SWITCH_WAYS));
    jump_if(g, condition(g, 3), any_target(g));
    put(g, "\x4c\x8d\x1d", 3);
    put_place(g, TO_SWITCH, below(g, 64));
    put(g, "\x49\x63\x04\x83\x4c\x03\xd8\x41\xff\xe3", 10);
}

static void call(struct program *g) {
    byte(g, 0xe8);
    put_place(g, TO_CALLEE, 0);
}

static void noise(struct program *g) {
    for (u32 k = 1 + below(g, 6); k; k--) byte(g, (u32)random64(&g->random));
}

static void spare_slot(struct program *g) {
    i32 disp = one_in(g, 3) ? 0 : (i32)(one_in(g, 8) ? 4 * below(g, 14) : g->spare);
    with_address(g, 1, one_in(g, 2) ? "\x89" : "\x8b", any_register(g), (struct address){RSP, RSP, 0, disp});
}

static const struct {
    u32 weight;
    void (*make)(struct program *g);
} recipes[] = {
    {6, between_registers}, {16, of_memory}, {2, copy_half}, {1, set_constant}, {4, register_immediate}, {2, memory_immediate},
    {2, shift}, {4, vex}, {2, branch}, {1, jump}, {3, checked_access}, {3, load_field}, {3, divide}, {2, unary}, {2, lea_or_unary},
    {1, stop}, {2, switch_over}, {3, call}, {1, noise}, {2, spare_slot},
};

static void any_recipe(struct program *g) {
    u32 all = 0, k = 0;
    for (u32 i = 0; i < ARRAY_LEN(recipes); i++) all += recipes[i].weight;
    for (u32 at = below(g, all); at >= recipes[k].weight; k++) at -= recipes[k].weight;
    recipes[k].make(g);
}

/* ---- what is wrong with it ---- */

static void prefix(struct program *g) {
    static const u8 prefixes[] = {0x66, 0xf2, 0xf3, 0xf0, 0x2e, 0x3e, 0x64, 0x65, 0x67, 0x40, 0x48, 0x4f, 0x41, 0x44, 0x42, 0x49};
    struct piece *q = piece(g);
    if (q->n == PIECE_BYTES) return;
    memmove(q->bytes + 1, q->bytes, q->n++);
    q->bytes[0] = prefixes[below(g, ARRAY_LEN(prefixes))];
    for (u32 k = 0; k < q->place_count; k++) q->places[k].at++;
}

/* Mostly in the first instruction. */
static void flip(struct program *g) {
    struct piece *q = piece(g);
    u32 within = one_in(g, 2) ? q->n : MIN(q->n, 4u);
    q->bytes[below(g, within)] ^= (u8)(1u << below(g, 8));
}

static void start(struct program *g, u32 at) {
    g->self = at;
    *piece(g) = (struct piece){0};
}

void make_piece(struct program *g, u32 at) {
    assert(at > 0 && at < g->last);
    start(g, at);
    any_recipe(g);
    if (one_in(g, 8)) prefix(g);
    if (one_in(g, 6)) flip(g);
}

void make_nothing(struct program *g, u32 at) {
    start(g, at);
    byte(g, 0x90);
}

/* ---- entry and leave ---- */

/* push or pop, of those in `saves`: rbx, rbp, r12, r13. */
static void save(struct program *g, u32 op, u32 saves, u32 k) {
    static const u8 registers[] = {RBX, RBP, R12, R13};
    if (!(saves >> k & 1)) return;
    if (registers[k] > 7) byte(g, 0x41);
    byte(g, op | (registers[k] & 7));
}

static void move_stack(struct program *g, u32 op, u32 by) {
    put(g, "\x48\x83", 2);
    byte(g, op);
    byte(g, by);
}

void make_entry(struct program *g) {
    start(g, 0);
    g->saves = one_in(g, 3) ? 0 : below(g, 16);
    g->slots = one_in(g, 3) ? 0 : 8 * below(g, 8);
    for (u32 k = 0; k < 4; k++) save(g, 0x50, g->saves, k);
    if (g->slots) move_stack(g, 0xec, g->slots);
    if (one_in(g, 10)) move_stack(g, one_in(g, 2) ? 0xec : 0xe8 | below(g, 8), (u32)any_number(g)); /* no part of an entry, or too much */
    g->spare = one_in(g, 2) ? 0 : 4 * below(g, 14);
    g->frame = one_in(g, 20) ? 8 * below(g, 6) : g->slots + 8 * (u32)__builtin_popcount(g->saves);
}

void make_leave(struct program *g) {
    start(g, g->last);
    u32 saves = one_in(g, 30) ? below(g, 16) : g->saves, by = one_in(g, 30) ? 8 * below(g, 8) : g->slots;
    if (by) move_stack(g, 0xc4, by);
    for (u32 k = 4; k--;) save(g, 0x58, saves, k);
    byte(g, 0xc3);
}

static u32 any_keep(struct program *g) {
    if (!one_in(g, 4)) return 1u << below(g, 17) | 1u << below(g, 17) | 1u << R11;
    return one_in(g, 2) ? 0xffff : 0x1ffff;
}

static void make_points(struct program *g) {
    u32 at = 1 + below(g, g->last - 1);
    g->points[0] = (struct native_point){at, any_keep(g)};
    g->points[1] = (struct native_point){at + 1, one_in(g, 8) ? VERIFY_PAD : 1u << below(g, 17)};
    g->point_count = one_in(g, 2) ? 0 : 1 + below(g, 2);
}

void make_program(struct program *g) {
    g->last = 4 + below(g, PIECES - 6);
    g->trap_count = 0;
    make_entry(g);
    for (u32 k = 1; k < g->last; k++) make_piece(g, k);
    make_leave(g);
    make_points(g);
}

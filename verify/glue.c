/* glue.c: thunks, stubs and exits, each compared with what it must be, byte for byte.
 *
 * The bytes are said here once more, from abi.h and the types alone: nothing of the
 * compiler's is used. A piece is looked at when something enters it: what nothing
 * enters needs no proof.
 *
 * I1 every host call has its context in rdi, checked headroom, an aligned stack, room
 *    for its arguments and results, and a test of pending behind it; C keeps r14 and r15.
 * I2 a piece that was proven is remembered, so that many calls cost one proof. */
#include "verify/internal.h"

enum { XMM0 = 16, XMM15 = 31, HOST_INTS = 6, HOST_FLOATS = 8, MARK = 0x57801f0f, CROSS_LENGTH = 34 };
static const u8 int_args[] = {RDI, RSI, RDX, RCX, R8, R9};

struct piece {
    struct verifier *v;
    u32 at;
    bool ok;
};

/* ---- what must come next ---- */

/* n bytes, 1 to 8, the lowest first. */
static void expect(struct piece *g, u64 x, u32 n) {
    const u8 *p = code_at(g->v, g->at);
    u32 left = g->ok ? g->v->m->glue_end - g->at : 0;
    g->ok = left >= n && (left >= 8 ? !((read64(p) ^ x) << (64 - 8 * n)) : !memcmp(p, &x, n));
    g->at += g->ok ? n : 0;
}

static void byte(struct piece *g, u8 b) { expect(g, b, 1); }
static void word(struct piece *g, u32 x) { expect(g, x, 4); }

static void bytes(struct piece *g, const char *s, u32 n) {
    g->ok = g->ok && g->v->m->glue_end - g->at >= n && !memcmp(code_at(g->v, g->at), s, n);
    g->at += g->ok ? n : 0;
}
#define BYTES(g, s) bytes(g, s, sizeof s - 1)

/* Up to eight of the bytes to be expected. */
struct text { u64 x; u32 n; };
static void put(struct text *t, u32 b) { t->x |= (u64)b << 8 * t->n++; }

static struct text opcode(u8 prefix, u32 rex, u32 op) {
    struct text t = {0};
    if (prefix) put(&t, prefix);
    if (rex) put(&t, 0x40 | rex);
    if (op >> 8) put(&t, op >> 8);
    put(&t, op & 0xff);
    return t;
}

/* op reg, rm */
static void regs(struct piece *g, u32 w, u32 op, u8 reg, u8 rm) {
    struct text t = opcode(0, w << 3 | (reg >> 3 & 1) << 2 | (rm >> 3 & 1), op);
    put(&t, 0xc0 | (reg & 7) << 3 | (rm & 7));
    expect(g, t.x, t.n);
}

/* op reg, [base + disp] in the shortest form; Intel SDM volume 2, 2.1.5. */
static void mem(struct piece *g, u8 prefix, u32 w, u32 op, u8 reg, u8 base, i32 disp) {
    u32 mod = disp == 0 && (base & 7) != RBP ? 0 : disp >= -128 && disp < 128 ? 1 : 2;
    struct text t = opcode(prefix, w << 3 | (reg >> 3 & 1) << 2 | (base >> 3 & 1), op);
    put(&t, mod << 6 | (reg & 7) << 3 | (base & 7));
    if ((base & 7) == RSP) put(&t, 0x24);
    if (mod == 1) put(&t, (u8)disp);
    expect(g, t.x, t.n);
    if (mod == 2) word(g, (u32)disp);
}

static void load(struct piece *g, u8 to, u8 base, size_t disp) { mem(g, 0, 1, 0x8b, to, base, (i32)disp); }
static void save(struct piece *g, u8 from, u8 base, size_t disp) { mem(g, 0, 1, 0x89, from, base, (i32)disp); }
static void move(struct piece *g, u8 to, u8 from) { regs(g, 1, 0x8b, to, from); }

static void adjust(struct piece *g, u8 field, u8 reg, u32 by) { /* add, sub */
    bool small = by < 128;
    regs(g, 1, small ? 0x83 : 0x81, field, reg);
    if (small) byte(g, (u8)by);
    else word(g, by);
}

/* A jump: where to. */
static u32 jump(struct piece *g, u32 op) {
    expect(g, op >> 8 ? op >> 8 | (op & 0xff) << 8 : op, op >> 8 ? 2 : 1);
    g->ok = g->ok && g->v->m->glue_end - g->at >= 4;
    u32 by = g->ok ? (u32)read32(code_at(g->v, g->at)) : 0, to = g->at + 4 + by;
    g->at += g->ok ? 4 : 0;
    g->ok = g->ok && to >= g->v->m->glue_start && to < g->v->m->glue_end;
    return to;
}

static void jump_to(struct piece *g, u32 op, u32 to) { g->ok = jump(g, op) == to && g->ok; }

static struct piece piece(struct verifier *v, u32 at) { return (struct piece){v, at, at >= v->m->glue_start && at < v->m->glue_end}; }

#define STORE_FIELD(name) offsetof(struct abi_store, name)
static size_t overflow(u32 slot) { return STORE_FIELD(overflow) + sizeof(union abi_value) * slot; }
static void load_store(struct piece *g, u8 to) { load(g, to, R14, offsetof(struct abi_ctx, store)); }
static void load_base(struct piece *g) { load(g, R15, R14, offsetof(struct abi_ctx, mem_base)); }

/* ---- exits ---- */

/* rsp == trap_sp: back to who entered, with edi as the result. */
static void tail(struct piece *g) {
    BYTES(g, "\x58\x5c"); /* pop rax, rsp */
    mem(g, 0, 0, 0x8f, 0, RAX, STORE_FIELD(trap_sp));
    BYTES(g, "\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5b\x5d\x8b\xc7\xc3"); /* r15 r14 r13 r12 rbx rbp; mov eax, edi; ret */
}

static void trap_exit(struct piece *g) {
    load_store(g, RAX);
    load(g, RSP, RAX, STORE_FIELD(trap_sp));
    tail(g);
}

static bool is_stack_exit(struct verifier *v, u32 at) {
    struct piece g = piece(v, at);
    byte(&g, 0xbf);
    word(&g, ABI_TRAP_STACK);
    jump_to(&g, 0xe9, v->m->trap_exit);
    return g.ok;
}

/* A raised exception looks for a pad; what has none, and all else, leaves. */
static bool is_pending_exit(struct verifier *v, u32 at) {
    struct piece g = piece(v, at);
    move(&g, RDI, R14);
    move(&g, RSI, RSP);
    adjust(&g, 5, RSP, 8);
    mem(&g, 0, 0, 0xff, 2, R14, offsetof(struct abi_ctx, builtins) + 8 * ABI_BUILTIN_unwind);
    load_store(&g, R11);
    mem(&g, 0, 0, 0x8b, RDI, R11, STORE_FIELD(pending));
    regs(&g, 1, 0x85, RAX, RAX);
    jump_to(&g, 0x0f84, v->m->trap_exit);
    BYTES(&g, "\x33\xdb\x33\xed\x45\x33\xe4\x45\x33\xed"); /* xor ebx, ebp, r12d, r13d with themselves */
    load(&g, RSP, R11, STORE_FIELD(pad_sp));
    load(&g, R14, R11, STORE_FIELD(pad_ctx));
    load_base(&g);
    BYTES(&g, "\xff\xe0");
    return g.ok;
}

static void headroom(struct piece *g, u32 extra) {
    load_store(g, R11);
    load(g, R11, R11, STORE_FIELD(stack_limit));
    adjust(g, 0, R11, extra);
    regs(g, 1, 0x3b, RSP, R11);
    u32 to = jump(g, 0x0f82);
    g->ok = g->ok && is_stack_exit(g->v, to);
}

static void after_host(struct piece *g) {
    load_store(g, R11);
    mem(g, 0, 0, 0x83, 7, R11, STORE_FIELD(pending));
    byte(g, 0);
    u32 to = jump(g, 0x0f85);
    g->ok = g->ok && is_pending_exit(g->v, to);
}

/* ---- host functions ---- */

/* Where a value goes: the n-th of its class of registers, or the next slot. */
struct places {
    u32 ints, floats, slots;
};
static u8 place(struct places *p, u8 letter, u32 *slot) {
    if (letter != VERIFY_INT && p->floats < HOST_FLOATS) return (u8)(XMM0 + p->floats++);
    if (letter == VERIFY_INT && p->ints < HOST_INTS) return int_args[p->ints++];
    *slot = p->slots++;
    return NO_REG;
}

/* Slots of C's stack that the arguments take; *pointer: where the pointer to results goes. */
static u32 host_stack(const struct verify_type *t, u8 *pointer, u32 *pointer_slot) {
    struct places p = {.ints = 1};
    u32 slot = 0;
    for (u32 k = 0; k < t->param_count; k++) place(&p, t->params[k], &slot);
    *pointer = NO_REG;
    if (t->result_count > 1) *pointer = place(&p, VERIFY_INT, pointer_slot);
    return p.slots;
}

static void host_args(struct piece *g, const struct verify_type *t, u32 stack, u8 pointer, u32 pointer_slot) {
    struct places wasm = {0}, host = {.ints = 1};
    u32 ints = 0, from_slot = 0, to_slot = 0;
    if (stack) load_store(g, R11);
    for (u32 k = 0; k < t->param_count; k++) {
        u8 from = place(&wasm, t->params[k], &from_slot);
        ints += t->params[k] == VERIFY_INT;
        if (place(&host, t->params[k], &to_slot) != NO_REG) continue;
        if (from == NO_REG) load(g, from = R10, R11, overflow(from_slot));
        save(g, from, RSP, 8 * to_slot);
    }
    bool on_stack = t->result_count > 1 && pointer == NO_REG;
    if (on_stack) mem(g, 0, 1, 0x8d, R10, RSP, (i32)(8 * stack));
    if (on_stack) save(g, R10, RSP, 8 * pointer_slot);
    for (u32 k = MIN(ints, HOST_INTS - 1u); k; k--) move(g, int_args[k], int_args[k - 1]);
    if (pointer != NO_REG) mem(g, 0, 1, 0x8d, pointer, RSP, (i32)(8 * stack));
    move(g, RDI, R14);
}

static bool is_host_stub(struct verifier *v, u32 at, const struct verify_type *t) {
    struct piece g = piece(v, at);
    u8 pointer;
    u32 pointer_slot = 0, results = t->result_count > 1 ? t->result_count - 1 : 0;
    u32 stack = host_stack(t, &pointer, &pointer_slot), frame = 8 * (stack + results) / 16 * 16 + 8;
    if (!g.ok || at < v->m->glue_start + 4 || (u32)read32(code_at(v, at - 4)) != t->id) return false;
    load(&g, RAX, R14, offsetof(struct abi_host, fn));
    move(&g, R14, R11);
    headroom(&g, frame);
    adjust(&g, 5, RSP, frame);
    host_args(&g, t, stack, pointer, pointer_slot);
    BYTES(&g, "\xff\xd0");
    if (results) load_store(&g, R11);
    for (u32 k = 0; k < results; k++) {
        load(&g, R10, RSP, 8 * (stack + k));
        save(&g, R10, R11, overflow(k));
    }
    adjust(&g, 0, RSP, frame);
    after_host(&g);
    byte(&g, 0xc3);
    return g.ok;
}

/* ---- other instances ---- */

static bool is_cross(struct verifier *v, u32 at) {
    struct piece g = piece(v, at);
    headroom(&g, 8);
    BYTES(&g, "\x41\x56"); /* push r14 */
    move(&g, R11, R14);
    move(&g, R14, R10);
    load_base(&g);
    BYTES(&g, "\xff\xd0");
    if (g.at != v->m->cross_return || g.at - at != CROSS_LENGTH) return false;
    word(&g, MARK);
    BYTES(&g, "HLK\x41\x5e"); /* pop r14 */
    load_base(&g);
    byte(&g, 0xc3);
    return g.ok;
}

static bool is_tail_cross(struct verifier *v, u32 at) {
    struct piece g = piece(v, at);
    load(&g, R11, RSP, 0);
    mem(&g, 0, 0, 0x81, 7, R11, 0);
    word(&g, MARK);
    jump_to(&g, 0x0f85, v->m->cross_return - CROSS_LENGTH);
    move(&g, R11, R14);
    move(&g, R14, R10);
    load_base(&g);
    BYTES(&g, "\xff\xe0");
    return g.ok;
}

/* mov rax, [r14 + import's code]; mov r10, [r14 + its context]; jmp: to import k, or any. */
static enum glue_kind import_at(struct verifier *v, u32 at, u32 k) {
    const u8 *p = code_at(v, at);
    if (v->m->glue_end - at < 8) return GLUE_UNKNOWN;
    u32 first = v->m->layout.imports, disp = p[2] == 0x46 ? p[3] : (u32)read32(p + 3);
    u32 found = (disp - first) / (u32)sizeof(struct abi_func), field = first + found * (u32)sizeof(struct abi_func);
    if (p[0] != 0x49 || p[1] != 0x8b || found >= v->m->counts.imported_funcs || (found != k && k != UINT32_MAX)) return GLUE_UNKNOWN;
    struct piece g = piece(v, at);
    load(&g, RAX, R14, field + offsetof(struct abi_func, code));
    load(&g, R10, R14, field + offsetof(struct abi_func, ctx));
    u32 other = jump(&g, 0xe9);
    return !g.ok ? GLUE_UNKNOWN : is_cross(v, other) ? GLUE_CALL : is_tail_cross(v, other) ? GLUE_TAIL : GLUE_UNKNOWN;
}

/* From an import that is called as C, context first, to what another instance has. */
static bool is_adaptor(struct verifier *v, u32 k) {
    const struct verify_type *t = &v->m->types[v->m->imports[k]];
    struct piece g = piece(v, v->m->adaptors[k]);
    u32 ints = 0;
    for (u32 i = 0; i < t->param_count; i++) ints += t->params[i] == VERIFY_INT;
    for (u32 i = 0; i < ints && ints < HOST_INTS; i++) move(&g, int_args[i], int_args[i + 1]);
    return ints < HOST_INTS && t->param_count - ints <= HOST_FLOATS && t->result_count <= 1 && g.ok && import_at(v, g.at, k) == GLUE_CALL;
}

enum glue_kind verify_glue_at(struct verifier *v, u32 at) {
    u8 *known = &v->glue[at - v->m->glue_start];
    if (*known) return *known;
    enum glue_kind k = import_at(v, at, UINT32_MAX);
    if (k == GLUE_UNKNOWN) k = is_pending_exit(v, at) ? GLUE_CALL : is_stack_exit(v, at) ? GLUE_STACK : is_cross(v, at) ? GLUE_CROSS : GLUE_UNKNOWN;
    if (k == GLUE_UNKNOWN && is_tail_cross(v, at)) k = GLUE_TAIL_CROSS;
    if (k == GLUE_UNKNOWN) verify_fail(v, VERIFY_GLUE, at);
    return *known = (u8)k;
}

/* ---- entering from C ---- */

static void thunk_args(struct piece *g, const struct verify_type *t) {
    struct places p = {0};
    u32 slot = 0;
    for (u32 k = 0; k < t->param_count; k++) {
        u8 to = place(&p, t->params[k], &slot);
        bool whole = t->params[k] == VERIFY_VECTOR;
        if (to == NO_REG && whole) {
            mem(g, 0, 0, 0x0f10, XMM15, RBX, (i32)(16 * k));
            mem(g, 0, 0, 0x0f11, XMM15, RAX, (i32)overflow(slot));
        } else if (to == NO_REG) {
            load(g, R10, RBX, 16 * k);
            save(g, R10, RAX, overflow(slot));
        } else if (to >= XMM0) {
            mem(g, whole ? 0 : 0xf2, 0, 0x0f10, to, RBX, (i32)(16 * k));
        } else {
            load(g, to, RBX, 16 * k);
        }
    }
}

static void thunk_results(struct piece *g, const struct verify_type *t) {
    if (t->result_count > 1) load(g, R11, RSP, 0);
    for (u32 k = t->result_count; k-- > 1;) {
        if (t->params[t->param_count + k] == VERIFY_VECTOR) {
            mem(g, 0, 0, 0x0f10, XMM15, R11, (i32)overflow(k - 1));
            mem(g, 0, 0, 0x0f11, XMM15, RBX, (i32)(16 * k));
            continue;
        }
        load(g, R10, R11, overflow(k - 1));
        save(g, R10, RBX, 16 * k);
    }
    if (!t->result_count) return;
    u8 first = t->params[t->param_count];
    if (first != VERIFY_INT) mem(g, first == VERIFY_VECTOR ? 0 : 0xf2, 0, 0x0f11, XMM0, RBX, 0);
    else save(g, RAX, RBX, 0);
}

static bool is_thunk(struct verifier *v, u32 at, const struct verify_type *t) {
    struct piece g = piece(v, at);
    BYTES(&g, "\x55\x53\x41\x54\x41\x55\x41\x56\x41\x57"); /* push rbp rbx r12 r13 r14 r15 */
    move(&g, RBX, RDX);
    load(&g, RAX, RDI, offsetof(struct abi_ctx, store));
    mem(&g, 0, 0, 0xff, 6, RAX, STORE_FIELD(trap_sp)); /* push */
    move(&g, R10, RSP);
    load(&g, RCX, RAX, STORE_FIELD(entry_sp));
    regs(&g, 1, 0x85, RCX, RCX);
    regs(&g, 1, 0x0f45, RSP, RCX); /* cmovne */
    BYTES(&g, "\x41\x52\x50");     /* push r10, rax */
    save(&g, RSP, RAX, STORE_FIELD(trap_sp));
    move(&g, R11, RDI);
    load(&g, RBP, RSI, offsetof(struct abi_func, code));
    load(&g, R14, RSI, offsetof(struct abi_func, ctx));
    load_base(&g);
    thunk_args(&g, t);
    BYTES(&g, "\xff\xd5"); /* call rbp */
    word(&g, MARK);
    BYTES(&g, "HLK");
    thunk_results(&g, t);
    BYTES(&g, "\x33\xff"); /* xor edi, edi */
    tail(&g);
    return g.ok;
}

static bool entries_of_type(struct verifier *v, u32 k) {
    const struct verify_module *m = v->m;
    const struct verify_type *t = &m->types[k], *canon = &m->types[t->canon];
    if (t->canon != k) return t->thunk == canon->thunk && t->host_stub == canon->host_stub && t->id == canon->id;
    if (t->thunk != UINT32_MAX && !is_thunk(v, t->thunk, t)) return false;
    return t->host_stub == UINT32_MAX || is_host_stub(v, t->host_stub, t);
}

bool verify_glue(struct verifier *v) {
    const struct verify_module *m = v->m;
    struct piece g = piece(v, m->trap_exit);
    trap_exit(&g);
    if (!g.ok) return verify_fail(v, VERIFY_GLUE, m->trap_exit);
    if (m->cross_return < CROSS_LENGTH || !is_cross(v, m->cross_return - CROSS_LENGTH)) return verify_fail(v, VERIFY_GLUE, m->cross_return);
    for (u32 k = 0; k < m->counts.imported_funcs; k++)
        if (m->adaptors[k] != UINT32_MAX && !is_adaptor(v, k)) return verify_fail(v, VERIFY_GLUE, m->adaptors[k]);
    for (u32 k = 0; k < m->type_count; k++)
        if (!entries_of_type(v, k)) return verify_fail(v, VERIFY_GLUE, m->types[k].thunk);
    return true;
}

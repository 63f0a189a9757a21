/* template.c: sequences that are accepted only as a whole, byte for byte but for
 * their constants. Nothing can jump into one: their instructions get no marks.
 *
 * I1 a template reads nothing that an earlier byte of it has not proven.
 * I2 all bytes read are inside the function, or behind it inside the code. */
#include "verify/internal.h"

static bool take(const u8 **p, const char *bytes, u32 n) {
    if (memcmp(*p, bytes, n)) return false;
    *p += n;
    return true;
}
#define TAKE(p, bytes) take(p, bytes, sizeof bytes - 1)

static u32 offset_of(const struct verifier *v, const u8 *p) { return (u32)(p - v->m->code); }

/* jcc, near or short, of condition cc; false: something else. */
static bool take_jcc(const struct verifier *v, const u8 **p, u8 cc, u32 *from, i64 *target) {
    const u8 *q = *p;
    *from = offset_of(v, q);
    if (q[0] == (0x70 | cc)) *p += 2, *target = (i64)*from + 2 + (i8)q[1];
    else if (q[0] == 0x0f && q[1] == (0x80 | cc)) *p += 6, *target = (i64)*from + 6 + read32(q + 2);
    else return false;
    return true;
}

/* ---- leaving: add rsp, slots (at `at`, if there are any); pops; ret or a tail call ---- */

static bool take_add(struct verifier *v, const u8 **p) {
    if (!v->slots) return true;
    i32 by = 0;
    if (TAKE(p, "\x48\x83\xc4")) by = (i8)*(*p)++;
    else if (TAKE(p, "\x48\x81\xc4")) by = read32(*p), *p += 4;
    return by > 0 && (u32)by == v->slots;
}

static bool take_restores(struct verifier *v, const u8 **p) {
    if (v->saved >> R13 & 1 && !TAKE(p, "\x41\x5d")) return false;
    if (v->saved >> R12 & 1 && !TAKE(p, "\x41\x5c")) return false;
    if (v->saved >> RBP & 1 && !TAKE(p, "\x5d")) return false;
    return !(v->saved >> RBX & 1) || TAKE(p, "\x5b");
}

u32 verify_leave(struct verifier *v, u32 at) {
    const u8 *start = code_at(v, at), *p = start;
    if (!take_add(v, &p) || !take_restores(v, &p)) return FAIL(v, RETURN);
    u32 from = offset_of(v, p);
    i64 target = -1;
    verify_end(v);
    if (TAKE(&p, "\xc3")) {
    } else if (TAKE(&p, "\xff\xe0")) { /* jmp rax */
        if ((v->known & K_CALLEE) != K_CALLEE) return verify_fail(v, VERIFY_INDIRECT, from);
    } else {
        if (TAKE(&p, "\xe9")) target = (i64)from + 5 + read32(p), p += 4;
        else if (TAKE(&p, "\xeb")) target = (i64)from + 2 + (i8)*p, p++;
        if (target < 0) return FAIL(v, RETURN);
        if (!verify_leave_by(v, from, target)) return false;
    }
    return (u32)(p - start);
}

/* ---- br_table: cmp eax, count; jae default; and then this, from the lea on. Tables
 * are not shared, or few bytes might name many entries to be looked at ---- */

u32 verify_switch(struct verifier *v, struct insn d) {
    const struct verify_module *m = v->m;
    const u8 *start = code_at(v, v->pc), *p = start + d.length;
    i64 table = (i64)v->pc + d.length + d.disp;
    struct fact x = v->fact;
    bool bound = x.at == v->pc && x.kind == F_LIMIT && x.w && v->known >> RAX & 1;
    /* movsxd rax, [r11 + rax * 4]; add r11, rax; jmp r11 */
    if (!bound || d.reg != R11 || !d.w || !TAKE(&p, "\x49\x63\x04\x83\x4c\x03\xd8\x41\xff\xe3")) return FAIL(v, INDIRECT);
    if (table < m->code_end || table % 4 || table + 4 * (i64)x.index > m->size) return FAIL(v, DATA);
    if ((v->switched += x.index) > (m->size - m->code_end) / 4) return FAIL(v, DATA);
    v->known &= ~(1u << R11 | 1u << RAX | K_CALLEE);
    v->special = 0;
    for (u32 k = 0; k < x.index; k++)
        if (!verify_branch(v, v->pc, table + read32(code_at(v, (u32)table + 4 * k)))) return false;
    verify_end(v);
    return (u32)(p - start);
}

/* ---- call_indirect: r11 is a table or the store, d compares rax with its length ----
 * The comparison's `below` masks the index, for speculation; the entry's two words
 * are loaded; the id before its code is compared; its context with ours. */

u32 verify_indirect(struct verifier *v, struct insn d) {
    const u8 *start = code_at(v, v->pc), *p = start + d.length;
    bool store = v->values[R11].kind == P_STORE;
    i32 at = store ? (i32)offsetof(struct abi_store, refs) : 0;
    u32 from1, from2, from3;
    i64 bounds, mismatch, other;
    bool ok = d.reg == RAX && d.w && d.index == NO_REG && d.disp == at + (i32)offsetof(struct abi_table, len);
    ok = ok && take_jcc(v, &p, 3, &from1, &bounds);
    ok = ok && TAKE(&p, "\x4d\x1b\xd2\x49\x23\xc2\x48\xc1\xe0\x04"); /* sbb r10, r10; and rax, r10; shl rax, 4 */
    if (ok && !at) ok = TAKE(&p, "\x49\x03\x03");                    /* add rax, [r11 + at] */
    else ok = ok && TAKE(&p, "\x49\x03\x43") && *p++ == at;
    ok = ok && TAKE(&p, "\x4c\x8b\x50\x08\x48\x8b\x00\x81\x78\xfc"); /* mov r10, [rax + 8]; mov rax, [rax]; cmp dword [rax - 4], */
    i32 id = ok ? read32(p) : 0;
    p += 4;
    ok = ok && id && take_jcc(v, &p, 5, &from2, &mismatch);
    ok = ok && TAKE(&p, "\x4d\x3b\xd6") && take_jcc(v, &p, 5, &from3, &other); /* cmp r10, r14 */
    if (!ok) return FAIL(v, INDIRECT);
    v->special = 0;
    v->known &= ~(1u << R11);
    if (!verify_branch(v, from1, bounds)) return false;
    v->known &= ~(1u << RAX | 1u << R10 | K_CALLEE);
    v->known |= K_CODE;
    if (!verify_branch(v, from2, mismatch)) return false;
    v->known |= K_TYPED;
    if (!verify_branch(v, from3, other)) return false;
    v->known |= K_OWN;
    return (u32)(p - start);
}

/* ---- calling C: r11 is the store, d compares rsp with its limit; jb stack exit; mov rdi, r14;
 * call [r14 + builtin or direct import]; mov r11, store; cmp dword [r11 + pending], 0; jne ---- */

static bool may_call(const struct verifier *v, u32 at) {
    u32 builtins = offsetof(struct abi_ctx, builtins), direct = v->m->layout.direct;
    if (at % 8 == 0 && at >= direct) return (at - direct) / 8 < v->m->counts.imported_funcs && v->m->adaptors[(at - direct) / 8] != UINT32_MAX;
    return at % 8 == 0 && at >= builtins && (at - builtins) / 8 < ABI_BUILTIN_COUNT && (at - builtins) / 8 != ABI_BUILTIN_unwind;
}

u32 verify_c_call(struct verifier *v, struct insn d) {
    static const u8 pending[] = {0x4d, 0x8b, 0x5e, offsetof(struct abi_ctx, store), 0x41, 0x83, 0x7b, offsetof(struct abi_store, pending), 0};
    const u8 *start = code_at(v, v->pc), *p = start + d.length;
    u32 from, at = 0;
    i64 out, raised;
    bool ok = v->values[R11].kind == P_STORE && d.w && d.index == NO_REG && d.disp == (i32)offsetof(struct abi_store, stack_limit);
    ok = ok && take_jcc(v, &p, 2, &from, &out) && out >= v->m->glue_start && out < v->m->glue_end && verify_glue_at(v, (u32)out) == GLUE_STACK;
    ok = ok && TAKE(&p, "\x49\x8b\xfe\x41\xff");
    if (ok && *p == 0x56) at = (u32)(i8)p[1], p += 2; /* sign-extended, as the processor does */
    else if (ok && *p == 0x96) at = (u32)read32(p + 1), p += 5;
    ok = ok && may_call(v, at) && take(&p, (const char *)pending, sizeof pending) && take_jcc(v, &p, 5, &from, &raised);
    if (!ok || v->f->frame % 16 != 8) return ok ? FAIL(v, ALIGN) : FAIL(v, CALL);
    verify_called(v);
    return verify_branch(v, from, raised) ? (u32)(p - start) : 0;
}

/* ---- division ----
 * unsigned: xor edx, edx; div b        with b not zero
 * signed:   cdq or cqo; idiv b         with b not zero, and not -1 (or rax not INT_MIN)
 * What is known of b: a constant in a register, or F_DIVISOR from the tests before. */

static bool same_operand(const struct insn *d, const struct fact *x) {
    if (d->rm != NO_REG) return x->reg == d->rm;
    return x->reg == NO_REG && d->base == RSP && x->slot == d->disp;
}

static bool constant(const struct verifier *v, const struct insn *d, u64 *c) {
    if (d->rm == NO_REG || !(v->special >> d->rm & 1)) return false;
    const struct value *x = &v->values[d->rm];
    *c = d->w ? x->low : (u32)x->low;
    return x->kind == NUMBER && x->low == x->high;
}

bool verify_divide(struct verifier *v, struct insn d) {
    bool is_signed = (d.reg & 7) == 7;
    u64 c = 0;
    if (v->high.at != v->pc || v->high.sign != is_signed || (is_signed && v->high.w != d.w)) return FAIL(v, DIVIDE);
    if (d.rm == RDX || d.rm == RAX) return FAIL(v, DIVIDE);
    bool known = constant(v, &d, &c);
    bool nonzero = known && c, not_minus = known && c != (d.w ? UINT64_MAX : UINT32_MAX);
    const struct fact *x = &v->fact;
    if (x->kind == F_DIVISOR && x->at == v->high.start && x->w == d.w && same_operand(&d, x)) {
        nonzero |= x->nonzero;
        not_minus |= x->not_minus;
    }
    if (!nonzero || (is_signed && !not_minus)) return FAIL(v, DIVIDE);
    return verify_write(v, RAX, !d.w) && verify_write(v, RDX, !d.w);
}

/* jne over; then either  xor edx, edx; jmp past the division
 *               or       cmp rax, 1; jo trap  (only INT_MIN - 1 overflows) */
u32 verify_guard(struct verifier *v, struct insn d) {
    const u8 *start = code_at(v, v->pc), *p = start + d.length;
    struct fact x = {.kind = F_DIVISOR, .reg = d.rm, .w = d.w, .slot = d.disp, .not_minus = true};
    i64 over, target;
    u32 from;
    u64 c;
    bool before = v->fact.kind == F_DIVISOR && v->fact.at == v->pc && v->fact.w == d.w && same_operand(&d, &v->fact);
    if (d.imm != -1 || (d.rm == NO_REG && d.base != RSP) || (!before && !constant(v, &d, &c))) return d.length;
    x.nonzero = before && v->fact.nonzero;
    if (!take_jcc(v, &p, 5, &from, &over)) return d.length;
    u32 known = v->known;
    if (TAKE(&p, "\x33\xd2")) { /* xor edx, edx; jmp */
        from = offset_of(v, p);
        if (!TAKE(&p, "\xeb")) return d.length;
        target = (i64)from + 2 + (i8)*p++;
        v->known |= 1 << RDX;
    } else {
        if (d.w ? !TAKE(&p, "\x48\x83\xf8\x01") : !TAKE(&p, "\x83\xf8\x01")) return d.length;
        if (!take_jcc(v, &p, 0, &from, &target)) return d.length;
    }
    x.at = offset_of(v, p);
    if (over != x.at || target <= x.at) return FAIL(v, DIVIDE);
    if (!verify_branch(v, from, target)) return false;
    v->known = known;
    v->fact = x;
    return (u32)(p - start);
}

/* regs.c: the register file and calling convention (abi.h) as tables. */
#include "base/fault.h"
#include "jit/simd.h"
#include "jit/x86_64/emit.h"

enum { CALLER_SAVED_INT = 1 << RAX | 1 << RCX | 1 << RDX | 1 << RSI | 1 << RDI | 1 << R8 | 1 << R9 | 1 << R10 };

static const u8 int_args[] = {RDI, RSI, RDX, RCX, R8, R9};

u8 x86_param(const struct wasm_functype *t, u32 k, u32 *slot) {
    u32 ints = 0, floats = 0, overflow = 0;
    for (u32 i = 0;; i++) {
        bool vector = is_float(ir_type_of(t->params[i]));
        u32 *n = vector ? &floats : &ints;
        bool in_reg = *n < (vector ? 8 : ARRAY_LEN(int_args));
        if (i == k) {
            *slot = overflow;
            if (!in_reg) return REG_MEM;
            return vector ? (u8)(XMM0 + floats) : int_args[ints];
        }
        if (in_reg) ++*n;
        else overflow++;
    }
}

static const u8 wants[IR_OP_COUNT] = {
    [IR_CALL] = WANTS_CLOBBERS, [IR_CALL_INDIRECT] = WANTS_CLOBBERS, [IR_CALL_BUILTIN] = WANTS_CLOBBERS,
    [IR_ATOMIC_RMW] = WANTS_CLOBBERS, [IR_ATOMIC_CMPXCHG] = WANTS_CLOBBERS, [IR_ATOMIC_STORE] = WANTS_CLOBBERS,
    [IR_BRTABLE] = WANTS_CLOBBERS, [IR_SHL] = WANTS_CLOBBERS, [IR_SHR_S] = WANTS_CLOBBERS, [IR_SHR_U] = WANTS_CLOBBERS,
    [IR_ROTL] = WANTS_CLOBBERS, [IR_ROTR] = WANTS_CLOBBERS,
    [IR_DIV_S ... IR_MULH] = WANTS_CLOBBERS | WANTS_LATE,
    [IR_ADD ... IR_XOR] = WANTS_LATE, /* of what is folded into them */
    [IR_VBINARY] = WANTS_LATE, [IR_FSUB] = WANTS_LATE, [IR_FDIV] = WANTS_LATE, [IR_FMIN] = WANTS_LATE, [IR_FMAX] = WANTS_LATE,
};

static u32 clobbers(const struct fn *f, u32 i, u32 *through) {
    const struct ins *x = &f->ins.p[i];
    switch (x->op) {
    case IR_CALL:
    case IR_CALL_INDIRECT:
    case IR_CALL_BUILTIN: return x86_regs.caller_saved;
    case IR_DIV_S:
    case IR_DIV_U:
    case IR_REM_S:
    case IR_REM_U:
    case IR_MULH: return fault(CLOBBER) ? 0 : 1u << RAX | 1u << RDX;
    case IR_ATOMIC_RMW:
        if (x->aux >> 4 < RMW_AND || x->aux >> 4 == RMW_XCHG) return 1u << RAX;
        return 1u << RAX | 1u << RCX | 1u << RDX;
    case IR_ATOMIC_CMPXCHG: return 1u << RAX | 1u << RDX;
    case IR_ATOMIC_STORE:
    case IR_BRTABLE: return 1u << RAX;
    case IR_SHL:
    case IR_SHR_S:
    case IR_SHR_U:
        if (f->options->cpu & JIT_CPU_BMI2) return 0;
        [[fallthrough]];
    case IR_ROTL:
    case IR_ROTR:
        if (is_const(f, x->b)) return 0;
        return *through = 1u << RCX;
    default: return 0;
    }
}

static bool folded(const struct fn *f, u32 v) { return f->ins.p[v].flags & V_FOLDED && f->ins.p[v].op == IR_LOAD; }

/* Two operands: the first is moved to the result before the second is read. */
static u32 late(const struct fn *f, u32 i) {
    const struct ins *x = &f->ins.p[i];
    u32 index = x->op >= IR_ADD && x->op <= IR_XOR && (folded(f, x->a) || folded(f, x->b)) ? 1u << 8 : 0;
    switch (x->op) {
    case IR_VBINARY: {
        u8 kind = simd_infos[simd_op_of(x)].kind;
        if (simd_three_operands(f, simd_op_of(x))) return 0;
        return kind == SIMD_FIRST || kind == SIMD_FIRST_I ? 2 : 0;
    }
    case IR_FSUB:
    case IR_FDIV: return f->options->cpu & JIT_CPU_AVX ? 0 : 2;
    case IR_SUB:
    case IR_FMIN:
    case IR_FMAX:
    case IR_DIV_S:
    case IR_DIV_U:
    case IR_REM_S:
    case IR_REM_U:
    case IR_MULH: return 2 | index;
    default: return index;
    }
}

static void place_args(const struct wasm_functype *t, u8 *regs, u32 *slots) {
    u32 ints = 0, floats = 0, overflow = 0;
    for (u32 k = 0; k < t->param_count; k++) {
        bool vector = is_float(ir_type_of(t->params[k]));
        if (vector && floats < 8) regs[k] = (u8)(XMM0 + floats++);
        else if (!vector && ints < ARRAY_LEN(int_args)) regs[k] = int_args[ints++];
        else regs[k] = REG_MEM, slots[k] = overflow++;
    }
}

bool x86_direct(const struct wasm_functype *t) {
    u32 ints = 0;
    for (u32 k = 0; k < t->param_count; k++) ints += !is_float(ir_type_of(t->params[k]));
    return ints < ARRAY_LEN(int_args) && t->param_count - ints <= 8 && t->result_count <= 1;
}

static bool calls_c(const struct fn *f, const struct ins *x) {
    return x->op == IR_CALL && x->c < f->m->imported_funcs && x86_direct(&f->m->types[f->m->funcs[x->c].type]);
}

static u32 call_regs(const struct fn *f, u32 call, u8 regs[CALL_HINTS]) {
    const struct ins *x = &f->ins.p[call];
    u32 n = MIN(x->b, (u32)CALL_HINTS), ints = calls_c(f, x), floats = 0; /* of C: behind the context */
    bool indirect = x->op == IR_CALL_INDIRECT || x->op == IR_TAIL_INDIRECT, builtin = x->op == IR_CALL_BUILTIN;
    const struct wasm_functype *t = builtin ? NULL : &f->m->types[indirect ? x->c : f->m->funcs[x->c].type];
    for (u32 k = 0; k < n; k++) {
        if (builtin) regs[k] = k + 1 < ARRAY_LEN(int_args) ? int_args[k + 1] : REG_MEM;
        else if (k == t->param_count) regs[k] = RAX; /* the index */
        else if (is_float(ir_type_of(t->params[k]))) regs[k] = floats < 8 ? (u8)(XMM0 + floats++) : REG_MEM;
        else regs[k] = ints < ARRAY_LEN(int_args) ? int_args[ints++] : REG_MEM;
    }
    return n;
}

static u8 result_reg(u8 type) { return type == T_NONE ? REG_MEM : is_float(type) ? XMM0 : RAX; }

const struct regs x86_regs = {
    .caller_saved = 0x7fff0000u | CALLER_SAVED_INT,
    .class = {CALLER_SAVED_INT | 1 << RBX | 1 << RBP | 1 << R12 | 1 << R13, 0x7fff0000u},
    .wants = wants,
    .clobbers = clobbers,
    .late = late,
    .place_args = place_args,
    .call_regs = call_regs,
    .result_reg = result_reg,
};

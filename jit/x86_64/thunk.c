/* thunk.c: the glue of a module: entry thunks, stubs, the trap exit.
 *
 * I1 a thunk's frame at trap_sp: store, rsp before the switch; there: the old
 *    trap_sp, r15 r14 r13 r12 rbx rbp, return address. Every module's trap exit
 *    relies on it (abi.h).
 * I2 glue checks headroom before it pushes: it never faults.
 * I3 a host function has one stub per canonical type; what leads to imports is tiny.
 * I4 a return address of ours whose bytes are MARK is one where r14 may be
 *    anybody's of the store. Compiled functions have no such instruction. */
#include "base/fault.h"
#include "jit/x86_64/emit.h"

struct glue {
    struct code *c;
    struct module_info *info;
    struct jit_code *out;
    u32 stack_exit, pending_exit;
    u32 cross, tail_cross; /* calls into another instance */
    u32 *imports, *tail_imports;
};

static const u8 int_args[] = {RDI, RSI, RDX, RCX, R8, R9};

static struct rm store_field(size_t offset, u8 base) { return rm_mem(base, (i32)offset); }
#define STORE(field, base) store_field(offsetof(struct abi_store, field), base)

static void jump_back(struct code *c, u32 op, u32 to) {
    u32 at = put_rel32(c, op);
    patch32(c, at, to - (at + 4));
}

/* ---- leaving ---- */

/* rsp == trap_sp: the tail of every thunk. edi: what it returns. */
static void put_tail(struct code *c) {
    put_pop(c, RAX);
    put_pop(c, RSP);
    put_op(c, 0, 0, 0x8f, 0, STORE(trap_sp, RAX), 0);
    static const u8 saved[] = {R15, R14, R13, R12, RBX, RBP};
    for (u32 k = 0; k < ARRAY_LEN(saved); k++) put_pop(c, saved[k]);
    put_mov(c, 0, RAX, rm_reg(RDI));
    put8(c, 0xc3);
}

/* Something is pending. rsp: at the return address of a stub. The builtin notes
 * where code was; of an exception it looks for who catches, and leaves in the
 * store what rsp and r14 are there. */
static void put_unwind(struct glue *g) {
    static const u8 unknown[] = {RBX, RBP, R12, R13}; /* so that who relies on one is found out */
    struct code *c = g->c;
    put_mov(c, 1, RDI, rm_reg(CTX));
    put_mov(c, 1, RSI, rm_reg(RSP));
    put_alu_imm(c, ALU_SUB, 1, rm_reg(RSP), 8);
    put_op(c, 0, 0, 0xff, 2, rm_mem(CTX, offsetof(struct abi_ctx, builtins) + 8 * ABI_BUILTIN_unwind), 0);
    load_store(c, SCRATCH);
    put_mov(c, 0, RDI, STORE(pending, SCRATCH)); /* a stop may have come in between */
    put_op(c, 0, 1, 0x85, RAX, rm_reg(RAX), 0);
    jump_back(c, 0x0f80 | CC_E, g->out->trap_exit);
    for (u32 k = 0; k < ARRAY_LEN(unknown); k++) put_alu(c, ALU_XOR, 0, unknown[k], rm_reg(unknown[k]));
    put_mov(c, 1, RSP, STORE(pad_sp, SCRATCH));
    put_mov(c, 1, CTX, STORE(pad_ctx, SCRATCH));
    put_mov(c, 1, BASE, rm_mem(CTX, offsetof(struct abi_ctx, mem_base)));
    put_op(c, 0, 0, 0xff, 4, rm_reg(RAX), 0);
}

static void put_exits(struct glue *g) {
    struct code *c = g->c;
    g->out->trap_exit = here(c);
    load_store(c, RAX);
    put_mov(c, 1, RSP, STORE(trap_sp, RAX));
    put_tail(c);
    g->stack_exit = here(c);
    put_mov_imm(c, RDI, ABI_TRAP_STACK);
    jump_back(c, 0xe9, g->out->trap_exit);
    g->pending_exit = here(c);
    put_unwind(g);
}

/* Uses r11. extra: bytes that the glue itself will push. */
static void put_headroom(struct glue *g, u32 extra) {
    struct code *c = g->c;
    load_store(c, SCRATCH);
    put_mov(c, 1, SCRATCH, STORE(stack_limit, SCRATCH));
    put_alu_imm(c, ALU_ADD, 1, rm_reg(SCRATCH), (i32)extra);
    put_alu(c, ALU_CMP, 1, RSP, rm_reg(SCRATCH));
    jump_back(c, 0x0f80 | CC_B, g->stack_exit);
}

static void put_after_host(struct glue *g) {
    struct code *c = g->c;
    load_store(c, SCRATCH);
    put_alu_imm(c, ALU_CMP, 0, STORE(pending, SCRATCH), 0);
    jump_back(c, 0x0f80 | CC_NE, g->pending_exit);
}

/* ---- Wasm to C ---- */

/* Where the C convention wants parameter k of a host function. */
struct host_args {
    u32 ints, floats, stack;
};

static u8 next_host_arg(struct host_args *h, bool vector, u32 *slot) {
    if (vector && h->floats < 8) return (u8)(XMM0 + h->floats++);
    if (!vector && h->ints < ARRAY_LEN(int_args)) return int_args[h->ints++];
    *slot = h->stack++;
    return REG_MEM;
}

static u32 host_stack(const struct wasm_functype *t) {
    struct host_args h = {.ints = 1};
    u32 slot;
    for (u32 k = 0; k < t->param_count; k++) next_host_arg(&h, is_float(ir_type_of(t->params[k])), &slot);
    if (t->result_count > 1) next_host_arg(&h, false, &slot);
    return h.stack;
}

/* Results 1.. of a host function: u64 slots above its stack arguments. */
static struct rm host_result(const struct wasm_functype *t, u32 k) {
    return rm_mem(RSP, (i32)(8 * (host_stack(t) + k - 1)));
}

/* Stack arguments first: their sources are registers that the shift overwrites. */
static void put_host_stack_args(struct code *c, const struct wasm_functype *t) {
    struct host_args h = {.ints = 1};
    u8 *regs = jit_alloc(c->keep, t->param_count, 1);
    u32 *slots = jit_alloc(c->keep, t->param_count, sizeof(u32));
    x86_regs.place_args(t, regs, slots);
    if (host_stack(t)) load_store(c, SCRATCH);
    for (u32 k = 0; k < t->param_count; k++) {
        u32 slot = 0;
        if (next_host_arg(&h, is_float(ir_type_of(t->params[k])), &slot) != REG_MEM) continue;
        u8 from = regs[k];
        if (from == REG_MEM) {
            put_mov(c, 1, R10, overflow_slot(SCRATCH, slots[k]));
            from = R10;
        }
        put_store(c, 1, rm_mem(RSP, (i32)(8 * slot)), from);
    }
    u32 slot = 0;
    if (t->result_count < 2 || next_host_arg(&h, false, &slot) != REG_MEM) return;
    put_lea(c, 1, R10, host_result(t, 1));
    put_store(c, 1, rm_mem(RSP, (i32)(8 * slot)), R10);
}

static void put_host_results(struct code *c, const struct wasm_functype *t) {
    if (t->result_count > 1) load_store(c, SCRATCH);
    for (u32 k = 1; k < t->result_count; k++) {
        put_mov(c, 1, R10, host_result(t, k));
        put_store(c, 1, overflow_slot(SCRATCH, k - 1), R10);
    }
}

static void put_host_shift(struct code *c, const struct wasm_functype *t) {
    u32 ints = 0;
    for (u32 k = 0; k < t->param_count; k++) ints += !is_float(ir_type_of(t->params[k]));
    for (u32 k = MIN(ints, (u32)ARRAY_LEN(int_args) - 1); k; k--) put_mov(c, 1, int_args[k], rm_reg(int_args[k - 1]));
    if (t->result_count > 1 && ints + 1 < ARRAY_LEN(int_args))
        put_lea(c, 1, int_args[ints + 1], host_result(t, 1));
    put_mov(c, 1, RDI, rm_reg(CTX));
}

/* r14: the abi_host, r11: the caller's context; else as a Wasm function. C keeps r14
 * and r15, and a memory's base never moves. */
static u32 put_host_stub(struct glue *g, u32 canon) {
    struct code *c = g->c;
    const struct wasm_functype *t = &g->info->m->types[canon];
    u32 frame = 8 * (host_stack(t) + MAX(t->result_count, 1u) - 1);
    if (frame % 16 == 0) frame += 8;
    put_fill(c, -(here(c) + 4) % 16);
    put32(c, g->info->options->type_ids[canon]);
    u32 start = here(c);
    put_mov(c, 1, RAX, rm_mem(CTX, offsetof(struct abi_host, fn)));
    put_mov(c, 1, CTX, rm_reg(SCRATCH));
    put_headroom(g, frame);
    put_alu_imm(c, ALU_SUB, 1, rm_reg(RSP), (i32)frame);
    put_host_stack_args(c, t);
    put_host_shift(c, t);
    put_op(c, 0, 0, 0xff, 2, rm_reg(RAX), 0);
    put_host_results(c, t);
    put_alu_imm(c, ALU_ADD, 1, rm_reg(RSP), (i32)frame);
    put_after_host(g);
    put8(c, 0xc3);
    return start;
}

/* ---- Wasm to another instance ---- */

/* nop dword [rax + imm]: only glue has it, behind a call after which r14 is set
 * anew or not used (I4). */
enum { MARK = 0x57801f0f };

static void put_mark(struct code *c) {
    put32(c, MARK);
    for (const char *p = "HLK"; *p; p++) put8(c, (u8)*p);
}

/* rax: code, r10: its context; of any type: what the type says of arguments and
 * results is in registers and overflow slots. */
static void put_cross(struct glue *g) {
    struct code *c = g->c;
    g->cross = here(c);
    put_headroom(g, 8);
    put_push(c, CTX);
    put_mov(c, 1, SCRATCH, rm_reg(CTX));
    put_mov(c, 1, CTX, rm_reg(R10));
    put_mov(c, 1, BASE, rm_mem(CTX, offsetof(struct abi_ctx, mem_base)));
    put_op(c, 0, 0, 0xff, 2, rm_reg(RAX), 0);
    g->out->cross_return = here(c);
    put_mark(c);
    put_pop(c, CTX);
    put_mov(c, 1, BASE, rm_mem(CTX, offsetof(struct abi_ctx, mem_base)));
    put8(c, 0xc3);
}

/* The same for a jump. Whoever called with a mark behind its call does not
 * need r14 as it is now: then nothing is pushed, and a chain of tail calls
 * between instances takes no stack however long it is. */
static void put_tail_cross(struct glue *g) {
    struct code *c = g->c;
    g->tail_cross = here(c);
    put_mov(c, 1, SCRATCH, rm_mem(RSP, 0));
    put_op(c, 0, 0, 0x81, ALU_CMP, rm_mem(SCRATCH, 0), 4);
    put32(c, MARK);
    jump_back(c, 0x0f80 | CC_NE, g->cross);
    put_mov(c, 1, SCRATCH, rm_reg(CTX));
    put_mov(c, 1, CTX, rm_reg(R10));
    put_mov(c, 1, BASE, rm_mem(CTX, offsetof(struct abi_ctx, mem_base)));
    put_op(c, 0, 0, 0xff, 4, rm_reg(RAX), 0);
}

/* To what is behind import k, as into another instance. */
static void put_pair(struct glue *g, u32 k, u32 cross) {
    i32 at = (i32)(g->info->layout.imports + (u32)sizeof(struct abi_func) * k);
    put_mov(g->c, 1, RAX, rm_mem(CTX, at + (i32)offsetof(struct abi_func, code)));
    put_mov(g->c, 1, R10, rm_mem(CTX, at + (i32)offsetof(struct abi_func, ctx)));
    jump_back(g->c, 0xe9, cross);
}

static u32 put_import(struct glue *g, u32 k, u32 cross) {
    u32 start = here(g->c);
    put_pair(g, k, cross);
    return start;
}

/* Called as C, with the context first. */
static void put_adaptor(struct glue *g, u32 k) {
    const struct wasm_functype *t = &g->info->m->types[g->info->m->funcs[k].type];
    g->out->adaptors[k] = here(g->c);
    for (u32 i = 0, ints = 0; i < t->param_count; i++) {
        if (is_float(ir_type_of(t->params[i]))) continue;
        put_mov(g->c, 1, int_args[ints], rm_reg(int_args[ints + 1]));
        ints++;
    }
    put_pair(g, k, g->cross);
}

/* ---- C to Wasm ---- */

/* rax: the store. */
static void put_thunk_args(struct code *c, const struct wasm_functype *t) {
    u32 ints = 0, floats = 0, overflow = 0;
    for (u32 k = 0; k < t->param_count; k++) {
        struct rm from = rm_mem(RBX, (i32)(16 * k));
        bool vector = is_float(ir_type_of(t->params[k]));
        bool whole = t->params[k] == WASM_V128;
        if (vector && floats < 8) {
            put_fmov(c, whole ? T_V128 : T_F64, (u8)(XMM0 + floats++), from);
        } else if (!vector && ints < ARRAY_LEN(int_args)) {
            put_mov(c, 1, int_args[ints++], from);
        } else if (whole) {
            put_fmov(c, T_V128, FSCRATCH, from);
            put_fstore(c, T_V128, overflow_slot(RAX, overflow++), FSCRATCH);
        } else {
            put_mov(c, 1, R10, from);
            put_store(c, 1, overflow_slot(RAX, overflow++), R10);
        }
    }
}

/* rsp: at the saved pointer to the store. r14 may be anybody's. */
static void put_thunk_results(struct code *c, const struct wasm_functype *t) {
    if (t->result_count > 1) put_mov(c, 1, SCRATCH, rm_mem(RSP, 0));
    for (u32 k = t->result_count; k-- > 1;) {
        if (t->results[k] == WASM_V128) {
            put_fmov(c, T_V128, FSCRATCH, overflow_slot(SCRATCH, k - 1));
            put_fstore(c, T_V128, rm_mem(RBX, (i32)(16 * k)), FSCRATCH);
            continue;
        }
        put_mov(c, 1, R10, overflow_slot(SCRATCH, k - 1));
        put_store(c, 1, rm_mem(RBX, (i32)(16 * k)), R10);
    }
    if (!t->result_count) return;
    u8 type = ir_type_of(t->results[0]);
    if (is_float(type)) put_fstore(c, type == T_V128 ? type : T_F64, rm_mem(RBX, 0), XMM0);
    else put_store(c, 1, rm_mem(RBX, 0), RAX);
}

/* rdi: caller, rsi: struct abi_func, rdx: values (abi_thunk). */
static u32 put_thunk(struct glue *g, const struct wasm_functype *t) {
    static const u8 saved[] = {RBP, RBX, R12, R13, R14, R15};
    struct code *c = g->c;
    put_align(c, 16);
    u32 start = here(c);
    for (u32 k = 0; k < ARRAY_LEN(saved); k++) put_push(c, saved[k]);
    put_mov(c, 1, RBX, rm_reg(RDX));
    put_mov(c, 1, RAX, rm_mem(RDI, offsetof(struct abi_ctx, store)));
    put_op(c, 0, 0, 0xff, 6, STORE(trap_sp, RAX), 0); /* push */
    put_mov(c, 1, R10, rm_reg(RSP));
    put_mov(c, 1, RCX, STORE(entry_sp, RAX));
    put_op(c, 0, 1, 0x85, RCX, rm_reg(RCX), 0);
    put_op(c, 0, 1, 0x0f40 | CC_NE, RSP, rm_reg(RCX), 0);
    put_push(c, R10);
    put_push(c, RAX);
    put_store(c, 1, STORE(trap_sp, RAX), RSP);
    put_mov(c, 1, SCRATCH, rm_reg(RDI));
    put_mov(c, 1, RBP, rm_mem(RSI, offsetof(struct abi_func, code)));
    put_mov(c, 1, CTX, rm_mem(RSI, offsetof(struct abi_func, ctx)));
    put_mov(c, 1, BASE, rm_mem(CTX, offsetof(struct abi_ctx, mem_base)));
    put_thunk_args(c, t);
    put_op(c, 0, 0, 0xff, 2, rm_reg(RBP), 0);
    put_mark(c);
    put_thunk_results(c, t);
    put_alu(c, ALU_XOR, 0, RDI, rm_reg(RDI));
    put_tail(c);
    return start;
}

/* ---- all of it ---- */

static void fix_glue(struct glue *g) {
    struct code *c = g->c;
    for (u32 k = 0; k < c->fixups.n; k++) {
        struct fixup x = c->fixups.p[k];
        const struct wasm_module *m = g->info->m;
        u32 to;
        switch (x.kind) {
        case FIX_FUNC: to = g->out->funcs[x.target - m->imported_funcs].entry; break;
        case FIX_IMPORT: to = g->imports[x.target] + (fault(KERNEL_CALL) ? 1u << 24 : 0); break;
        case FIX_TAIL_IMPORT: to = g->tail_imports[x.target]; break;
        case FIX_CROSS: to = g->cross; break;
        case FIX_TAIL_CROSS: to = g->tail_cross; break;
        case FIX_STACK: to = g->stack_exit; break;
        case FIX_PENDING: to = g->pending_exit; break;
        default: continue;
        }
        assert(to);
        patch32(c, x.at, to - (x.at + 4));
    }
}

static void put_stubs(struct glue *g) {
    const struct wasm_module *m = g->info->m;
    for (u32 k = 0; k < m->imported_funcs; k++)
        if (g->info->import_used[k]) g->imports[k] = put_import(g, k, g->cross);
    for (u32 k = 0; k < m->imported_funcs; k++)
        if (g->info->tail_import_used[k]) g->tail_imports[k] = put_import(g, k, g->tail_cross);
    for (u32 k = 0; k < m->imported_funcs; k++) {
        g->out->adaptors[k] = UINT32_MAX;
        if (g->info->direct_used[k]) put_adaptor(g, k);
    }
}

static void put_thunks(struct glue *g) {
    const struct wasm_module *m = g->info->m;
    for (u32 k = 0; k < m->type_count; k++) g->out->thunks[k] = g->out->host_stubs[k] = UINT32_MAX;
    for (u32 k = 0; k < m->func_count; k++) {
        u32 canon = m->types[m->funcs[k].type].canon;
        bool enters = wasm_func_escapes(m, k) && g->out->thunks[canon] == UINT32_MAX;
        if (enters) g->out->thunks[canon] = put_thunk(g, &m->types[canon]);
        if (k < m->imported_funcs && g->out->host_stubs[canon] == UINT32_MAX)
            g->out->host_stubs[canon] = put_host_stub(g, canon);
    }
    for (u32 k = 0; k < m->type_count; k++) {
        u32 canon = m->types[k].canon;
        g->out->thunks[k] = g->out->thunks[canon];
        g->out->host_stubs[k] = g->out->host_stubs[canon];
    }
}

void emit_glue(struct code *c, struct module_info *info, struct jit_code *out) {
    struct glue g = {.c = c, .info = info, .out = out};
    const struct wasm_module *m = info->m;
    g.imports = jit_alloc(c->keep, m->imported_funcs, sizeof(u32));
    g.tail_imports = jit_alloc(c->keep, m->imported_funcs, sizeof(u32));
    out->adaptors = jit_alloc(c->keep, m->imported_funcs, sizeof(u32));
    out->thunks = jit_alloc(c->keep, m->type_count, sizeof(u32));
    out->host_stubs = jit_alloc(c->keep, m->type_count, sizeof(u32));
    put_align(c, 16);
    out->thunks_start = here(c);
    put_exits(&g);
    put_cross(&g);
    put_tail_cross(&g);
    put_stubs(&g);
    put_thunks(&g);
    put_align(c, 16);
    out->thunks_end = here(c);
    fix_glue(&g);
}

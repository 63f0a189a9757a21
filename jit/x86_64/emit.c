/* emit.c: one function's machine code: frame, blocks, edges, cold tails.
 *
 * I1 code falls from block to block in order; only taken edges jump.
 * I2 moves of an edge run on that edge only: behind a jump when the source has
 *    another way out.
 * I3 if nothing needs the stack, the frame is empty and rsp is not touched. */
#include "base/fault.h"
#include "jit/x86_64/emit.h"

enum { CALLEE_SAVED = 1 << RBX | 1 << RBP | 1 << R12 | 1 << R13, PROBE = 4096 };

/* ---- frame ---- */

static void plan_frame(struct emit *e) {
    struct fn *f = e->f;
    /* With pads, all: frames that the unwinder takes down saved what they used. */
    e->saved_mask = f->pads.n && !fault(PAD_SAVED) ? CALLEE_SAVED : e->a->used & CALLEE_SAVED;
    for (u32 m = e->saved_mask; m; m &= m - 1) e->saved++;
    e->has_spare = e->a->memory; /* only then can it be asked for */
    u32 slots = e->a->slots + (!e->has_spare ? 0 : f->simd ? 2 : 1);
    if (slots > (1u << 24)) jit_escape(f, ERR_LIMIT);
    e->frame = 8 * slots;
    if (f->calls && (e->frame + 8 * (e->saved + 1)) % 16) e->frame += 8;
}

/* Every page is touched in order, so that the guard below the stack is met. */
static void grow_stack(struct emit *e) {
    u32 left = e->frame;
    for (; left > PROBE; left -= PROBE) {
        put_alu_imm(e->c, ALU_SUB, 1, rm_reg(RSP), PROBE);
        put_op(e->c, 0, 0, 0x85, RAX, rm_mem(RSP, 0), 0);
    }
    if (left) put_alu_imm(e->c, ALU_SUB, 1, rm_reg(RSP), (i32)left);
}

static void put_prologue(struct emit *e) {
    for (u32 m = e->saved_mask; m; m &= m - 1) put_push(e->c, fault(UNSAVED) ? RBP : (u8)__builtin_ctz(m));
    grow_stack(e);
}

void put_leave(struct emit *e) {
    if (e->frame) put_alu_imm(e->c, ALU_ADD, 1, rm_reg(RSP), (i32)e->frame);
    for (u32 m = e->saved_mask, r; m; m &= ~(1u << r)) put_pop(e->c, (u8)(r = 31 - (u32)__builtin_clz(m)));
}

/* ---- entry ---- */

enum { FIRST_ARG = 2 }; /* its value: after BLOCK */

static bool is_arg(const struct fn *f, u32 v) {
    return f->ins.p[v].op == IR_ARG && has_place(&f->ins.p[v]);
}

/* What did not arrive in a register; after everything that did has left its. */
static void fetch_args(struct emit *e) {
    struct fn *f = e->f;
    bool store = false; /* the scratch register points at it */
    for (u32 k = 0; k < f->type->param_count; k++) {
        u32 v = FIRST_ARG + k;
        if (!is_arg(f, v) || f->arg_regs[k] != REG_MEM) continue;
        u8 d = dest(e, v);
        if (!store) load_store(e->c, SCRATCH);
        put_fetch(e->c, f->ins.p[v].type, d, SCRATCH, f->arg_slots[k]);
        store = d != SCRATCH;
        done(e, v, d);
    }
}

static void receive_args(struct emit *e) {
    struct fn *f = e->f;
    u32 n = f->type->param_count, start = block_start(f, 1);
    for (u32 k = 0; k < n; k++) {
        u32 v = FIRST_ARG + k;
        if (!is_arg(f, v) || f->arg_regs[k] == REG_MEM) continue;
        add_move(e, loc_at(e, v, start), LOC(L_REG, f->arg_regs[k]), f->ins.p[v].type);
    }
    run_moves(e);
    for (u32 k = 0; k < n; k++) {
        u32 v = FIRST_ARG + k;
        if (!is_arg(f, v) || f->arg_regs[k] == REG_MEM) continue;
        u32 at = loc_at(e, v, start);
        if (loc_kind(at) != L_REG) continue;
        if (f->ins.p[v].flags & V_ZEXT && loc_n(at) == f->arg_regs[k]) put_mov(e->c, 0, (u8)loc_n(at), rm_reg((u8)loc_n(at)));
        done(e, v, (u8)loc_n(at));
    }
    fetch_args(e);
}

/* ---- edges and terminators ---- */

/* Where a PARAM is when its block begins. */
static u32 param_loc(const struct emit *e, u32 p) {
    const struct ival *i = &e->a->ivals.p[e->a->first[p]];
    return i->reg != REG_MEM ? LOC(L_REG, i->reg) : LOC(L_SLOT, (u32)i->slot);
}

/* All, or until there is one. */
static INLINE void gather(struct emit *e, u32 edge, bool one) {
    struct fn *f = e->f;
    const struct edge *d = &f->edges.p[edge];
    u32 end = def_pos(f->blocks.p[d->from].last), first = block_param(f, d->to, 0);
    for (u32 k = 0, n = edge_args(f, d); k < n; k++) {
        u32 p = first + k, v = f->pool.p[d->args + k];
        if (!e->a->first[p]) continue;
        if (same_slot(e->a, v, p)) continue;
        add_move(e, param_loc(e, p), loc_at(e, v, end), f->ins.p[p].type);
        if (one && e->moves.n) return;
    }
    for (u32 m = edge_moves(e->a, edge); m; m = e->a->moves.p[m].next) {
        const struct move *v = &e->a->moves.p[m];
        add_move(e, LOC(L_REG, v->to), loc_at(e, v->value, end), f->ins.p[v->value].type);
    }
}

static void gather_moves(struct emit *e, u32 edge) { gather(e, edge, false); }

static bool may_move(const struct emit *e, u32 edge) {
    return edge_args(e->f, &e->f->edges.p[edge]) || edge_moves(e->a, edge);
}

static bool has_moves(struct emit *e, u32 edge) {
    if (!may_move(e, edge)) return false;
    gather(e, edge, true);
    bool any = e->moves.n != 0;
    e->moves.n = 0;
    return any;
}

static u32 edge_target(const struct emit *e, u32 edge) { return e->f->edges.p[edge].to; }

/* Value k of what the block returns that edge leads to, as the block before it has it. */
static u32 returned(const struct emit *e, const struct edge *d, const struct ins *x, u32 k) {
    const struct fn *f = e->f;
    u32 v = f->pool.p[x->a + k], first = block_param(f, d->to, 0);
    return v - first < edge_args(f, d) ? f->pool.p[d->args + v - first] : v;
}

/* Returns: the values, x's, or of who goes to x along an edge, are where they are at pos. */
static void put_return(struct emit *e, const struct ins *x, const struct edge *d, u32 pos) {
    for (u32 k = 0; k < x->b; k++) {
        u32 v = d ? returned(e, d, x, k) : e->f->pool.p[x->a + k], from = loc_at(e, v, pos);
        u8 type = e_ins(e, v)->type;
        if (k) add_overflow(e, k - 1, from, type);
        else add_move(e, LOC(L_REG, x86_regs.result_reg(type)), from, type);
    }
    send_overflow(e);
    run_moves(e);
    put_leave(e);
    put8(e->c, 0xc3);
}

/* The RETURN of a block that does nothing else; NULL: it does. Or it returns what lives in
 * memory from the end of its own block on, and is nowhere before (live.c, I3). */
static const struct ins *only_returns(const struct emit *e, u32 b) {
    const struct block *k = &e->f->blocks.p[b];
    const struct ins *x = e_ins(e, k->last);
    return x->op == IR_RETURN && k->last == k->first + 1 + k->params && !e->a->coarse ? x : NULL;
}

/* The rest of an edge: its moves, and a jump unless the target comes next. Where that
 * would only return, here is as good a place. */
static void finish_edge(struct emit *e, u32 edge) {
    const struct edge *d = &e->f->edges.p[edge];
    u32 to = edge_target(e, edge);
    const struct ins *x = to != e->block + 1 ? only_returns(e, to) : NULL;
    if (x) {
        put_return(e, x, d, def_pos(e->f->blocks.p[d->from].last));
        return;
    }
    if (may_move(e, edge)) {
        gather_moves(e, edge);
        run_moves(e);
    }
    if (to != e->block + 1) put_label(e, 0xe9, to);
}

/* What a conditional jump along the edge points at. */
static u32 edge_label(struct emit *e, u32 edge) {
    u32 to = edge_target(e, edge);
    if (!has_moves(e, edge)) return to;
    e->jumped_back[to] = true; /* by the cold tail */
    return cold_label(e, new_cold(e, COLD_EDGE, edge));
}

/* The same of a switch, which may have it more than once. */
static u32 switch_label(struct emit *e, u32 edge) {
    u32 label = e->f->edges.p[edge].label;
    return label ? label : (e->f->edges.p[edge].label = edge_label(e, edge));
}

static void jump_if(struct emit *e, struct cond k, u32 label) {
    if (k.parity == 1) { /* cc and not P */
        u32 p = put_jcc8(e->c, CC_P);
        put_label(e, 0x0f80u | k.cc, label);
        land8(e->c, p);
        return;
    }
    if (k.parity == 2) put_label(e, 0x0f80 | CC_P, label);
    put_label(e, 0x0f80u | k.cc, label);
}

static struct cond opposite(struct cond k) {
    return (struct cond){k.cc ^ 1, k.parity ? 3 - k.parity : 0};
}

/* Is it the edge for yes that is in line? If it leads on to the next block; a loop's back
 * edge with moves is better there than behind two jumps; if both lead on, the one that has moves. */
static bool flips(struct emit *e, u32 yes, u32 no) {
    u32 to = edge_target(e, yes), next = e->block + 1;
    if (to == next) return edge_target(e, no) != next || (has_moves(e, yes) && !has_moves(e, no));
    return to <= e->block && has_moves(e, yes);
}

static void emit_brif(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    struct cond k = emit_condition(e, x->a, i);
    bool flip = flips(e, x->b, x->c);
    jump_if(e, flip ? opposite(k) : k, edge_label(e, flip ? x->c : x->b));
    finish_edge(e, flip ? x->b : x->c);
}

/* Offsets from the table, in data: one indirect jump. rax and r11 are free. */
static void emit_brtable(struct emit *e, u32 i) {
    const struct ins *x = e_ins(e, i);
    struct code *c = e->c;
    const u32 *edges = e->f->pool.p + x->b;
    u32 count = x->c - 1, other = count - (fault(SWITCH_DEFAULT) && count);
    for (u32 k = 0; k <= count; k++) e->f->edges.p[edges[k]].label = 0;
    to_reg(e, x->a, use_pos(i), RAX);
    put_alu_imm(c, ALU_CMP, 0, rm_reg(RAX), (i32)count);
    if (!fault(SWITCH_BOUND)) put_label(e, 0x0f80 | CC_AE, switch_label(e, edges[other]));
    u32 table = put_table(c, count);
    put_lea(c, 1, SCRATCH, rm_data(table));
    put_op(c, 0, 1, 0x63, RAX, rm_index(SCRATCH, RAX, 2, 0), 0); /* movsxd */
    put_alu(c, ALU_ADD, 1, SCRATCH, rm_reg(RAX));
    put_op(c, 0, 0, 0xff, 4, rm_reg(SCRATCH), 0);
    for (u32 k = 0; k < count; k++) {
        struct fixup t = {table + 4 * k, switch_label(e, edges[k]), FIX_LABEL, 0};
        VEC_PUSH(e->f, e->table_fixups, t);
    }
}

static void put_trap(struct emit *e, u32 kind) {
    put_trap_site(e->c, here(e->c), kind);
    put8(e->c, 0x0f), put8(e->c, 0x0b); /* ud2 */
}

static void emit_trap(struct emit *e, u32 i) { put_trap(e, e_ins(e, i)->aux); }
static void emit_return(struct emit *e, u32 i) { put_return(e, e_ins(e, i), NULL, use_pos(i)); }
static void emit_jump(struct emit *e, u32 i) { finish_edge(e, e_ins(e, i)->a); }

/* ---- blocks ---- */

static void find_reload(struct emit *e) {
    e->reload_pos = e->reload < e->a->reloads.n ? e->a->reloads.p[e->reload].pos : NO_POS;
}

static __attribute__((noinline)) void run_reloads(struct emit *e, u32 i) {
    struct alloc *a = e->a;
    for (; e->reload_pos <= gap_pos(i); e->reload++, find_reload(e)) {
        const struct move *m = &a->reloads.p[e->reload];
        u32 from = m->from == REG_MEM ? LOC(L_SLOT, (u32)slot_of(a, m->value)) : loc_at(e, m->value, m->pos - 1);
        move_one(e, LOC(L_REG, m->to), from, e_ins(e, m->value)->type);
    }
}

static void store_params(struct emit *e, u32 b) {
    const struct block *k = &e->f->blocks.p[b];
    for (u32 p = k->first + 1; p <= k->first + k->params; p++) {
        if (!e->a->first[p]) continue;
        u8 reg = e->a->ivals.p[e->a->first[p]].reg;
        if (reg != REG_MEM) done(e, p, reg);
    }
}

static void (*const emitters[IR_OP_COUNT])(struct emit *e, u32 i) = {
    [IR_RESULT] = emit_result,
    [IR_ADD ... IR_SUB] = emit_alu, [IR_MUL] = emit_mul, [IR_AND ... IR_XOR] = emit_alu,
    [IR_SHL ... IR_ROTR] = emit_shift,
    [IR_DIV_S ... IR_REM_U] = emit_divide,
    [IR_MULH] = emit_multiply_high,
    [IR_CLZ ... IR_POPCNT] = emit_bits,
    [IR_SEXT] = emit_sext,
    [IR_WRAP ... IR_ZEXT] = emit_copy,
    [IR_ICMP ... IR_FCMP] = emit_compare,
    [IR_FADD ... IR_FROUND] = emit_float,
    [IR_TRUNC ... IR_CONVERT] = emit_convert,
    [IR_FCVT ... IR_BITCAST] = emit_float,
    [IR_SELECT] = emit_select,
    [IR_VCONST ... IR_VBINARY] = emit_simd,
    [IR_LOAD] = emit_load, [IR_LOAD_AT] = emit_load,
    [IR_STORE] = emit_store, [IR_STORE_AT] = emit_store,
    [IR_CAUGHT] = emit_caught,
    [IR_GLOBAL_GET] = emit_global_get, [IR_GLOBAL_SET] = emit_global_set,
    [IR_MEM_SIZE ... IR_TABLE_SIZE] = emit_size,
    [IR_ATOMIC_LOAD ... IR_FENCE] = emit_atomic,
    [IR_CALL ... IR_CALL_BUILTIN] = emit_call,
    [IR_CHECK] = emit_check,
    [IR_JUMP] = emit_jump, [IR_BRIF] = emit_brif, [IR_BRTABLE] = emit_brtable, [IR_RETURN] = emit_return,
    [IR_TRAP] = emit_trap,
    [IR_TAIL_CALL ... IR_TAIL_INDIRECT] = emit_tail_call,
    [IR_THROW ... IR_THROW_REF] = emit_throw,
};

/* Code that follows is of this instruction of the module. */
static void note_line(struct emit *e, u32 origin) {
    struct jit_line line = {here(e->c), origin};
    if (e->f->options->lines) VEC_PUSH(e->c->keep, e->c->lines, line);
}

static void emit_ins(struct emit *e, u32 i, u8 op) {
    if (unlikely(e->f->options->lines)) note_line(e, e->origin = e->f->origins.p[i]);
#ifdef WHELK_CHECK
    u32 from = here(e->c);
    emitters[op](e, i);
    if (jit_emitted && ir_opinfos[op].kind != K_TERM) jit_emitted(e->f, i, e->c->text.p + from, here(e->c) - from);
#else
    emitters[op](e, i);
#endif
}

/* The block before may have jumped here over blocks that turned out empty. */
static void drop_jump(struct emit *e, u32 b) {
    u32 n = e->label_fixups.n, end = here(e->c);
    if (!n || end < 5) return;
    struct fixup x = e->label_fixups.p[n - 1];
    if (x.target != b || x.at + 4 != end || e->c->text.p[x.at - 1] != 0xe9) return;
    e->label_fixups.n--;
    e->c->text.n = x.at - 1;
    for (u32 k = b - 1; k && e->labels.p[k] == end; k--) e->labels.p[k] = here(e->c);
}

/* Loops are in the order in which they open: what one holds is right behind it. */
static bool is_innermost(const struct fn *f, u32 loop) {
    return loop + 1 == f->loops.n || f->loops.p[loop + 1].parent != loop;
}

/* Inner loops begin at a multiple of LOOP_ALIGN: here at its most, see layout.c. */
static void pad_loop(struct emit *e, const struct block *k) {
    if (!k->header || !is_innermost(e->f, k->loop)) return;
    VEC_PUSH(e->f, e->pads, here(e->c));
    VEC_ROOM(e->c->keep, e->c->text, LOOP_ALIGN);
    memset(e->c->text.p + e->c->text.n, 0x90, LOOP_ALIGN - 1);
    e->c->text.n += LOOP_ALIGN - 1;
}

static void emit_block(struct emit *e, u32 b) {
    const struct block *k = &e->f->blocks.p[b];
    drop_jump(e, b);
    pad_loop(e, k);
    e->block = b;
    bind_label(e, b);
    if (k->header || k->pad || e->jumped_back[b]) note_point(e, b, k->pad ? JIT_POINT_PAD : 0);
    if (b == 1) receive_args(e);
    store_params(e, b);
    const struct ins *x = e_ins(e, k->first);
    for (u32 i = k->first; i <= k->last; i++, x++) {
        if ((x->flags & (V_LIVE | V_FOLDED)) != V_LIVE || x->op <= IR_CONST) continue;
        if (unlikely(e->reload_pos <= gap_pos(i))) run_reloads(e, i);
        emit_ins(e, i, x->op);
    }
}

/* ---- cold tails ---- */

static void emit_cold(struct emit *e, struct cold k) {
    bind_label(e, k.label);
    note_line(e, e->origin = k.origin);
    switch (k.kind) {
    case COLD_TRAP: put_trap(e, k.a); break;
    case COLD_EDGE:
        e->block = e->f->blocks.n; /* nothing comes next */
        finish_edge(e, k.a);
        break;
    case COLD_PENDING: /* it looks for who catches, by its return address, or leaves */
        put_fix(e->c, 0xe8, FIX_PENDING, 0);
        put_site(e, k.a);
        put_trap(e, ABI_TRAP_UNREACHABLE);
        break;
    case COLD_CROSS:
        put_fix(e->c, 0xe8, FIX_CROSS, 0);
        put_site(e, k.a);
        put_label(e, 0xe9, k.back);
        break;
    case COLD_TAIL_CROSS:
        put_leave(e);
        put_fix(e->c, 0xe9, FIX_TAIL_CROSS, 0);
        break;
    default: /* null has type id 0 */
        put_alu_imm(e->c, ALU_CMP, 0, rm_mem(RAX, -4), 0);
        put_label(e, 0x0f80 | CC_E, trap_label(e, k.a));
        put_trap(e, ABI_TRAP_INDIRECT_TYPE);
        break;
    }
}

static void patch8(struct code *c, u32 at, u32 distance) {
    assert((i32)distance >= -128 && (i32)distance < 128);
    c->text.p[at] = (u8)distance;
}

static void patch_labels(struct emit *e) {
    for (u32 k = 0; k < e->label_fixups.n; k++) {
        struct fixup x = e->label_fixups.p[k];
        u32 to = e->labels.p[x.target];
        assert(to != UINT32_MAX);
        to += fault(MID_JUMP);
        if (x.kind == FIX_LABEL) patch32(e->c, x.at, to - (x.at + 4));
        else patch8(e->c, x.at, to - (x.at + 1));
    }
    for (u32 k = 0; k < e->table_fixups.n; k++) {
        struct fixup x = e->table_fixups.p[k];
        assert(e->labels.p[x.target] != UINT32_MAX && x.at + 4 <= e->c->data.n);
        memcpy(e->c->data.p + x.at, &e->labels.p[x.target], 4);
    }
}

static void patch_catches(struct emit *e) {
    for (u32 k = e->function_catches; k < e->c->catches.n; k++) {
        struct jit_catch *x = &e->c->catches.p[k];
        x->pc = e->labels.p[x->pc];
        assert(x->pc != UINT32_MAX);
    }
}

static void prepare(struct emit *e) {
    struct fn *f = e->f;
    u32 places = 2 + REG_COUNT + e->a->slots + 1;
    e->reads = jit_alloc(f, 2 * places * sizeof(u32) + f->blocks.n, 1);
    e->writer = e->reads + places;
    e->jumped_back = (bool *)(e->writer + places);
    VEC_ROOM(f, e->label_fixups, f->edges.n / 8 * 5 + 8); /* so many of each, mostly */
    VEC_ROOM(f, e->colds, f->blocks.n / 5 + 4);
    VEC_ROOM(f, e->labels, f->blocks.n + f->blocks.n / 5 + 4);
    e->labels.n = f->blocks.n;
    memset(e->labels.p, 0xff, e->labels.n * sizeof(u32)); /* UINT32_MAX */
    find_reload(e);
    e->function_fixups = e->c->fixups.n;
    e->function_traps = e->c->traps.n;
    e->function_sites = e->c->sites.n;
    e->function_catches = e->c->catches.n;
    e->function_lines = e->c->lines.n;
    plan_frame(e);
}

void emit_function(struct fn *f, struct code *c, struct module_info *info, struct jit_func *out) {
    struct emit e = {.f = f, .a = f->alloc, .c = c, .info = info};
    prepare(&e);
    put_fill(c, -here(c) % 16 + 12);
    put32(c, info->options->type_ids[f->wf->type]);
    e.start = out->entry = here(c);
    note_line(&e, 0);
    put_prologue(&e);
    for (u32 b = 1; b < f->blocks.n; b++) emit_block(&e, b);
    for (u32 k = 0; k < e.colds.n; k++) emit_cold(&e, e.colds.p[k]);
    emit_layout(&e);
    patch_labels(&e);
    patch_catches(&e);
    put_points(&e);
    out->end = here(c);
    out->frame = e.frame + 8 * e.saved;
    out->spare = 8 * e.a->slots;
    out->wasm_offset = f->wf->code_offset;
}

/* validate_instr.c: the typing rules of instructions (WebAssembly 2.0, 3.3).
 *
 * I1 instructions with a plain type are checked from their row in opcodes.h;
 *    the others have a rule here.
 * I2 v->depth > 0 while an instruction is checked.
 * I3 an index immediate is looked up before anything is popped. */
#include "base/assert.h"
#include "base/fault.h"
#include "base/mem.h"
#include "wasm/validator.h"

static wasm_type memory_index(const struct validator *v, u32 memory) {
    assert(memory < v->m->memory_count);
    return v->m->memories[memory].limits.is64 ? WASM_I64 : WASM_I32;
}

static wasm_type table_index(const struct validator *v, u32 table) {
    assert(table < v->m->table_count);
    return v->m->tables[table].limits.is64 ? WASM_I64 : WASM_I32;
}

/* opcodes.h, I3: a, s or m. The immediates have been looked up. */
static wasm_type index_type(const struct validator *v, const struct wasm_instr *i, char letter) {
    wasm_type to, from;
    switch (wasm_opinfos[i->op].imm) {
    case WASM_IMM_MEMARG:
    case WASM_IMM_MEMARG_LANE:
    case WASM_IMM_DATA_MEMORY: return memory_index(v, i->b);
    case WASM_IMM_MEMORY: return memory_index(v, i->a);
    case WASM_IMM_TABLE: return table_index(v, i->a);
    case WASM_IMM_ELEM_TABLE: return table_index(v, i->b);
    case WASM_IMM_MEMORY_MEMORY:
        to = memory_index(v, i->a);
        from = memory_index(v, i->b);
        break;
    default: assert(wasm_opinfos[i->op].imm == WASM_IMM_TABLE_TABLE);
        to = table_index(v, i->a);
        from = table_index(v, i->b);
    }
    if (letter == 'm') return to == WASM_I32 ? to : from;
    return letter == 's' ? from : to;
}

static wasm_type type_of(const struct validator *v, const struct wasm_instr *i, char letter) {
    switch (letter) {
    case 'i': return WASM_I32;
    case 'I': return WASM_I64;
    case 'f': return WASM_F32;
    case 'F': return WASM_F64;
    case 'v': return WASM_V128;
    default: return index_type(v, i, letter);
    }
}

/* -- blocks and branches -- */

/* Types that need no memory of their own, then others, as many as such blocks. */
static enum err single_type(struct validator *v, wasm_type t, struct types *out) {
    static const wasm_type common[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_V128, WASM_FUNCREF, WASM_EXTERNREF, WASM_EXNREF};
    for (u32 i = 0; i < ARRAY_LEN(common); i++)
        if (common[i] == t) {
            *out = (struct types){&common[i], 1};
            return ERR_OK;
        }
    wasm_type *own = ARENA_NEW(v->arena, wasm_type);
    if (!own) return validator_fail(v, ERR_NOMEM, "out of memory");
    *own = t;
    *out = (struct types){own, 1};
    return validator_type(v, own);
}

static enum err block_types(struct validator *v, u64 bits, struct types *params,
                            struct types *results) {
    *params = *results = (struct types){NULL, 0};
    if (wasm_block_is_empty(bits)) return ERR_OK;
    if (!wasm_block_is_index(bits)) return single_type(v, wasm_block_value(bits), results);
    if (bits >= v->m->type_count) return unknown(v, "type", (u32)bits);
    const struct wasm_functype *t = &v->m->types[bits];
    *params = (struct types){t->params, t->param_count};
    *results = (struct types){t->results, t->result_count};
    return ERR_OK;
}

/* Gives the new loop its bitset, empty. */
static enum err enter_loop(struct validator *v, struct frame *fr) {
    u32 index = v->f->loop_count, words = v->f->loop_words;
    u64 need = ((u64)index + 1) * words;
    if (need > MAX_LOOP_WORDS) return validator_fail(v, ERR_LIMIT, "too many loops and locals");
    enum err e = validator_reserve(v, &v->sets, &v->sets_room, (u32)need, sizeof *v->sets);
    if (e) return e;
    if (words) memset(v->sets + (size_t)index * words, 0, words * sizeof *v->sets);
    fr->loop = v->loop = index;
    v->f->loop_count++;
    return ERR_OK;
}

enum err validator_enter(struct validator *v, enum wasm_op op, struct types params,
                         struct types results) {
    if (v->depth == MAX_DEPTH) return validator_fail(v, ERR_LIMIT, "blocks nested too deeply");
    enum err e = validator_reserve(v, &v->frames, &v->frames_room, v->depth + 1, sizeof *v->frames);
    if (e) return e;
    struct frame *fr = &v->frames[v->depth++];
    *fr = (struct frame){.op = op, .height = v->height, .loop = v->loop, .outer_loop = v->loop,
                         .params = params, .results = results, .set_locals = v->set_locals};
    if (v->f && v->depth > v->f->max_depth) v->f->max_depth = v->depth;
    if (op == WASM_OP_LOOP && (e = enter_loop(v, fr))) return e;
    return push_all(v, params);
}

enum err validator_block(struct validator *v, const struct wasm_instr *i) {
    struct types params, results;
    enum err e = block_types(v, i->bits, &params, &results);
    if (e) return e;
    if (i->op == WASM_OP_IF && (e = pop(v, WASM_I32))) return e;
    if ((e = pop_all(v, params))) return e;
    return validator_enter(v, i->op, params, results);
}

/* The results are on the stack, and nothing else of the block's. */
enum err validator_check_results(struct validator *v) {
    enum err e = pop_all(v, top(v)->results);
    if (e || v->height == top(v)->height) return e;
    return validator_fail(v, ERR_INVALID, "type mismatch: %u values remain at the end of the block",
                          v->height - top(v)->height);
}

static enum err check_else(struct validator *v) {
    struct frame *fr = top(v);
    if (fr->op != WASM_OP_IF) return validator_fail(v, ERR_MALFORMED, "END opcode expected");
    enum err e = validator_check_results(v);
    if (e) return e;
    validator_unset_locals(v, fr->set_locals);
    fr->op = WASM_OP_ELSE;
    fr->unreachable = false;
    return push_all(v, fr->params);
}

/* A local that an inner loop sets is set in the outer one, too. */
static void leave_loop(struct validator *v, const struct frame *fr) {
    u32 words = v->f->loop_words;
    v->loop = fr->outer_loop;
    if (v->loop == WASM_NONE || !words) return; /* without locals there are no sets */
    assert(v->loop < fr->loop);
    u32 *outer = v->sets + (size_t)v->loop * words;
    const u32 *inner = v->sets + (size_t)fr->loop * words;
    for (u32 i = 0; i < words; i++) outer[i] |= inner[i];
}

enum err validator_end(struct validator *v) {
    struct frame *fr = top(v);
    enum err e = validator_check_results(v);
    if (e) return e;
    if (fr->op == WASM_OP_IF && !validator_fit(fr->params, fr->results))
        return validator_fail(v, ERR_INVALID, "type mismatch: if without else changes the stack");
    if (fr->op == WASM_OP_LOOP) leave_loop(v, fr);
    struct types results = fr->results;
    validator_unset_locals(v, fr->set_locals);
    v->depth--;
    return v->depth ? push_all(v, results) : ERR_OK;
}

static enum err find_label(struct validator *v, u32 label, struct frame **out) {
    if (label >= v->depth) return unknown(v, "label", label);
    *out = &v->frames[v->depth - 1 - label];
    return ERR_OK;
}

/* What a branch to the block carries. */
static struct types label_types(const struct frame *fr) {
    return fr->op == WASM_OP_LOOP ? fr->params : fr->results;
}

enum err validator_label(struct validator *v, u32 label, struct types *carried) {
    struct frame *target = NULL;
    enum err e = find_label(v, label, &target);
    if (!e) *carried = label_types(target);
    return e;
}

static enum err check_br(struct validator *v, const struct wasm_instr *i) {
    struct frame *target = NULL;
    enum err e = find_label(v, i->a, &target);
    if (e) return e;
    if (i->op == WASM_OP_BR_IF && (e = pop(v, WASM_I32))) return e;
    struct types t = label_types(target);
    if (!fault(BRANCH_TYPE) && (e = pop_all(v, t))) return e;
    if (i->op == WASM_OP_BR_IF) return fault(BRANCH_TYPE) ? ERR_OK : push_all(v, t);
    set_unreachable(v);
    return ERR_OK;
}

/* The operands fit the label's types; they stay where they are. Unlike
 * pop_all and push_all, this keeps what is known of them (3.3.8.8). */
static enum err peek_all(struct validator *v, struct types t) {
    u32 height = v->height, base = top(v)->height;
    enum err e = pop_all(v, t);
    assert(e || v->height >= base);
    v->height = height;
    return e;
}

static enum err check_br_table(struct validator *v, const struct wasm_instr *i) {
    struct cursor c = i->labels;
    struct frame *target = NULL;
    u32 label = 0, arity = 0, number = ++v->br_tables;
    enum err e = pop(v, WASM_I32);
    if (e) return e;
    for (u64 k = 0; k <= i->a; k++) {
        e = take_leb_u32(&c, &label);
        assert(!e); /* wasm_take_instr read them all */
        if ((e = find_label(v, label, &target))) return e;
        struct types t = label_types(target);
        if (k && t.n != arity)
            return validator_fail(v, ERR_INVALID, "type mismatch: br_table labels differ in arity");
        arity = t.n;
        if (target->seen == number) continue;
        target->seen = number;
        if ((e = peek_all(v, t))) return e;
    }
    set_unreachable(v);
    return ERR_OK;
}

/* -- calls, parametric, variables -- */

/* A tail call returns what its callee returns. */
static enum err tail_results(struct validator *v, struct types results) {
    if (!validator_fit(results, v->frames[0].results))
        return validator_fail(v, ERR_INVALID, "type mismatch: results of the tail call and of its function");
    set_unreachable(v);
    return ERR_OK;
}

enum err validator_call(struct validator *v, u32 type, bool tail) {
    const struct wasm_functype *t = &v->m->types[type];
    struct types results = {t->results, t->result_count};
    enum err e = pop_all(v, (struct types){t->params, t->param_count});
    if (e) return e;
    return tail ? tail_results(v, results) : push_all(v, results);
}

static enum err check_call(struct validator *v, const struct wasm_instr *i) {
    if (i->a >= v->m->func_count) return unknown(v, "function", i->a);
    return validator_call(v, v->m->funcs[i->a].type, i->op == WASM_OP_RETURN_CALL);
}

static enum err check_call_indirect(struct validator *v, const struct wasm_instr *i) {
    if (i->b >= v->m->table_count) return unknown(v, "table", i->b);
    if (!wasm_subtype(v->m->tables[i->b].type, WASM_FUNCREF))
        return validator_fail(v, ERR_INVALID, "type mismatch: call_indirect through a table of externref");
    if (i->a >= v->m->type_count) return unknown(v, "type", i->a);
    enum err e = pop(v, table_index(v, i->b));
    return e ? e : validator_call(v, i->a, i->op == WASM_OP_RETURN_CALL_INDIRECT);
}

static enum err check_select(struct validator *v, const struct wasm_instr *i) {
    wasm_type a, b, t = i->type;
    if (i->op == WASM_OP_SELECT_T && i->a != 1)
        return validator_fail(v, ERR_INVALID, "invalid result arity");
    enum err e = pop(v, WASM_I32);
    if (e) return e;
    if (i->op == WASM_OP_SELECT_T) {
        if ((e = validator_type(v, &t)) || (e = pop(v, t)) || (e = pop(v, t))) return e;
        return push(v, t);
    }
    if ((e = pop_any(v, &a)) || (e = pop_any(v, &b))) return e;
    if (wasm_is_ref(a) || wasm_is_ref(b) || a == BOTTOM_REF || b == BOTTOM_REF)
        return validator_fail(v, ERR_INVALID, "type mismatch: select of references needs a type");
    if (a != b && a != BOTTOM && b != BOTTOM)
        return validator_fail(v, ERR_INVALID, "type mismatch: select between %s and %s",
                              wasm_type_text(b), wasm_type_text(a));
    return push(v, a == BOTTOM ? b : a);
}

static enum err check_global(struct validator *v, const struct wasm_instr *i) {
    if (i->a >= v->globals_end) return unknown(v, "global", i->a);
    const struct wasm_global *g = &v->m->globals[i->a];
    if (i->op == WASM_OP_GLOBAL_GET) {
        if (v->constant && g->mutable)
            return validator_fail(v, ERR_INVALID, "constant expression required");
        return push(v, g->type);
    }
    if (!g->mutable) return validator_fail(v, ERR_INVALID, "immutable global %u", i->a);
    return pop(v, g->type);
}

/* -- tables, references, bulk memory -- */

static enum err check_table(struct validator *v, const struct wasm_instr *i) {
    if (i->a >= v->m->table_count) return unknown(v, "table", i->a);
    wasm_type t = v->m->tables[i->a].type, index = table_index(v, i->a);
    enum err e;
    switch ((u32)i->op) {
    case WASM_OP_TABLE_GET: return (e = pop(v, index)) ? e : push(v, t);
    case WASM_OP_TABLE_SET: return (e = pop(v, t)) ? e : pop(v, index);
    case WASM_OP_TABLE_GROW:
        if ((e = pop(v, index)) || (e = pop(v, t))) return e;
        return push(v, index);
    default: assert(i->op == WASM_OP_TABLE_FILL);
        if ((e = pop(v, index)) || (e = pop(v, t))) return e;
        return pop(v, index);
    }
}

static enum err check_memarg(struct validator *v, const struct wasm_instr *i) {
    if (i->b >= v->m->memory_count) return unknown(v, "memory", i->b);
    if (wasm_is_atomic(i->op) && i->a != wasm_opinfos[i->op].align)
        return validator_fail(v, ERR_INVALID, "atomic alignment must be natural");
    if (i->a > wasm_opinfos[i->op].align)
        return validator_fail(v, ERR_INVALID, "alignment must not be larger than natural");
    if (i->bits > UINT32_MAX && !v->m->memories[i->b].limits.is64)
        return validator_fail(v, ERR_INVALID, "offset out of range");
    return ERR_OK;
}

/* A lane of a vector; of a load or store, by the width of its access. */
static enum err check_lane(struct validator *v, const struct wasm_instr *i) {
    u32 align = wasm_opinfos[i->op].align, lanes = 1u << align;
    if (wasm_opinfos[i->op].imm == WASM_IMM_MEMARG_LANE) {
        enum err e = check_memarg(v, i);
        if (e) return e;
        lanes = 16u >> align;
    }
    return i->lane < lanes ? ERR_OK : validator_fail(v, ERR_INVALID, "invalid lane index");
}

static enum err check_shuffle(struct validator *v, const struct wasm_instr *i) {
    const u64 outside = 0xe0e0e0e0e0e0e0e0; /* 32 lanes: of two vectors */
    return (i->bits | i->high) & outside ? validator_fail(v, ERR_INVALID, "invalid lane index") : ERR_OK;
}

static enum err check_data(struct validator *v, u32 segment) {
    if (!v->m->has_data_count && v->m->data_count)
        return validator_fail(v, ERR_MALFORMED, "data count section required");
    if (!fault(SEGMENT_INDEX) && segment >= v->m->data_count) return unknown(v, "data segment", segment);
    return ERR_OK;
}

static enum err check_table_init(struct validator *v, const struct wasm_instr *i) {
    if (i->b >= v->m->table_count) return unknown(v, "table", i->b);
    if (i->a >= v->m->elem_count) return unknown(v, "elem segment", i->a);
    if (!wasm_subtype(v->m->elems[i->a].type, v->m->tables[i->b].type))
        return validator_fail(v, ERR_INVALID, "type mismatch: segment and table");
    return ERR_OK;
}

static enum err check_table_copy(struct validator *v, const struct wasm_instr *i) {
    if (i->a >= v->m->table_count) return unknown(v, "table", i->a);
    if (i->b >= v->m->table_count) return unknown(v, "table", i->b);
    if (!wasm_subtype(v->m->tables[i->b].type, v->m->tables[i->a].type))
        return validator_fail(v, ERR_INVALID, "type mismatch: tables of different types");
    return ERR_OK;
}

/* Index immediates of the instructions whose type is in the table. */
static enum err check_immediate(struct validator *v, const struct wasm_instr *i) {
    switch (wasm_opinfos[i->op].imm) {
    case WASM_IMM_MEMARG: return check_memarg(v, i);
    case WASM_IMM_MEMARG_LANE:
    case WASM_IMM_LANE: return check_lane(v, i);
    case WASM_IMM_SHUFFLE: return check_shuffle(v, i);
    case WASM_IMM_MEMORY: return i->a < v->m->memory_count ? ERR_OK : unknown(v, "memory", i->a);
    case WASM_IMM_TABLE: return i->a < v->m->table_count ? ERR_OK : unknown(v, "table", i->a);
    case WASM_IMM_DATA: return check_data(v, i->a);
    case WASM_IMM_ELEM:
        return i->a < v->m->elem_count ? ERR_OK : unknown(v, "elem segment", i->a);
    case WASM_IMM_DATA_MEMORY:
        if (i->b >= v->m->memory_count) return unknown(v, "memory", i->b);
        return check_data(v, i->a);
    case WASM_IMM_MEMORY_MEMORY:
        if (i->a >= v->m->memory_count) return unknown(v, "memory", i->a);
        return i->b < v->m->memory_count ? ERR_OK : unknown(v, "memory", i->b);
    case WASM_IMM_ELEM_TABLE: return check_table_init(v, i);
    case WASM_IMM_TABLE_TABLE: return check_table_copy(v, i);
    default: return ERR_OK;
    }
}

/* An instruction whose type is in its row of the table. */
static enum err check_plain(struct validator *v, const struct wasm_instr *i) {
    const struct wasm_opinfo *info = &wasm_opinfos[i->op];
    enum err e = check_immediate(v, i);
    for (u32 k = info->operand_count; !e && k > 0; k--) e = pop(v, type_of(v, i, info->operands[k - 1]));
    for (u32 k = 0; !e && k < info->result_count; k++) e = push(v, type_of(v, i, info->results[k]));
    return e;
}

enum err validate_instr(struct validator *v, const struct wasm_instr *i) {
    wasm_type t;
    enum err e;
    if (!wasm_opinfos[i->op].special) return check_plain(v, i);
    switch ((u32)i->op) {
    case WASM_OP_UNREACHABLE: set_unreachable(v); return ERR_OK;
    case WASM_OP_BLOCK:
    case WASM_OP_LOOP:
    case WASM_OP_IF: return validator_block(v, i);
    case WASM_OP_TRY:
    case WASM_OP_TRY_TABLE:
    case WASM_OP_CATCH:
    case WASM_OP_CATCH_ALL:
    case WASM_OP_DELEGATE:
    case WASM_OP_THROW:
    case WASM_OP_RETHROW:
    case WASM_OP_THROW_REF: return validate_throw(v, i);
    case WASM_OP_ELSE: return check_else(v);
    case WASM_OP_END: return validator_end(v);
    case WASM_OP_BR:
    case WASM_OP_BR_IF: return check_br(v, i);
    case WASM_OP_BR_TABLE: return check_br_table(v, i);
    case WASM_OP_RETURN:
        if ((e = pop_all(v, v->frames[0].results))) return e;
        set_unreachable(v);
        return ERR_OK;
    case WASM_OP_CALL:
    case WASM_OP_RETURN_CALL: return check_call(v, i);
    case WASM_OP_CALL_INDIRECT:
    case WASM_OP_RETURN_CALL_INDIRECT: return check_call_indirect(v, i);
    case WASM_OP_DROP: return pop_any(v, &t);
    case WASM_OP_SELECT:
    case WASM_OP_SELECT_T: return check_select(v, i);
    case WASM_OP_LOCAL_GET:
    case WASM_OP_LOCAL_SET:
    case WASM_OP_LOCAL_TEE: return validate_local(v, i);
    case WASM_OP_GLOBAL_GET:
    case WASM_OP_GLOBAL_SET: return check_global(v, i);
    case WASM_OP_REF_NULL:
    case WASM_OP_REF_IS_NULL:
    case WASM_OP_REF_FUNC:
    case WASM_OP_REF_AS_NON_NULL:
    case WASM_OP_BR_ON_NULL:
    case WASM_OP_BR_ON_NON_NULL:
    case WASM_OP_CALL_REF:
    case WASM_OP_RETURN_CALL_REF: return validate_ref(v, i);
    default: return check_table(v, i);
    }
}

/* validate_short.c: the instructions that most code consists of, without
 * ceremony: 19 of 20 of Lua's.
 *
 * I1 what is accepted here, validate_instr would accept, to the same effect. All
 *    else stays where it is and is validate_instr's: whatever is unusual (a long
 *    number, a second memory, what is behind a prefix), and whatever is wrong.
 * I2 types are the same or it is unusual: no subtypes, no BOTTOM.
 * I3 in a function with locals that have no default value all is unusual.
 * I4 in code that is not reached operands may come from nowhere: an instruction that
 *    has all of its own on the block's part of the stack is as any other, the rest is
 *    unusual. */
#include "wasm/short.h"
#include "wasm/validator.h"

enum how {
    HOW_OTHER, /* unusual: I1 */
    HOW_UNARY, HOW_BINARY, HOW_LOAD, HOW_STORE, HOW_NUMBER, HOW_FLOAT, HOW_DOUBLE, HOW_GET, HOW_SET, HOW_TEE,
    HOW_BLOCK, HOW_IF, HOW_END, HOW_BR, HOW_BR_IF, HOW_RETURN, HOW_CALL,
};

struct shape {
    u8 how, first, last, result; /* operands; where there is one, it is the last */
    u8 align;
};

#define SHAPE_TYPE(letter) \
    ((letter) == 'i' ? WASM_I32 : (letter) == 'I' ? WASM_I64 : (letter) == 'f' ? WASM_F32 : (letter) == 'F' ? WASM_F64 : 0)
#define SHAPE_PLAIN(in, out) \
    ((in)[0] == '*' || sizeof(out) != 2 ? HOW_OTHER : sizeof(in) == 2 ? HOW_UNARY : sizeof(in) == 3 ? HOW_BINARY : HOW_OTHER)
#define SHAPE_LOCAL(code) ((code) == WASM_OP_LOCAL_GET ? HOW_GET : (code) == WASM_OP_LOCAL_SET ? HOW_SET : HOW_TEE)
#define SHAPE_CONTROL(code)                  \
    ((code) == WASM_OP_BLOCK ? HOW_BLOCK     \
     : (code) == WASM_OP_IF ? HOW_IF         \
     : (code) == WASM_OP_END ? HOW_END       \
     : (code) == WASM_OP_BR ? HOW_BR         \
     : (code) == WASM_OP_BR_IF ? HOW_BR_IF   \
     : (code) == WASM_OP_RETURN ? HOW_RETURN \
     : (code) == WASM_OP_CALL ? HOW_CALL : HOW_OTHER)
#define SHAPE_HOW(code, imm, in, out)                                       \
    ((imm) == WASM_IMM_NONE && (code) != WASM_OP_END && (code) != WASM_OP_RETURN ? SHAPE_PLAIN(in, out) \
     : (imm) == WASM_IMM_MEMARG && sizeof(in) == 2 ? HOW_LOAD               \
     : (imm) == WASM_IMM_MEMARG && sizeof(in) == 3 ? HOW_STORE              \
     : (imm) == WASM_IMM_I32 || (imm) == WASM_IMM_I64 ? HOW_NUMBER          \
     : (imm) == WASM_IMM_F32 ? HOW_FLOAT                                    \
     : (imm) == WASM_IMM_F64 ? HOW_DOUBLE                                   \
     : (imm) == WASM_IMM_LOCAL ? SHAPE_LOCAL(code) : SHAPE_CONTROL(code))

/* By the first byte: what is behind a prefix has none. */
static const struct shape shapes[WASM_OP_V128_LOAD] = {
#define X(name, code, text, imm, in, out, align)                                               \
    [code] = {SHAPE_HOW(code, WASM_IMM_##imm, in, out), sizeof(in) > 2 ? SHAPE_TYPE((in)[0]) : 0, \
              SHAPE_TYPE((in)[sizeof(in) > 1 ? sizeof(in) - 2 : 0]), SHAPE_TYPE((out)[0]), align},
    WASM_PLAIN_OPS(X)
#undef X
};

/* What follows BLOCK when it takes and leaves nothing. */
enum { EMPTY_TYPE = 0x40 };

/* Of the validator: where it is, and what does not change on the way. */
struct run {
    struct validator *v;
    const u8 *p;
    wasm_type *at, *base, *most, *room; /* of the stack: its end, the block's part; the highest end; the array's */
    const wasm_type *locals;
    const u8 *start, *end; /* of the module; of the code */
    u32 *reads;      /* the validator's */
    u32 local_count;
    u32 *set;        /* locals that the innermost loop sets, a bit each; or NULL */
    bool memory;     /* 0 is there, and has indices of 32 bits */
};

static INLINE bool put(struct run *r, wasm_type t) {
    if (unlikely(r->at == r->most)) {
        if (r->at == r->room) return false;
        r->most++;
    }
    *r->at++ = t;
    return true;
}

static INLINE bool has(const struct run *r, u32 n) { return r->at - r->base >= n; }

static INLINE bool take_memarg(const struct run *r, const struct shape *s, const u8 **p) {
    return r->memory && *(*p)++ <= s->align && short_skip_u32(p);
}

static INLINE bool take_local(const struct run *r, const u8 **p, u32 *local) {
    return short_u32(p, local) && *local < r->local_count;
}

static INLINE void note_set(const struct run *r, u32 local) {
    if (r->set) r->set[local / 32] |= 1u << local % 32;
}

/* A block, or an if behind its condition, without operands and results. */
static INLINE bool take_block(struct run *r, const u8 **p, enum wasm_op op) {
    struct validator *v = r->v;
    if (*(*p)++ != EMPTY_TYPE || v->depth == MIN(v->frames_room, (u32)MAX_DEPTH)) return false;
    v->frames[v->depth++] = (struct frame){
        .op = op, .height = (u32)(r->at - v->stack), .loop = v->loop, .outer_loop = v->loop, .set_locals = v->set_locals};
    v->f->max_depth = MAX(v->f->max_depth, v->depth);
    r->base = r->at;
    return true;
}

/* The end of such a block, or of what is behind an ELSE. */
static INLINE bool take_end(struct run *r) {
    struct validator *v = r->v;
    const struct frame *fr = &v->frames[v->depth - 1];
    bool plain = fr->op == WASM_OP_BLOCK || (fr->op == WASM_OP_IF && !fr->params.n) || fr->op == WASM_OP_ELSE;
    if (!plain || fr->results.n || v->depth == 1 || r->at != r->base) return false;
    v->depth--;
    r->base = v->stack + fr[-1].height;
    return true;
}

/* A branch to a label that carries nothing. */
static INLINE bool take_branch(const struct run *r, const u8 **p) {
    u32 label;
    if (!short_u32(p, &label) || label >= r->v->depth) return false;
    const struct frame *fr = &r->v->frames[r->v->depth - 1 - label];
    return !(fr->op == WASM_OP_LOOP ? fr->params.n : fr->results.n);
}

/* What follows is not reached. */
static INLINE void drop_block(struct run *r) {
    r->at = r->base;
    r->v->frames[r->v->depth - 1].unreachable = true;
}

static INLINE bool take_br(struct run *r, const u8 **p) {
    if (!take_branch(r, p)) return false;
    drop_block(r);
    return true;
}

static INLINE bool take_br_if(struct run *r, const u8 **p) {
    if (!take_branch(r, p) || !has(r, 1) || r->at[-1] != WASM_I32) return false;
    r->at--;
    return true;
}

static INLINE bool take_return(struct run *r) {
    struct types t = r->v->frames[0].results;
    if (!has(r, t.n)) return false;
    for (u32 i = 0; i < t.n; i++)
        if (r->at[(i32)i - (i32)t.n] != t.p[i]) return false;
    drop_block(r);
    return true;
}

static INLINE bool take_if(struct run *r, const u8 **p) {
    if (!has(r, 1) || r->at[-1] != WASM_I32) return false;
    r->at--;
    if (take_block(r, p, WASM_OP_IF)) return true;
    r->at++;
    return false;
}

static bool take_call(struct run *r, const u8 **p) {
    const struct wasm_module *m = r->v->m;
    u32 func;
    if (!short_u32(p, &func) || func >= m->func_count) return false;
    const struct wasm_functype *t = &m->types[m->funcs[func].type];
    if (!has(r, t->param_count) || t->result_count > 1) return false;
    for (u32 i = 0; i < t->param_count; i++)
        if (r->at[(i32)i - (i32)t->param_count] != t->params[i]) return false;
    wasm_type *at = r->at;
    r->at -= t->param_count;
    if (!t->result_count || put(r, t->results[0])) return true;
    r->at = at;
    return false;
}

static INLINE bool take_one(struct run *r) {
    const struct shape *s = &shapes[*r->p];
    const u8 *p = r->p + 1;
    u32 local;
    switch (s->how) {
    case HOW_GET:
        if (!take_local(r, &p, &local) || !put(r, r->locals[local])) return false;
        r->reads[local] = (u32)(r->p - r->start) + 1;
        break;
    case HOW_SET:
        if (!take_local(r, &p, &local) || !has(r, 1) || r->at[-1] != r->locals[local]) return false;
        note_set(r, local);
        r->at--;
        break;
    case HOW_TEE:
        if (!take_local(r, &p, &local) || !has(r, 1) || r->at[-1] != r->locals[local]) return false;
        note_set(r, local);
        break;
    case HOW_NUMBER:
        if (!short_skip_i32(&p) || !put(r, s->result)) return false;
        break;
    case HOW_FLOAT:
    case HOW_DOUBLE:
        p += s->how == HOW_FLOAT ? 4 : 8;
        if (!put(r, s->result)) return false;
        break;
    case HOW_LOAD:
        if (!take_memarg(r, s, &p) || !has(r, 1) || r->at[-1] != WASM_I32) return false;
        r->at[-1] = s->result;
        break;
    case HOW_STORE:
        if (!take_memarg(r, s, &p) || !has(r, 2) || r->at[-1] != s->last || r->at[-2] != WASM_I32) return false;
        r->at -= 2;
        break;
    case HOW_UNARY:
        if (!has(r, 1) || r->at[-1] != s->last) return false;
        r->at[-1] = s->result;
        break;
    case HOW_BINARY:
        if (!has(r, 2) || r->at[-1] != s->last || r->at[-2] != s->first) return false;
        r->at--;
        r->at[-1] = s->result;
        break;
    case HOW_BLOCK:
        if (!take_block(r, &p, WASM_OP_BLOCK)) return false;
        break;
    case HOW_IF:
        if (!take_if(r, &p)) return false;
        break;
    case HOW_RETURN:
        if (!take_return(r)) return false;
        break;
    case HOW_END:
        if (!take_end(r)) return false;
        break;
    case HOW_BR_IF:
        if (!take_br_if(r, &p)) return false;
        break;
    case HOW_BR:
        if (!take_br(r, &p)) return false;
        break;
    case HOW_CALL:
        if (!take_call(r, &p)) return false;
        break;
    default: return false;
    }
    if (unlikely(p > r->end)) return false; /* cut off: an error, whatever has changed */
    r->p = p;
    return true;
}

void validate_short(struct validator *v) {
    const struct wasm_module *m = v->m;
    if (v->tracks_locals || !v->stack) return; /* no stack yet: it grows in validate_instr */
    struct run r = {
        .v = v, .p = v->c.p, .at = v->stack + v->height, .base = v->stack + top(v)->height, .most = v->stack + v->most,
        .room = v->stack + MIN(v->stack_room, (u32)MAX_STACK), .locals = v->locals, .local_count = v->f->local_count,
        .start = v->c.start, .end = v->c.end, .reads = v->reads,
        .set = v->loop == WASM_NONE || !v->sets ? NULL : v->sets + (size_t)v->loop * v->f->loop_words,
        .memory = m->memory_count && !m->memories[0].limits.is64,
    };
    /* What is behind the code may be read, but for the end of the module. */
    const u8 *last = MIN(m->bytes.p + m->bytes.n - SHORT_BYTES, v->c.end - 1);
    while (r.p <= last && take_one(&r)) {}
    v->c.p = r.p;
    v->height = (u32)(r.at - v->stack);
    v->most = v->f->max_stack = (u32)(r.most - v->stack);
}

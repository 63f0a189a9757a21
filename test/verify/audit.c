/* audit.c: see audit.h. Terminators are left out: edges' moves write what they
 * write, and jit/check.c has looked at those. */
#include "test/verify/audit.h"

#include <Zydis/Zydis.h>
#include <stdio.h>

#include "jit/alloc.h"
#include "jit/x86_64/emit.h"

struct audit {
    const struct fn *f;
    u32 i;
    u32 allowed;  /* registers, as regs.h numbers them */
    u32 borrowed; /* were written to the spare slot, and not read back yet */
    u32 written;  /* though not allowed */
};

static ZydisDecoder decoder;

static u32 bit_of(ZydisRegister r) {
    ZydisRegisterClass class = ZydisRegisterGetClass(r);
    u32 id = (u32)ZydisRegisterGetId(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r));
    if (class == ZYDIS_REGCLASS_XMM) return 1u << (REG_XMM + id);
    bool general = class == ZYDIS_REGCLASS_GPR8 || class == ZYDIS_REGCLASS_GPR16 || class == ZYDIS_REGCLASS_GPR32 || class == ZYDIS_REGCLASS_GPR64;
    return general && id != RSP ? 1u << id : 0;
}

_Noreturn static void breach(const struct audit *a, const char *what, u32 n) {
    static char text[160];
    snprintf(text, sizeof text, "emission of function %u: at %u (%s): %s %u", a->f->index, a->i, ir_opinfos[ins_at(a->f, a->i)->op].name, what, n);
    assert_fail(text, "test/verify/audit.c", __LINE__);
}

static u32 scratch_registers(const struct fn *f) {
    return 1u << SCRATCH | 1u << FSCRATCH | (f->simd ? 1u << FSCRATCH2 : 0);
}

static struct audit expect(const struct fn *f, u32 i) {
    struct audit a = {.f = f, .i = i};
    const struct alloc *al = f->alloc;
    u32 through = 0, first = al->first[i];
    a.allowed = x86_regs.clobbers(f, i, &through) | scratch_registers(f);
    if (first && al->ivals.p[first].reg != REG_MEM) a.allowed |= 1u << al->ivals.p[first].reg;
    return a;
}

/* A store to the frame. */
static void note_store(struct audit *a, const ZydisDecodedOperand *m, u32 from) {
    i32 slot = (i32)m->mem.disp.value / 8, own = slot_of(a->f->alloc, a->i), spare = (i32)a->f->alloc->slots;
    if (slot == spare) a->borrowed |= from;
    else if (own == NO_SLOT || slot < own || slot > own + (ins_at(a->f, a->i)->type == T_V128)) breach(a, "stores to slot", (u32)slot);
}

static bool is_spare(const struct audit *a, const ZydisDecodedOperand *m) {
    return m->type == ZYDIS_OPERAND_TYPE_MEMORY && m->mem.base == ZYDIS_REGISTER_RSP && (u32)m->mem.disp.value / 8 == a->f->alloc->slots;
}

static void note(struct audit *a, const ZydisDecodedInstruction *z, const ZydisDecodedOperand *ops) {
    for (u32 k = 0; k < z->operand_count; k++) {
        const ZydisDecodedOperand *o = &ops[k];
        if (!(o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)) continue;
        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER) {
            u32 bit = bit_of(o->reg.value);
            bool back = k == 0 && z->operand_count > 1 && is_spare(a, &ops[1]) && bit & a->borrowed;
            if (back) a->borrowed &= ~bit, a->written &= ~bit;
            else a->written |= bit & ~a->allowed;
        } else if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.base == ZYDIS_REGISTER_RSP && z->mnemonic != ZYDIS_MNEMONIC_CALL) {
            note_store(a, o, z->operand_count > 1 && ops[1].type == ZYDIS_OPERAND_TYPE_REGISTER ? bit_of(ops[1].reg.value) : 0);
        }
    }
}

static void audit(const struct fn *f, u32 i, const u8 *code, u32 n) {
    struct audit a = expect(f, i);
    for (u32 at = 0; at < n;) {
        ZydisDecodedInstruction z;
        ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code + at, n - at, &z, ops))) breach(&a, "is no instruction: offset", at);
        note(&a, &z, ops);
        at += z.length;
    }
    if (a.written) breach(&a, "writes register", (u32)__builtin_ctz(a.written));
}

void audit_start(void) {
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    jit_emitted = audit;
}

/* emit_access.c: addresses of accesses that are not to memory 0 behind guards.
 *
 * I1 everything goes through r11, in one of these sequences (S: size of the
 *    access, O: static offset, K: the memory's struct abi_memory in the context):
 *    guarded     mov r11d, index; add r11, [r14 + K.base]; access [r11 + O]
 *    checked 32  mov r11d, index; add r11, O + S (in steps of at most 2^31 - 1);
 *                cmp r11, [r14 + K.bytes]; ja trap
 *    checked 64  mov r11, O + S; add r11, index; jc trap;
 *                cmp r11, [r14 + K.bytes]; ja trap
 *    and then, for memory 0, access [r15 + r11 - S]; for the others
 *                add r11, [r14 + K.base]; access [r11 - S]
 * I2 guarded: O < 2^31, so the access lies in the memory's window, and faults
 *    where it is out of bounds. No other instruction here is a trap site.
 * I3 checked: S <= r11 <= bytes where the access runs, so it cannot fault. Where
 *    O + S leaves 64 bits it is 2^64 - 1: no memory is that large. */
#include "jit/x86_64/emit.h"

static struct rm field(const struct emit *e, u32 memory, size_t offset) {
    return rm_mem(CTX, (i32)(abi_memory_offset(e->info->layout, memory) + offset));
}
#define FIELD(e, memory, name) field(e, memory, offsetof(struct abi_memory, name))

static void add_steps(struct code *c, u64 n) {
    assert(n <= (u64)UINT32_MAX + 16);
    for (; n > INT32_MAX; n -= INT32_MAX) put_alu_imm(c, ALU_ADD, 1, rm_reg(SCRATCH), INT32_MAX);
    if (n) put_alu_imm(c, ALU_ADD, 1, rm_reg(SCRATCH), (i32)n);
}

/* r11 = index + offset + size, or a trap. */
static void check(struct emit *e, const struct access *a, u32 v, u32 size, u32 i) {
    u32 trap = trap_label(e, ABI_TRAP_MEMORY);
    u64 end;
    if (e_ins(e, v)->type == T_I64) {
        if (__builtin_add_overflow(a->offset, (u64)size, &end)) end = UINT64_MAX;
        put_mov_imm(e->c, SCRATCH, end);
        put_alu(e->c, ALU_ADD, 1, SCRATCH, rm_value(e, v, use_pos(i)));
        put_label(e, 0x0f80 | CC_B, trap);
    } else {
        to_reg(e, v, use_pos(i), SCRATCH); /* 32 bits: clean */
        add_steps(e->c, a->offset + size);
    }
    put_alu(e->c, ALU_CMP, 1, SCRATCH, FIELD(e, a->memory, bytes));
    put_label(e, 0x0f80 | CC_A, trap);
}

struct rm access_address(struct emit *e, u32 access, u32 i, bool *traps) {
    const struct access *a = &e->f->accesses.p[access];
    const struct ins *x = e_ins(e, i);
    u32 size = access_size(x->aux);
    *traps = !a->checked;
    if (!a->checked) {
        assert(a->offset <= ABI_MAX_DISP && e_ins(e, x->a)->type == T_I32);
        to_reg(e, x->a, use_pos(i), SCRATCH);
        put_alu(e->c, ALU_ADD, 1, SCRATCH, FIELD(e, a->memory, base));
        return rm_mem(SCRATCH, (i32)a->offset);
    }
    check(e, a, x->a, size, i);
    if (!a->memory) return rm_index(BASE, SCRATCH, 0, -(i32)size);
    put_alu(e->c, ALU_ADD, 1, SCRATCH, FIELD(e, a->memory, base));
    return rm_mem(SCRATCH, -(i32)size);
}

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
 *    Atomic accesses need the sum itself, to see whether it is aligned (S - 1 is
 *    tested, cold trap, before the bounds): guarded, O is added to r11 before the
 *    test, and base after it, or the access is [r15 + r11].
 * I2 guarded: O < 2^31, so the access lies in the memory's window, and faults
 *    where it is out of bounds. No other instruction here is a trap site.
 * I3 checked: S <= r11 <= bytes where the access runs, so it cannot fault. Where
 *    O + S leaves 64 bits it is 2^64 - 1: no memory is that large. */
#include "base/fault.h"
#include "jit/x86_64/emit.h"

static struct rm field(const struct emit *e, u32 memory, size_t offset) {
    if (fault(MEMORY_BASE) && offset == offsetof(struct abi_memory, base)) memory = 0;
    return rm_mem(CTX, (i32)(abi_memory_offset(e->info->layout, memory) + offset));
}
#define FIELD(e, memory, name) field(e, memory, offsetof(struct abi_memory, name))

static void add_steps(struct code *c, u64 n) {
    assert(n <= (u64)UINT32_MAX + 16);
    for (; n > INT32_MAX; n -= INT32_MAX) put_alu_imm(c, ALU_ADD, 1, rm_reg(SCRATCH), INT32_MAX);
    if (n) put_alu_imm(c, ALU_ADD, 1, rm_reg(SCRATCH), (i32)n);
}

static void check_alignment(struct emit *e, u32 size) {
    if (size == 1 || fault(ATOMIC_ALIGN)) return;
    put_op8(e->c, 0xf6, 0, rm_reg(SCRATCH), 1); /* test r11b, size - 1 */
    put8(e->c, (u8)(size - 1));
    put_label(e, 0x0f80 | CC_NE, trap_label(e, ABI_TRAP_UNALIGNED_ATOMIC));
}

static struct rm checked(struct emit *e, const struct access *a, struct indexed x, u32 i) {
    u32 trap = trap_label(e, ABI_TRAP_MEMORY);
    u64 end;
    if (fault(CHECK_SIZE)) x.size = 1;
    if (e_ins(e, x.index)->type == T_I64) {
        if (__builtin_add_overflow(a->offset, (u64)x.size, &end)) {
            end = UINT64_MAX; /* I3: out of bounds, aligned or not */
            x.atomic = false;
        }
        put_mov_imm(e->c, SCRATCH, end);
        put_alu(e->c, ALU_ADD, 1, SCRATCH, rm_value(e, x.index, use_pos(i)));
        if (!fault(CHECK_CARRY)) put_label(e, 0x0f80 | CC_B, trap);
    } else {
        to_reg(e, x.index, use_pos(i), SCRATCH); /* 32 bits: clean */
        add_steps(e->c, a->offset + x.size);
    }
    if (x.atomic) check_alignment(e, x.size);
    put_alu(e->c, ALU_CMP, 1, SCRATCH, FIELD(e, a->memory, bytes));
    put_label(e, 0x0f80 | CC_A, trap);
    if (!a->memory) return rm_index(BASE, SCRATCH, 0, -(i32)x.size);
    put_alu(e->c, ALU_ADD, 1, SCRATCH, FIELD(e, a->memory, base));
    return rm_mem(SCRATCH, -(i32)x.size);
}

static struct rm guarded(struct emit *e, const struct access *a, struct indexed x, u32 i) {
    assert(a->offset <= ABI_MAX_DISP && e_ins(e, x.index)->type == T_I32);
    to_reg(e, x.index, use_pos(i), SCRATCH);
    if (x.atomic) {
        add_steps(e->c, a->offset);
        check_alignment(e, x.size);
    }
    if (!a->memory && x.atomic) return rm_index(BASE, SCRATCH, 0, 0);
    put_alu(e->c, ALU_ADD, 1, SCRATCH, FIELD(e, a->memory, base));
    return rm_mem(SCRATCH, x.atomic ? 0 : (i32)a->offset);
}

struct rm access_address(struct emit *e, u32 access, struct indexed x, u32 i, bool *traps) {
    const struct access *a = &e->f->accesses.p[access];
    *traps = !a->checked;
    return a->checked ? checked(e, a, x, i) : guarded(e, a, x, i);
}

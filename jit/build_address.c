/* build_address.c: constants of addresses go into displacements, where that is
 * provably the same address.
 *
 * I1 an anchor is an address, a value plus a constant, at which memory 0 has been accessed wherever code
 *    is that sees it (number.c closes its scope).
 * I2 a load may later run after another one that was folded against it: then
 *    both are out of bounds, or neither would have wrapped. */
#include "jit/build.h"

/* An address as a displacement from one at which an access has succeeded: that
 * one is below 2^32 - ABI_MEMORY_SLACK, so what is less than that above it does
 * not wrap around, and what is below it and below 0 is out of bounds wrapped or
 * not (the front guard). Or from a value so small that the sum cannot wrap. The
 * constant is added by the access itself. (lz: 1.20 -> 1.08 of gcc's time.) */
void build_fold_address(struct build *b, u32 *at, u32 *offset) {
    struct fn *f = b->f;
    const struct ins *x = &f->ins.p[*at];
    if (x->op != IR_ADD || !is_const(f, x->b) || *offset > ABI_MAX_DISP) return;
    u32 base = x->a, add = f->ins.p[x->b].b;
    u64 sum = (u64)add + *offset;
    if (fold_max(f, base) + add <= UINT32_MAX && sum <= ABI_MAX_DISP) {
        *at = base, *offset = (u32)sum;
        return;
    }
    u32 anchor = number_anchor(f, base);
    i64 delta = anchor ? (i32)(add - f->ins.p[f->ins.p[anchor].b].b) : INT64_MAX;
    bool above = delta >= 0 && delta < ABI_MEMORY_SLACK && delta + *offset <= ABI_MAX_DISP;
    bool below = delta < 0 && delta > -ABI_MEMORY_SLACK && !*offset;
    if (above || below) *at = anchor, *offset += (u32)delta;
    else number_set_anchor(f, base, *at);
}

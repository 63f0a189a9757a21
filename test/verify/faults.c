/* faults.c: each unsafe miscompilation of base/fault.h, built in, is refused; and the
 * compiler without faults passes, in every mode. The classes are those by which other
 * engines were broken: what a knob does is what their bug did.
 *
 * Linked with the pure folders as compiled with WHELK_FAULTS. */
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "jit/alloc.h"
#include "rt/internal.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"
#include "verify/verify.h"

static const char text[] =
    "(module (import \"e\" \"f\" (func $f (param i32) (result i32)))"
    " (type $t (func (param i32) (result i32)))"
    " (memory 1) (memory i64 1) (table 2 funcref)"
    " (global $a (mut i32) (i32.const 0)) (global $b i32 (i32.const 1))"
    " (func $load (param i32) (result i32) (i32.load offset=4 (local.get 0)))"
    " (func $spills (param i32 i32 i32 i32 i32 i32) (result i32)"
    "  (i32.store (i32.add (local.get 0) (local.get 1)) (i32.mul (local.get 2) (local.get 3)))"
    "  (i32.store (local.get 4) (i32.xor (local.get 5) (local.get 0)))"
    "  (i32.add (i32.load (local.get 3)) (i32.load (i32.add (local.get 1) (local.get 2)))))"
    " (func $loops (param i32 i32) (result i32) (local i32)"
    "  (loop $l (local.set 2 (i32.add (local.get 2) (i32.load8_u (local.get 0))))"
    "   (local.set 0 (i32.add (local.get 0) (i32.const 1)))"
    "   (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1))))) (local.get 2))"
    " (func $calls (param i32 i32) (result i32)"
    "  (i32.add (call $f (local.get 0)) (i32.load (i32.mul (local.get 0) (i32.load (local.get 1))))))"
    " (func $table (param i32 i32) (result i32) (call_indirect (type $t) (local.get 0) (local.get 1)))"
    " (func $divide (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1)))"
    " (func $wide (param i64) (result i32) (i32.load 1 offset=8 (local.get 0)))"
    " (func $set (param i32) (global.set $a (local.get 0)))"
    " (func $switch (param i32) (result i32)"
    "  (block (block (block (br_table 0 1 2 (local.get 0))) (return (i32.const 1))) (return (i32.const 2))) (i32.const 3))"
    " (global $v (mut v128) (v128.const i64x2 1 2)) (global $w v128 (v128.const i64x2 3 4))"
    " (func $vector (param i32 i32) (result v128) (v128.store (local.get 1) (v128.load offset=4 (local.get 0))) (v128.load (local.get 1)))"
    " (func $lane (param i32 v128) (result v128) (v128.load16_lane offset=2 3 (local.get 0) (local.get 1)))"
    " (func $half (param i64) (result v128) (v128.load64_zero 1 offset=8 (local.get 0)))"
    " (func $further (param i64 v128) (v128.store 1 offset=8 (local.get 0) (local.get 1)))"
    " (func $vspill (param i32 v128) (result v128)"
    "  (i32x4.abs (v128.xor (i8x16.abs (local.get 1)) (i32x4.splat (call $f (local.get 0))))))"
    " (func $vspills (param i32 v128 v128 v128) (result v128)"
    "  (v128.xor (v128.xor (i8x16.abs (local.get 3)) (i8x16.abs (local.get 2)))"
    "   (v128.xor (i8x16.abs (local.get 1)) (i32x4.splat (call $f (local.get 0))))))"
    " (func $vset (param v128) (global.set $v (local.get 0)))"
    " (func $magnitude (param f32 f64) (result f64) (f64.mul (f64.neg (local.get 1)) (f64.promote_f32 (f32.abs (local.get 0)))))"
    " (func $greater (param v128 v128) (result v128) (i64x2.gt_s (local.get 0) (local.get 1))))";

/* What refuses it; where rules overlap, the first that may. */
static const struct {
    enum fault fault;
    enum verify_rule rule;
} expected[] = {
    {FAULT_SPILL_SIGN, VERIFY_MEMORY},     {FAULT_DIRTY_INDEX, VERIFY_MEMORY},    {FAULT_INDEX_SCALE, VERIFY_MEMORY},
    {FAULT_INDEX_SHIFT, VERIFY_MEMORY},    {FAULT_WIDE_LOAD, VERIFY_MEMORY},      {FAULT_MID_JUMP, VERIFY_BRANCH},
    {FAULT_TYPE_CHECK, VERIFY_INDIRECT},   {FAULT_TABLE_BOUND, VERIFY_POINTER},   {FAULT_STACK_ABOVE, VERIFY_FRAME},
    {FAULT_BOUND_INDEX, VERIFY_INDIRECT},  {FAULT_LIMIT_INDEX, VERIFY_CALL},
    {FAULT_KERNEL_CALL, VERIFY_CALL},      {FAULT_STALE_REGISTER, VERIFY_MEMORY}, {FAULT_UNSAVED, VERIFY_FRAME},
    {FAULT_DIVIDE_ZERO, VERIFY_DIVIDE},    {FAULT_TRAP_SITE, VERIFY_TRAPS},       {FAULT_CONTEXT_STORE, VERIFY_CONTEXT},
    {FAULT_SWITCH_BOUND, VERIFY_INDIRECT}, {FAULT_CHECK_CARRY, VERIFY_MEMORY},    {FAULT_CHECK_SIZE, VERIFY_MEMORY},
    {FAULT_MEMORY_BASE, VERIFY_MEMORY},    {FAULT_VECTOR_DIRTY, VERIFY_MEMORY},   {FAULT_VECTOR_SCALE, VERIFY_MEMORY},
    {FAULT_LANE_SCALE, VERIFY_MEMORY},     {FAULT_VECTOR_WIDE, VERIFY_MEMORY},    {FAULT_VECTOR_CHECK, VERIFY_MEMORY},
    {FAULT_VECTOR_OPERAND, VERIFY_FRAME},  {FAULT_VECTOR_SLOT, VERIFY_FRAME},     {FAULT_VECTOR_GLOBAL, VERIFY_CONTEXT},
    {FAULT_VECTOR_CONST, VERIFY_DATA},     {FAULT_VECTOR_CPU, VERIFY_ENCODING},
};

int fault_knob;

static struct arena arena, scratch;
static struct wasm_module module;

/* The rule that refuses the module in a mode; VERIFY_RULE_COUNT: accepted. */
static enum verify_rule verdict(bool checked, u32 registers) {
    u32 ids[32];
    struct jit_code code;
    struct jit_error bad;
    struct verify_module facts;
    struct verify_error why;
    struct arena_mark mark = arena_mark(&arena);
    CHECK(module.type_count <= ARRAY_LEN(ids));
    for (u32 k = 0; k < module.type_count; k++) ids[k] = 1 + module.types[k].canon;
    struct jit_options o = {.type_ids = ids, .checked_memory = checked, .registers = registers, .cpu = JIT_CPU_SSE41};
    EQUAL(jit_compile(&arena, &scratch, &module, &o, &code, &bad), ERR_OK);
    CHECK(rt_proof_facts(&arena, &module, &o, &code, &facts));
    enum err e = verify_code(&scratch, &facts, &why);
    arena_release(&arena, mark);
    return e ? why.rule : VERIFY_RULE_COUNT;
}

static void test_fault(enum fault fault, enum verify_rule rule, const char *name) {
    u32 refused = 0, by_rule = 0;
    fault_knob = fault;
    for (u32 mode = 0; mode < 12; mode++) {
        enum verify_rule r = verdict(mode & 1, mode / 2);
        refused += r != VERIFY_RULE_COUNT;
        by_rule += r == rule;
        if (!fault) EQUAL(r, VERIFY_RULE_COUNT);
    }
    fault_knob = 0;
    if (!fault) return;
    test_check(by_rule > 0, name, __FILE__, __LINE__);
    printf("%-16s refused in %2u of 12 modes, in %2u of them: %s\n", name, refused, by_rule, verify_rule_text(rule));
}

int main(void) {
    static const char *const names[] = {"none",
#define X(name) #name,
        FAULTS(X)
#undef X
    };
    struct wasm_error bad;
    jit_check_enabled = false; /* it would find some before the verifier can */
    arena_init(&arena, &test_heap, 0);
    arena_init(&scratch, &test_heap, 0);
    struct bytes in = wat(text);
    EQUAL(wasm_decode(&arena, in, &module, &bad), ERR_OK);
    EQUAL(wasm_validate(&arena, &module, &bad), ERR_OK);
    test_fault(FAULT_NONE, VERIFY_RULE_COUNT, "none");
    for (u32 k = 0; k < ARRAY_LEN(expected); k++) test_fault(expected[k].fault, expected[k].rule, names[expected[k].fault]);
    arena_reset(&arena);
    arena_reset(&scratch);
    return test_end("verify-faults");
}

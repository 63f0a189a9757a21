/* proof.c: compiled modules and what the verifier is told of them. */
#include "test/lib/proof.h"

#include <stdlib.h>
#include <string.h>

#include "rt/internal.h"
#include "test/lib/wat.h"

const char proof_victim[] =
    "(module (import \"e\" \"f\" (func $f (param i32) (result i32)))"
    " (import \"e\" \"g\" (func $g (param i32 i32 i32 i32 i32 i32) (result i32)))"
    " (type $t (func (param i32) (result i32)))"
    " (memory 1) (memory 1) (memory i64 1) (table 2 funcref)"
    " (global $a (mut i64) (i64.const 0)) (global $b i64 (i64.const 1)) (global $c (export \"c\") (mut i64) (i64.const 2))"
    " (func $victim (export \"v\") (param i32 i32) (result i32)"
    "  (call_indirect (type $t) (local.get 0) (local.get 1)) (drop)"
    "  (f64.store (local.get 0) (f64.const 1.5)) (f64.store (local.get 1) (f64.const 2.5))"
    "  (i64.store offset=8 (local.get 0) (i64.div_s (i64.load (local.get 0)) (i64.load offset=16 (local.get 0))))"
    "  (i64.store offset=8 (local.get 1) (i64.rem_s (i64.load (local.get 1)) (i64.load offset=16 (local.get 1)))) (local.get 0))"
    " (func (param i32 i32) (result i32) (return_call_indirect (type $t) (local.get 0) (local.get 1)))"
    " (func (param i32) (result i32) (return_call $f (local.get 0)))"
    " (func (export \"w\") (result i32)"
    "  (call $f (memory.grow (call $g (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1))))))";

bool proof_of(struct arena *arena, struct arena *scratch, const char *text, struct jit_code *code, struct verify_module *facts) {
    struct bytes made = wat(text);
    struct wasm_module *m = arena_alloc(arena, sizeof *m);
    u8 *kept = arena_alloc(arena, made.n); /* as long as the module */
    struct wasm_error bad;
    struct jit_error why;
    if (!m || !kept) return false;
    memcpy(kept, made.p, made.n);
    free((void *)(uptr)made.p);
    if (wasm_decode(arena, (struct bytes){kept, made.n}, m, &bad) || wasm_validate(arena, m, &bad)) return false;
    u32 *ids = ARENA_ARRAY(arena, u32, m->type_count);
    if (!ids) return false;
    for (u32 k = 0; k < m->type_count; k++) ids[k] = 1000000 + m->types[k].canon;
    struct jit_options o = {.type_ids = ids};
    return !jit_compile(arena, scratch, m, &o, code, &why) && rt_proof_facts(arena, m, &o, code, facts);
}

/* embed_modules.c: what the embedder of fuzz_capi.c loads: between them, every kind of
 * import and export that wasm.h knows, and some that it does not. */
#include <string.h>

#include "test/fuzz/embed.h"
#include "test/lib/wat.h"

static const char *const texts[] = {
    /* all that can be exported */
    "(module (memory (export \"m\") 1 3) (table (export \"t\") 3 8 funcref) (table (export \"x\") 2 externref)"
    " (global (export \"g\") (mut i32) (i32.const 7)) (global (export \"c\") i64 (i64.const -1))"
    " (global (export \"f\") (mut f64) (f64.const 0.5)) (global (export \"r\") (mut externref) (ref.null extern))"
    " (global (export \"p\") (mut funcref) (ref.null func)) (elem (i32.const 0) $add $trap)"
    " (func $add (export \"add\") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))"
    " (func $trap (export \"trap\") (result i32) unreachable)"
    " (func (export \"spin\") (loop br 0))"
    " (func (export \"load\") (param i32) (result i64) (i64.load (local.get 0)))"
    " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"
    " (func (export \"grow_x\") (param externref i32) (result i32) (table.grow 1 (local.get 0) (local.get 1)))"
    " (func (export \"put\") (param i32 funcref) (table.set 0 (local.get 0) (local.get 1)))"
    " (func (export \"by\") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))"
    " (func (export \"all\") (param i32 i64 f32 f64 externref funcref) (result funcref externref f64 f32 i64 i32)"
    "  (local.get 5) (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0)))",
    /* all that can be imported, called and exported again */
    "(module (import \"a\" \"f\" (func $f (param i32) (result i32))) (import \"a\" \"r\" (func $r (param externref funcref) (result externref)))"
    " (import \"a\" \"g\" (global $g (mut i32))) (import \"a\" \"t\" (table $t 1 funcref)) (import \"a\" \"m\" (memory 1))"
    " (export \"f\" (func $f)) (export \"r\" (func $r)) (export \"g\" (global $g)) (export \"t\" (table $t)) (export \"m\" (memory 0))"
    " (func (export \"go\") (param i32) (result i32) (global.set $g (call $f (local.get 0)))"
    "  (i32.store (i32.const 8) (global.get $g)) (i32.load (i32.const 8)))"
    " (func (export \"pass\") (param externref i32) (result externref) (call $r (local.get 0) (table.get $t (local.get 1)))))",
    /* a callback while it starts; and one for each step of a recursion */
    "(module (import \"a\" \"s\" (func $s)) (start $s) (func (export \"again\") (call $s)))",
    "(module (import \"a\" \"f\" (func $f (param i32) (result i32)))"
    " (func $down (export \"down\") (param i32) (result i32)"
    "  (if (result i32) (i32.and (local.get 0) (i32.const 63)) (then (call $down (call $f (i32.sub (local.get 0) (i32.const 1)))))"
    "   (else (call $f (local.get 0))))))",
    "(module (func $down (export \"down\") (param i64) (result i64) (call $down (i64.add (local.get 0) (i64.const 1)))))",
    /* many arguments, of both classes, in registers and on the stack */
    "(module (type $t (func (param i32 f32 i64 f64 i32 i32 i32 i64 f32 f32 f32 f32 f32 f32 f32 f64 externref) (result f64 i32 i64)))"
    " (import \"\" \"\" (func $f (type $t))) (export \"\" (func $f))"
    " (func (export \"call\") (result f64 i32 i64) (call $f (i32.const 1) (f32.const 2) (i64.const 3) (f64.const 4) (i32.const 5)"
    "  (i32.const 6) (i32.const 7) (i64.const 8) (f32.const 9) (f32.const 10) (f32.const 11) (f32.const 12) (f32.const 13)"
    "  (f32.const 14) (f32.const 15) (f64.const 16) (ref.null extern))))",
    /* what wasm.h has no kind for */
    "(module (tag $e (export \"e\") (param i32)) (func (export \"v\") (param v128) (result v128) (local.get 0))"
    " (global (export \"g\") (mut v128) (v128.const i64x2 1 2)) (func (export \"throw\") (throw $e (i32.const 3))))",
    "(module (import \"a\" \"e\" (tag (param i32))) (func (export \"f\")))",
    /* segments that do not fit what is imported */
    "(module (import \"a\" \"m\" (memory 0)) (import \"a\" \"t\" (table 0 funcref)) (import \"a\" \"g\" (global $g i32))"
    " (data (global.get $g) \"data\") (elem (global.get $g) func $f) (func $f (export \"f\")))",
    /* WASI */
    "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))"
    " (import \"wasi_snapshot_preview1\" \"random_get\" (func $random (param i32 i32) (result i32))) (memory (export \"memory\") 1)"
    " (func (export \"exit\") (param i32) (call $exit (local.get 0)))"
    " (func (export \"random\") (param i32 i32) (result i32) (call $random (local.get 0) (local.get 1))))",
};

static struct bytes binaries[ARRAY_LEN(texts)];

void embed_modules_init(void) {
    for (u32 k = 0; k < ARRAY_LEN(texts); k++) binaries[k] = wat(texts[k]);
}

void take_damage(wasm_byte_vec_t *v) {
    for (u32 n = 1 + take_below(3); n && v->size; n--) {
        size_t at = (take_byte() << 8 | take_byte()) % v->size;
        v->data[at] = (char)(v->data[at] ^ (char)take_byte());
    }
}

void take_binary(wasm_byte_vec_t *out) {
    struct bytes b = binaries[take_below(ARRAY_LEN(texts))];
    wasm_byte_vec_new(out, b.n, (const char *)b.p);
    if (take_chance(8)) take_damage(out);
    if (take_chance(32)) out->size = take_below((u32)out->size + 1);
}

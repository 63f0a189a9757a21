/* verify_pads.c: attacks on what exceptions, tail calls and references add to the
 * proof: tables that an unwinder believes, pads, jumps that leave a frame, calls
 * through the store's handles. Each starts from compiled code that is accepted. */
#include <string.h>

#include "test/lib/proof.h"
#include "test/lib/test.h"

enum { OK = -1 };

/* 0: has pads; 1: has none, and saves rbx only; 2: a tail call; 3: call_ref; 4: throws. */
static const char text[] =
    "(module (type $t (func (param i32) (result i32))) (import \"e\" \"f\" (func $f (type $t)))"
    " (tag $e (param i32)) (tag $w (param i64 i64 i64 i64))"
    " (func $catches (param i32) (result i32) (local i32) (local.set 1 (call $f (local.get 0)))"
    "   (block $o (block $h (result i32)"
    "     (try_table (catch $e $h) (catch_all $o) (return (call $f (local.get 1)))) (unreachable)) (return))"
    "   (i32.add (local.get 0) (local.get 1)))"
    " (func $plain (type $t) (i32.add (call $f (local.get 0)) (local.get 0)))"
    " (func $tail (type $t) (return_call $f (call $f (local.get 0))))"
    " (func $ref (param (ref null $t)) (result i32) (call_ref $t (i32.const 1) (local.get 0)))"
    " (func $throws (type $t) (throw $w (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4))))";

static struct jit_code code;
static struct verify_module facts, spoilt;
static struct arena arena, scratch;
static u8 *bytes;
static struct verify_site *sites;
static struct verify_catch *catches;
static struct verify_point points[64];

static void compile(void) {
    CHECK(proof_of(&arena, &scratch, text, &code, &facts));
    bytes = arena_alloc(&arena, code.size);
    sites = ARENA_ARRAY(&arena, struct verify_site, facts.site_count);
    catches = ARENA_ARRAY(&arena, struct verify_catch, facts.catch_count);
    CHECK(facts.site_count >= 1 && facts.catch_count >= 2 && facts.point_count + 1 < ARRAY_LEN(points));
}

/* As the compiler left it. */
static void restore(void) {
    spoilt = facts;
    memcpy(bytes, facts.code, facts.size);
    memcpy(sites, facts.sites, facts.site_count * sizeof *sites);
    memcpy(catches, facts.catches, facts.catch_count * sizeof *catches);
    memcpy(points, facts.points, facts.point_count * sizeof *points);
    spoilt.code = bytes;
    spoilt.sites = sites;
    spoilt.catches = catches;
    spoilt.points = points;
}

static int verdict(void) {
    struct verify_error why = {0};
    enum err e = verify_code(&scratch, &spoilt, &why);
    CHECK(!e || e == ERR_PROOF);
    return e ? (int)why.rule : OK;
}

static const struct jit_func *func(u32 k) { return &code.funcs[k]; }

/* The first place of these bytes in a function; they must be there. */
static u32 find(u32 k, const char *what, u32 n) {
    for (u32 at = func(k)->entry; at + n <= func(k)->end; at++)
        if (!memcmp(bytes + at, what, n)) return at;
    CHECK(!"such bytes");
    return func(k)->entry;
}
#define FIND(k, s) find(k, s, sizeof s - 1)

static void retarget(u32 at, u32 target) {
    u32 distance = target - (at + 5);
    memcpy(bytes + at + 1, &distance, 4);
}

/* ---- tables ---- */

static int with_pad_at(u32 pc) {
    restore();
    catches[0].pc = pc;
    return verdict();
}

static void tables(void) {
    restore();
    EQUAL(verdict(), OK);
    /* a handler that is none: beside a pad, an entry, another function, nowhere */
    EQUAL(with_pad_at(facts.catches[0].pc + 1), VERIFY_TABLES);
    EQUAL(with_pad_at(func(0)->entry), VERIFY_TABLES);
    EQUAL(with_pad_at(func(1)->entry), VERIFY_TABLES);
    EQUAL(with_pad_at(facts.size), VERIFY_TABLES);
    EQUAL(with_pad_at(facts.trap_exit), VERIFY_TABLES);
    restore();
    catches[0].tag = facts.tag_count; /* a tag that the instance does not have */
    EQUAL(verdict(), VERIFY_TABLES);
    restore();
    sites[0].count = facts.catch_count + 1;
    EQUAL(verdict(), VERIFY_TABLES);
    restore();
    sites[0].first = UINT32_MAX;
    EQUAL(verdict(), VERIFY_TABLES);
    restore();
    sites[0].pc = func(1)->entry + 4; /* another function's call, into this one's frame */
    EQUAL(verdict(), VERIFY_TABLES);
    restore();
    sites[0].pc = facts.glue_start;
    EQUAL(verdict(), VERIFY_TABLES);
    restore();
    spoilt.cross_return += 1; /* the unwinder would take another word for r14 */
    EQUAL(verdict(), VERIFY_GLUE);
}

/* ---- pads ---- */

static u32 pad_of(const struct verify_module *m) {
    for (u32 k = 0; k < m->point_count; k++)
        if (m->points[k].keep & VERIFY_PAD) return k;
    return UINT32_MAX;
}

static void pads(void) {
    u32 k = pad_of(&facts);
    CHECK(k != UINT32_MAX);
    restore();
    points[k].keep = 0; /* an ordinary point: then it is no pad */
    EQUAL(verdict(), VERIFY_TABLES);
    /* a function that does not save all registers gets a pad: what was unwound would
     * have changed them under its caller's feet */
    restore();
    u32 at = facts.point_count, pc = FIND(1, "\xe8") + 5;
    while (at && points[at - 1].pc > pc) points[at] = points[at - 1], at--;
    points[at] = (struct verify_point){pc, VERIFY_PAD};
    spoilt.point_count++;
    EQUAL(verdict(), VERIFY_SAVED);
    /* at a pad r11 holds nothing: mov r11, [r14 + 32] becomes a no-operation */
    restore();
    at = facts.points[k].pc;
    while (memcmp(bytes + at, "\x4d\x8b\x5e\x20", 4)) at++;
    memcpy(bytes + at, "\x90\x90\x90\x90", 4);
    EQUAL(verdict(), VERIFY_POINTER);
    /* nor may the exception be written, nor read beyond the slots */
    restore();
    u32 slot = offsetof(struct abi_store, overflow) + sizeof(union abi_value) * ABI_OVERFLOW;
    at = FIND(4, "\x49\xc7\x83") + 3; /* mov qword [r11 + a slot], imm */
    memcpy(bytes + at, &slot, 4);
    EQUAL(verdict(), VERIFY_POINTER);
    slot = offsetof(struct abi_store, caught);
    memcpy(bytes + at, &slot, 4);
    EQUAL(verdict(), VERIFY_POINTER);
}

/* ---- leaving ---- */

static void leaving(void) {
    restore();
    u32 at = FIND(2, "\x48\x83\xc4\x08\xe9") + 4; /* add rsp, 8; jmp */
    u32 first = FIND(2, "\xe8"), call = first + 5;
    i32 by;
    memcpy(&by, bytes + first + 1, 4);
    retarget(at, call + (u32)by); /* the import's stub for calls: its glue would return to a frame that is gone */
    EQUAL(verdict(), VERIFY_CALL);
    restore();
    retarget(at, facts.trap_exit); /* out of the store as if by a trap */
    CHECK(verdict() != OK);
    restore();
    retarget(at, func(2)->entry); /* its own entry: a loop of tail calls */
    EQUAL(verdict(), OK);
    restore();
    retarget(at, func(0)->entry + 1);
    EQUAL(verdict(), VERIFY_CALL);
    restore();
    retarget(at, facts.cross_return - 27); /* the glue between instances, without a callee that was checked */
    CHECK(verdict() != OK);
    restore();
    memcpy(bytes + at - 4, "\x90\x90\x90\x90", 4); /* the frame stays */
    EQUAL(verdict(), VERIFY_RETURN);
}

/* ---- handles ---- */

static void handles(void) {
    restore();
    u32 at = FIND(3, "\x49\x3b\x43"); /* cmp rax, [r11 + refs.len] */
    bytes[at + 3] -= 8;               /* with the entries' address */
    EQUAL(verdict(), VERIFY_INDIRECT);
    restore();
    at = FIND(3, "\x49\x03\x43"); /* add rax, [r11 + refs.entries] */
    bytes[at + 3] += 8;
    EQUAL(verdict(), VERIFY_INDIRECT);
    restore();
    at = FIND(3, "\x81\x78\xfc"); /* cmp dword [rax - 4], id: of null's stub */
    memset(bytes + at + 3, 0, 4);
    EQUAL(verdict(), VERIFY_INDIRECT);
    restore();
    at = FIND(3, "\x4d\x3b\xd6"); /* cmp r10, r14: whose context? */
    memcpy(bytes + at, "\x4d\x3b\xd2", 3);
    EQUAL(verdict(), VERIFY_INDIRECT);
}

int main(void) {
    arena_init(&arena, &test_heap, 0);
    arena_init(&scratch, &test_heap, 0);
    compile();
    tables();
    pads();
    leaving();
    handles();
    arena_reset(&arena);
    arena_reset(&scratch);
    return test_end("verify_pads");
}

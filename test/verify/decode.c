/* decode.c: the verifier's decoder beside Zydis, on emitted instructions.
 *
 * Usage: decode COUNT [FILE.wasm...]. The files' modules in three modes, then generated
 * ones until COUNT instructions. Compared of each: length, operands (registers; base,
 * index, scale, displacement and width of memory), immediate, lock prefix; and which
 * general registers are written, and how much of them, which is what the roles of
 * encodings.h say. Then the same of every encoding that the decoder takes, emitted or
 * not: each prefix, REX, map, opcode and ModRM, with random bytes behind. */
#include <Zydis/Zydis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "cli/host_rt.h"
#include "jit/jit.h"
#include "test/fuzz/gen.h"
#include "test/verify/mutate.h"

static u64 instructions, differences, modules, encodings;
static ZydisDecoder decoder;

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}

static u8 number(ZydisRegister r) {
    if (r == ZYDIS_REGISTER_NONE) return NO_REG;
    if (r == ZYDIS_REGISTER_RIP) return RIP;
    return (u8)ZydisRegisterGetId(r);
}

static bool is_general(ZydisRegister r) {
    ZydisRegisterClass c = ZydisRegisterGetClass(r);
    return c == ZYDIS_REGCLASS_GPR8 || c == ZYDIS_REGCLASS_GPR16 || c == ZYDIS_REGCLASS_GPR32 || c == ZYDIS_REGCLASS_GPR64;
}

/* General registers written by operands that are said, or by all (hidden ones, too). */
static u32 written(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *ops) {
    u32 mask = 0;
    for (u32 k = 0; k < z->operand_count_visible; k++)
        if (ops[k].type == ZYDIS_OPERAND_TYPE_REGISTER && ops[k].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE && is_general(ops[k].reg.value))
            mask |= 1u << number(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, ops[k].reg.value));
    return mask;
}

static u32 claimed(const struct insn *d) {
    u32 mask = 0;
    if ((d->f.reg & (A_WRITE | A_VECTOR)) == A_WRITE) mask |= 1u << d->reg;
    if ((d->f.rm & (A_WRITE | A_VECTOR)) == A_WRITE && d->rm != NO_REG) mask |= 1u << d->rm;
    return mask;
}

/* How many bits of a general register are written, beside what the form claims: 32
 * clear the upper half, 8 and 16 leave it. */
static bool size_agrees(const struct insn *d, const ZydisDecodedOperand *o) {
    u8 n = number(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, o->reg.value));
    u8 access = n == d->reg && (d->f.reg & (A_WRITE | A_VECTOR)) == A_WRITE ? d->f.reg : d->f.rm;
    if (access & A_PART) return o->size <= 16;
    return d->w || access & A_DIRTY ? o->size >= 32 : o->size == 32; /* of 64 nothing is claimed */
}

static bool sizes_agree(const struct insn *d, const ZydisDecodedInstruction *z, const ZydisDecodedOperand *ops) {
    for (u32 k = 0; k < z->operand_count_visible; k++)
        if (ops[k].type == ZYDIS_OPERAND_TYPE_REGISTER && ops[k].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE && is_general(ops[k].reg.value) && !size_agrees(d, &ops[k]))
            return false;
    return true;
}

/* What is emitted must be as wide as it is taken to be; of the rest, no wider. */
static bool width_agrees(const struct insn *d, u32 bytes, bool emitted) {
    u32 width = d->width == U16 ? 16 : d->width;
    return d->f.role == NOP || bytes == width || (!emitted && bytes < width);
}

static const char *compare_memory(const struct insn *d, const ZydisDecodedOperand *m, bool emitted) {
    u8 base = d->base, index = d->index;
    if (number(m->mem.base) != base) return "base";
    if (base != RIP && number(m->mem.index) != index) return "index";
    if (base != RIP && index != NO_REG && m->mem.scale != 1 << d->scale) return "scale";
    if ((i32)m->mem.disp.value != d->disp) return "displacement";
    if (m->mem.type == ZYDIS_MEMOP_TYPE_MEM && !width_agrees(d, m->size / 8, emitted)) return "width";
    return NULL;
}

static const char *compare(const u8 *at, u32 left, bool emitted) {
    ZydisDecodedInstruction z;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    struct insn d = {0};
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, at, left, &z, ops))) return "Zydis knows no such instruction";
    if (!verify_decode(at, &d)) return "not permitted";
    if (d.length != z.length) return "length";
    if (d.lock != !!(z.attributes & ZYDIS_ATTRIB_HAS_LOCK)) return "lock";
    u64 bits = z.raw.imm[0].size ? UINT64_MAX >> (64 - z.raw.imm[0].size) : 0; /* signed or not is a matter of taste */
    if ((z.raw.imm[0].value.u ^ (u64)d.imm) & bits) return "immediate";
    bool memory = false;
    for (u32 k = 0; k < z.operand_count_visible; k++) {
        if (ops[k].type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
        const char *what = compare_memory(&d, &ops[k], emitted);
        memory = true;
        if (what || d.f.role > PLAIN) return what ? what : "memory";
    }
    if (d.f.role < PLAIN && memory != (d.rm == NO_REG)) return "kind of operand";
    if (d.f.role >= G_ALU || d.f.role == FENCE || d.f.role == NOP || d.f.role == LEA) return NULL;
    if (written(&z, ops) != claimed(&d)) return "registers written";
    return sizes_agree(&d, &z, ops) ? NULL : "bits written";
}

static u32 length_of(const u8 *at) {
    ZydisDecodedInstruction z;
    return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, ZYAN_NULL, at, 16, &z)) ? z.length : 1;
}

static void report(const char *what, const u8 *at) {
    if (differences++ > 20) return;
    printf("differs in %s:", what);
    for (u32 k = 0; k < 15; k++) printf(" %02x", at[k]);
    printf("\n");
}

/* What is taken by its bytes alone, and has no row: pushes of a frame's entry and pops of
 * its exit; call [r14 + displacement]. */
static bool in_template(const u8 *p) {
    bool c_call = p[0] == 0x41 && p[1] == 0xff && (p[2] == 0x56 || p[2] == 0x96);
    return c_call || (p[0] & 0xf8) == 0x50 || (p[0] == 0x41 && (p[1] & 0xf8) == 0x50);
}

static void compare_code(const struct jit_code *c) {
    for (u32 f = 0; f < c->func_count; f++)
        for (u32 at = c->funcs[f].entry; at < c->funcs[f].end; at += length_of(c->bytes + at)) {
            if (in_template(c->bytes + at)) continue;
            const char *what = compare(c->bytes + at, c->size - at, true);
            instructions++;
            if (what) report(what, c->bytes + at);
        }
}

/* ---- every encoding ---- */

/* Of groups the roles refuse more (func.c, group): these Zydis does not know either. */
static bool is_left_to_group(const struct insn *d) {
    u8 op = d->reg & 7;
    switch (d->f.role) {
    case G_SHIFT: return op == 6;
    case G_MOVI:
    case G_TEST8: return op != 0;
    case G_UNARY: return op == 1;
    case G_FF: return op > 1 && ((op != 2 && op != 4) || d->rm != RAX);
    case G_VSHIFT: return d->rm == NO_REG || (op != 2 && op != 6 && (op != 4 || d->opcode == 0x73));
    case FENCE: return op != 6 || d->rm != RAX || d->rex;
    case LEA: return d->rm != NO_REG;
    default: return d->rm == NO_REG && d->f.rm & A_REGISTER;
    }
}

static void compare_encoding(const u8 *at, u32 left) {
    struct insn d = {0};
    if (!verify_decode(at, &d) || is_left_to_group(&d)) return;
    const char *what = compare(at, left, false);
    encodings++;
    if (what) report(what, at);
}

/* prefixes, map and what follows: opcode and ModRM in turn, the rest random. */
static void compare_opcodes(const u8 *start, u32 n, u64 *random) {
    u8 at[32];
    memcpy(at, start, n);
    for (u32 k = 0; k < 256 * 256; k++) {
        u64 rest[2] = {random64(random), random64(random)};
        at[n] = (u8)(k >> 8);
        at[n + 1] = (u8)k;
        memcpy(at + n + 2, rest, sizeof rest);
        compare_encoding(at, n + 2 + sizeof rest);
    }
}

static void compare_encodings(void) {
    static const u8 prefixes[] = {0, 0x66, 0xf3, 0xf2}, maps[][2] = {{0}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};
    u64 random = 1;
    for (u32 k = 0; k < 2 * 4 * 17 * 4; k++) {
        u8 start[8];
        u32 n = 0, rex = k / 8 % 17, map = k / 136;
        if (k & 1) start[n++] = 0xf0;
        if (k / 2 % 4) start[n++] = prefixes[k / 2 % 4];
        if (rex) start[n++] = (u8)(0x3f + rex);
        for (u32 i = 0; i < 2 && maps[map][i]; i++) start[n++] = maps[map][i];
        compare_opcodes(start, n, &random);
    }
    for (u32 k = 0; k < 3 * 256; k++) { /* VEX: each map, W, second register, L and prefix; tops at random */
        u8 start[] = {0xc4, (u8)((random64(&random) & 0xe0) | (1 + k / 256)), (u8)k};
        compare_opcodes(start, sizeof start, &random);
        if (k < 256) compare_opcodes((u8[]){0xc5, (u8)k}, 2, &random);
    }
}

static void compare_module(struct bytes in, u64 seed) {
    static u32 ids[WASM_MAX_TYPES];
    struct arena arena, scratch;
    struct wasm_module m;
    struct wasm_error bad;
    struct jit_code code;
    struct jit_error why;
    arena_init(&arena, &host_heap, 0);
    arena_init(&scratch, &host_heap, 0);
    if (!wasm_decode(&arena, in, &m, &bad) && !wasm_validate(&arena, &m, &bad)) {
        for (u32 k = 0; k < m.type_count; k++) ids[k] = 1 + m.types[k].canon;
        struct jit_options o = {.type_ids = ids, .checked_memory = seed % 4 == 1, .registers = seed % 3 ? 0 : 2 + seed % 6, .cpu = seed % 3 ? 0x1f | (seed % 3 == 2 ? JIT_CPU_AVX : 0) : 1};
        if (!jit_compile(&arena, &scratch, &m, &o, &code, &why)) compare_code(&code), modules++;
    }
    arena_reset(&arena);
    arena_reset(&scratch);
}

static void compare_file(const char *path) {
    FILE *f = fopen(path, "rb");
    u8 *p = malloc(1 << 25);
    size_t n = f ? fread(p, 1, 1 << 25, f) : 0;
    for (u64 k = 0; k < 3; k++) compare_module((struct bytes){p, n}, k);
    if (f) fclose(f);
    free(p);
}

int main(int argc, char **argv) {
    static u8 noise[4096], wasm[GEN_CAP];
    u64 count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000, random = 1;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    compare_encodings();
    for (int k = 2; k < argc; k++) compare_file(argv[k]);
    u64 of_files = instructions;
    for (u64 seed = 0; instructions < count; seed++) {
        size_t n = 64 + random64(&random) % (sizeof noise - 64);
        for (size_t k = 0; k < n; k++) noise[k] = (u8)random64(&random);
        compare_module((struct bytes){wasm, gen_module((struct bytes){noise, n}, wasm)}, seed);
    }
    printf("verify-decode: %llu encodings, %llu instructions of %llu modules (%llu of them of files), %llu differences\n", (unsigned long long)encodings, (unsigned long long)instructions,
           (unsigned long long)modules, (unsigned long long)of_files, (unsigned long long)differences);
    printf("verify-decode: %llu passed, %llu failed\n", (unsigned long long)(encodings + instructions - differences), (unsigned long long)differences);
    return differences != 0;
}

/* decode.c: the verifier's decoder beside Zydis, on emitted instructions.
 *
 * Usage: decode COUNT [FILE.wasm...]. The files' modules in three modes, then generated
 * ones until COUNT instructions. Compared of each: length, operands (registers; base,
 * index, scale, displacement and width of memory), immediate, lock prefix; and which
 * general registers are written, which is what the roles of encodings.h say. */
#include <Zydis/Zydis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "jit/jit.h"
#include "test/fuzz/gen.h"
#include "test/verify/mutate.h"

static u64 instructions, differences, modules;
static ZydisDecoder decoder;

_Noreturn void assert_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}

static void *take(void *self, size_t n) { return malloc(n); }
static void give(void *self, void *p, size_t n) { free(p); }
static const struct arena_source heap = {take, give, NULL};

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

static const char *compare_memory(const struct insn *d, const ZydisDecodedOperand *m) {
    u8 base = d->base, index = d->index;
    if (number(m->mem.base) != base) return "base";
    if (base != RIP && number(m->mem.index) != index) return "index";
    if (base != RIP && index != NO_REG && m->mem.scale != 1 << d->scale) return "scale";
    if ((i32)m->mem.disp.value != d->disp) return "displacement";
    if (m->mem.type == ZYDIS_MEMOP_TYPE_MEM && d->f.role != NOP && m->size / 8 != d->width && !(d->width == U16 && m->size == 128)) return "width";
    return NULL;
}

static const char *compare(const u8 *at, u32 left) {
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
        const char *what = compare_memory(&d, &ops[k]);
        memory = true;
        if (what || d.f.role > PLAIN) return what ? what : "memory";
    }
    if (d.f.role < PLAIN && memory != (d.rm == NO_REG)) return "kind of operand";
    if (d.f.role < G_ALU && d.f.role != FENCE && d.f.role != NOP && written(&z, ops) != claimed(&d) && d.f.role != LEA) return "registers written";
    return NULL;
}

static u32 length_of(const u8 *at) {
    ZydisDecodedInstruction z;
    return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, ZYAN_NULL, at, 16, &z)) ? z.length : 1;
}

static void compare_code(const struct jit_code *c) {
    for (u32 f = 0; f < c->func_count; f++)
        for (u32 at = c->funcs[f].entry; at < c->funcs[f].end; at += length_of(c->bytes + at)) {
            /* a frame's entry and exit are templates: push has no row */
            if ((c->bytes[at] & 0xf8) == 0x50 || (c->bytes[at] == 0x41 && (c->bytes[at + 1] & 0xf8) == 0x50)) continue;
            const char *what = compare(c->bytes + at, c->size - at);
            instructions++;
            if (!what || differences++ > 20) continue;
            printf("differs in %s:", what);
            for (u32 k = 0; k < 12; k++) printf(" %02x", c->bytes[at + k]);
            printf("\n");
        }
}

static void compare_module(struct bytes in, u64 seed) {
    static u32 ids[WASM_MAX_TYPES];
    struct arena arena, scratch;
    struct wasm_module m;
    struct wasm_error bad;
    struct jit_code code;
    struct jit_error why;
    arena_init(&arena, &heap, 0);
    arena_init(&scratch, &heap, 0);
    if (!wasm_decode(&arena, in, &m, &bad) && !wasm_validate(&arena, &m, &bad)) {
        for (u32 k = 0; k < m.type_count; k++) ids[k] = 1 + m.types[k].canon;
        struct jit_options o = {.type_ids = ids, .checked_memory = seed % 4 == 1, .registers = seed % 3 ? 0 : 2 + seed % 6, .cpu = seed % 2 ? 0x1f : 1};
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
    for (int k = 2; k < argc; k++) compare_file(argv[k]);
    u64 of_files = instructions;
    for (u64 seed = 0; instructions < count; seed++) {
        size_t n = 64 + random64(&random) % (sizeof noise - 64);
        for (size_t k = 0; k < n; k++) noise[k] = (u8)random64(&random);
        compare_module((struct bytes){wasm, gen_module((struct bytes){noise, n}, wasm)}, seed);
    }
    printf("verify-decode: %llu instructions of %llu modules (%llu of them of files), %llu differences\n", (unsigned long long)instructions,
           (unsigned long long)modules, (unsigned long long)of_files, (unsigned long long)differences);
    printf("verify-decode: %llu passed, %llu failed\n", (unsigned long long)(instructions - differences), (unsigned long long)differences);
    return differences != 0;
}

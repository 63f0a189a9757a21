/* machine.c: an emulator (Unicorn) around one function.
 *
 * I1 memory is laid out so that each kind of object has a region of its own; the
 *    windows of memories are mostly unmapped: touching that is a trap, and must be
 *    at a pc of the trap table.
 * I2 where instructions begin is said by another decoder (Zydis), from the entry on.
 * I3 a run begins with everything as it was before any other run: registers, flags and
 *    the frame are made anew from its seed, and what it writes elsewhere is undone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <Zydis/Zydis.h>

#include "test/verify/machine.h"

static const int names[16] = {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX, UC_X86_REG_RSP, UC_X86_REG_RBP,
    UC_X86_REG_RSI, UC_X86_REG_RDI, UC_X86_REG_R8, UC_X86_REG_R9, UC_X86_REG_R10, UC_X86_REG_R11, UC_X86_REG_R12,
    UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15};

u64 machine_get(struct machine *k, u32 r) {
    u64 x = 0;
    uc_reg_read(k->uc, names[r], &x);
    return x;
}

u8 *machine_host(struct machine *k, u64 at, u32 *n) {
    for (u32 i = 0; i < REGIONS; i++) {
        struct region *r = &k->regions[i];
        if (at - r->at >= r->bytes) continue;
        *n = (u32)MIN((u64)*n, r->at + r->bytes - at);
        return r->host + (at - r->at);
    }
    return NULL;
}

static void put(struct machine *k, u64 at, u64 x) {
    u32 n = 8;
    u8 *p = machine_host(k, at, &n);
    assert(p && n == 8);
    memcpy(p, &x, 8);
}

/* ---- a module ---- */

static void map(struct machine *k, u32 region, u64 at, u64 bytes, u32 prot) {
    bytes = ALIGN_UP(bytes, (u64)4096);
    u8 *host = aligned_alloc(4096, bytes);
    uc_err e = host ? uc_mem_map_ptr(k->uc, at, bytes, prot, host) : UC_ERR_NOMEM;
    if (e) fprintf(stderr, "mutate: map 0x%llx: %s\n", (unsigned long long)at, uc_strerror(e)), exit(2);
    memset(host, 0, bytes);
    k->regions[region] = (struct region){at, bytes, host};
}

struct machine *machine_open(void) {
    enum { RW = UC_PROT_READ | UC_PROT_WRITE };
    struct machine *k = calloc(1, sizeof *k);
    if (!k || uc_open(UC_ARCH_X86, UC_MODE_64, &k->uc)) exit(2);
    uc_ctl_set_cpu_model(k->uc, UC_CPU_X86_EPYC);
    map(k, R_CODE, CODE, CODE_BYTES, UC_PROT_READ | UC_PROT_EXEC);
    map(k, R_CTX, CTX, CONTEXT_BYTES, RW);
    map(k, R_STORE, STORE_AT, sizeof(struct abi_store), RW);
    map(k, R_TABLES, TABLES_AT, 4096, UC_PROT_READ);
    map(k, R_ENTRIES, ENTRIES_AT, 16 * ENTRIES, UC_PROT_READ);
    map(k, R_CELLS, CELLS, 4096, RW);
    map(k, R_STACK, STACK - STACK_BYTES, STACK_BYTES + 4096, RW);
    map(k, R_OTHER, OTHER_CTX - 4096, 8192, UC_PROT_READ);
    for (u32 i = 0; i < MEMORIES_MAX; i++) map(k, R_MEMORY + i, memory_base(i), PAGES, RW);
    k->begins = calloc(CODE_BYTES, 1);
    k->original_begins = calloc(CODE_BYTES, 1);
    k->callable = calloc(CODE_BYTES, 1);
    if (!k->begins || !k->original_begins || !k->callable) exit(2);
    machine_watch(k);
    if (uc_context_alloc(k->uc, &k->fresh) || uc_context_save(k->uc, k->fresh)) exit(2);
    return k;
}

void machine_close(struct machine *k) {
    uc_context_free(k->fresh);
    uc_close(k->uc);
    for (u32 i = 0; i < REGIONS; i++) free(k->regions[i].host);
    free(k->begins);
    free(k->original_begins);
    free(k->callable);
    free(k);
}

/* Does glue at `at` come to call rax or jmp rax before any other transfer, with the
 * caller's rax? An import's loads its own, from the context. */
static bool goes_by_rax(const struct machine *k, u32 at) {
    ZydisDecoder decoder;
    ZydisDecodedInstruction i;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    for (; at < k->m->glue_end && ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, ZYAN_NULL, k->code + at, k->m->glue_end - at, &i)); at += i.length) {
        const u8 *p = k->code + at;
        if (p[0] == 0x49 && p[1] == 0x8b && (p[2] & 0x3f) == 6) return false; /* mov rax, [r14 + field] */
        if (p[0] == 0xff && (p[1] == 0xd0 || p[1] == 0xe0)) return true;
        if (i.mnemonic == ZYDIS_MNEMONIC_CALL || i.mnemonic == ZYDIS_MNEMONIC_JMP || i.mnemonic == ZYDIS_MNEMONIC_RET) return false;
    }
    return false;
}

/* What the unchanged code calls and jumps to in glue may be called; where its jb go,
 * the stack is at its end. */
static void note_callable(struct machine *k) {
    const struct verify_module *m = k->m;
    memset(k->callable, 0, m->glue_end - m->glue_start);
    for (u32 f = 0; f < m->func_count; f++)
        for (u32 at = m->funcs[f].entry; at + 5 <= m->funcs[f].end; at++) {
            bool below = m->code[at] == 0x82 && m->code[at - 1] == 0x0f;
            u32 to = at + 5 + (u32)read32(m->code + at + 1);
            if ((m->code[at] == 0xe8 || m->code[at] == 0xe9 || below) && to >= m->glue_start && to < m->glue_end)
                k->callable[to - m->glue_start] = below ? C_END : goes_by_rax(k, to) ? C_BY_RAX : C_GLUE;
        }
}

static void fill(struct machine *k, u32 region, u64 bytes) {
    assert(bytes <= k->regions[region].bytes);
    for (u64 at = 0; at < bytes; at += 8) put(k, k->regions[region].at + at, random64(&k->random));
}

static void fill_context(struct machine *k) {
    const struct verify_module *m = k->m;
    fill(k, R_CTX, m->layout.size);
    for (u32 i = 0; i < m->counts.memories; i++) {
        u64 at = CTX + abi_memory_offset(m->layout, i);
        put(k, at, memory_base(i));
        put(k, at + 16, 1);
    }
    put(k, CTX + offsetof(struct abi_ctx, store), STORE_AT);
    put(k, STORE_AT + offsetof(struct abi_store, stack_limit), STACK - STACK_BYTES / 2);
    for (u32 i = 0; i < ABI_BUILTIN_COUNT; i++)
        if (i != ABI_BUILTIN_unwind) put(k, CTX + offsetof(struct abi_ctx, builtins) + 8 * i, HOST_AT);
    for (u32 i = 0; i < m->counts.imported_funcs; i++) put(k, CTX + m->layout.direct + 8 * i, m->adaptors[i] != UINT32_MAX ? HOST_AT : 0);
    for (u32 i = 0; i < m->counts.tables; i++) put(k, CTX + m->layout.tables + 8 * i, TABLES_AT + 32 * i);
    for (u32 i = 0; i < m->counts.globals; i++)
        if (m->globals[i] & VERIFY_GLOBAL_CELL) put(k, CTX + m->layout.globals + 16 * i, CELLS + 16 * i);
    for (u32 i = 0; i < m->counts.tables; i++) { /* of any length; behind its end is nothing */
        u64 length = random64(&k->random) % (ENTRIES + 1);
        put(k, TABLES_AT + 32 * i, ENTRIES_AT + 16 * (ENTRIES - length));
        put(k, TABLES_AT + 32 * i + 8, length);
    }
    put(k, STORE_AT + offsetof(struct abi_store, refs), ENTRIES_AT);
    put(k, STORE_AT + offsetof(struct abi_store, refs) + 8, ENTRIES);
    for (u32 i = 0; i < ENTRIES; i++) {
        bool null = i % 4 == 3;
        put(k, ENTRIES_AT + 16 * i, null ? OTHER_CTX : CODE + m->funcs[random64(&k->random) % m->func_count].entry);
        put(k, ENTRIES_AT + 16 * i + 8, null ? 0 : i % 2 ? OTHER_CTX : CTX);
    }
}

static bool fits(const struct verify_module *m) {
    for (u32 f = 0; f < m->func_count; f++)
        if (m->funcs[f].frame > FRAME_BYTES) return false;
    return m->size + 16 <= HOST_AT - CODE && m->layout.size <= CONTEXT_BYTES && 32 * m->counts.tables <= 4096 &&
           16 * m->counts.globals <= 4096 && m->counts.memories <= MEMORIES_MAX;
}

/* ---- its code ---- */

/* Legacy SSE operands of 16 bytes in memory are aligned, but for the moves made for
 * others: Intel SDM volume 2, 2.4, exception types 1, 2 and 4. */
static bool wants_alignment(const ZydisDecodedInstruction *i) {
    switch (i->meta.exception_class) {
    case ZYDIS_EXCEPTION_CLASS_SSE1:
    case ZYDIS_EXCEPTION_CLASS_SSE2:
    case ZYDIS_EXCEPTION_CLASS_SSE4:
        return i->mnemonic != ZYDIS_MNEMONIC_MOVUPS && i->mnemonic != ZYDIS_MNEMONIC_MOVUPD && i->mnemonic != ZYDIS_MNEMONIC_MOVDQU && i->mnemonic != ZYDIS_MNEMONIC_LDDQU;
    default: return false;
    }
}

static u8 begin_of(const ZydisDecodedInstruction *i) {
    if (i->mnemonic == ZYDIS_MNEMONIC_ROUNDSS) return B_NARROW4;
    if (i->mnemonic == ZYDIS_MNEMONIC_ROUNDSD) return B_NARROW8;
    return wants_alignment(i) ? B_ALIGNED : B_BEGINS;
}

/* What is no instruction is as long as the proof takes it to be, in code that is not
 * reached (func.c, skip): else all behind it seemed to begin elsewhere. */
static u8 length_of_none(const u8 *at) {
    struct insn d;
    return verify_decode(at, &d) ? d.length : 1;
}

static void note_begins(struct machine *k, u32 f) {
    const struct verify_func *fn = &k->m->funcs[f];
    ZydisDecoder decoder;
    ZydisDecodedInstruction i;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    memset(k->begins + fn->entry, B_NONE, subject_room(k->s, f) - fn->entry);
    for (u32 at = fn->entry; at < fn->end; at += i.length) {
        bool valid = ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, ZYAN_NULL, k->code + at, fn->end - at, &i));
        k->begins[at] = valid ? begin_of(&i) : B_BEGINS;
        if (!valid) i.length = length_of_none(k->code + at);
    }
}

/* What of [low, high) differs from the original, and r. */
static struct range differing(const struct machine *k, u32 low, u32 high, struct range r) {
    while (low < high && k->code[low] == k->original[low]) low++;
    while (low < high && k->code[high - 1] == k->original[high - 1]) high--;
    return low == high ? r : (struct range){MIN(low, r.low), MAX(high, r.high)};
}

/* Copies what differs now or did before, and has it translated again. */
static void take_over(struct machine *k, struct range now) {
    u32 low = MIN(now.low, k->dirty.low), high = MAX(now.high, k->dirty.high);
    k->dirty = now;
    if (low >= high) return;
    memcpy(k->regions[R_CODE].host + low, k->code + low, high - low);
    uc_ctl_remove_cache(k->uc, CODE + low, CODE + high);
}

u32 machine_bits(const struct machine *k, u32 f) {
    return subject_room(k->s, f) - k->m->funcs[f].entry + (k->m->size - k->m->code_end);
}

static void set_bit(u8 *bits, u32 i, bool on) { bits[i / 8] |= (u8)(on << i % 8); }

void machine_patch(struct machine *k, u32 f, u8 *changed) {
    const struct verify_module *m = k->m;
    const struct edit *e = &k->s->edit;
    u32 entry = m->funcs[f].entry, end = subject_room(k->s, f);
    note_begins(k, f);
    take_over(k, differing(k, m->code_end, m->size, differing(k, entry, end, NOTHING)));
    if (!changed) return;
    memset(changed, 0, (machine_bits(k, f) + 7) / 8);
    for (u32 at = entry; at < end; at++)
        set_bit(changed, at - entry, k->code[at] != k->original[at] || k->begins[at] != k->original_begins[at] || (e->by && at > e->at));
    for (u32 at = m->code_end; at < m->size; at++) set_bit(changed, end - entry + at - m->code_end, k->code[at] != k->original[at]);
}

bool machine_load(struct machine *k, const struct subject *s, u64 seed) {
    const struct verify_module *m = &s->facts;
    if (!fits(m)) return false;
    k->s = s;
    k->m = m;
    k->code = s->bytes;
    k->original = s->original;
    k->random = seed | 1;
    k->dirty = NOTHING;
    memset(k->regions[R_CODE].host, 0, CODE_BYTES);
    memcpy(k->regions[R_CODE].host, s->bytes, m->size);
    k->regions[R_CODE].host[HOST_AT - CODE] = 0xc3; /* the emulator translates on, to the end of the page else */
    uc_ctl_remove_cache(k->uc, CODE, CODE + CODE_BYTES);
    for (u32 f = 0; f < m->func_count; f++) note_begins(k, f);
    memcpy(k->original_begins, k->begins, m->size);
    note_callable(k);
    fill_context(k);
    fill(k, R_CELLS, 16 * m->counts.globals);
    for (u32 i = 0; i < m->counts.memories; i++) fill(k, R_MEMORY + i, PAGES);
    return true;
}

/* ---- a run's first state ---- */

struct registers {
    u64 general[16], vector[16][2], flags;
};

static u64 wild(struct machine *k) {
    u64 r = random64(&k->random), x = random64(&k->random);
    switch (r % 8) {
    case 0: return x % 64;
    case 1: return (u32)x;
    case 2: return (u64)(i64)(i32)(x | 1u << 31);
    case 3: return (1ull << 32) - 1 - x % 16;
    case 4: return x % (2 * PAGES);
    case 5: return CTX + x % 64;
    case 6: return 0 - x % 256;
    default: return x;
    }
}

static void scatter(struct machine *k, struct registers *x, u32 known) {
    for (u32 r = 0; r < 16; r++) x->general[r] = known >> r & 1 ? (u32)wild(k) : wild(k);
    for (u32 i = 0; i < 32; i++) x->vector[i / 2][i % 2] = random64(&k->random);
    x->flags = 0x202 | (random64(&k->random) & 0x8d5);
    x->general[R14] = CTX;
    x->general[R15] = memory_base(0);
}

static void write_registers(struct machine *k, struct registers *x) {
    int ids[33];
    void *values[33];
    for (u32 i = 0; i < 16; i++) ids[i] = names[i], values[i] = &x->general[i];
    for (u32 i = 0; i < 16; i++) ids[16 + i] = UC_X86_REG_XMM0 + (int)i, values[16 + i] = x->vector[i];
    ids[32] = UC_X86_REG_RFLAGS;
    values[32] = &x->flags;
    uc_reg_write_batch(k->uc, ids, values, ARRAY_LEN(ids));
}

static u64 frame_low(const struct machine *k) { return k->top - k->m->funcs[k->f].frame; }

static void fill_stack(struct machine *k, u32 known) {
    const struct verify_func *f = &k->m->funcs[k->f];
    u64 low = frame_low(k);
    for (u32 at = 0; at < f->frame; at += 8) put(k, low + at, wild(k));
    put(k, k->top, CODE + k->m->code_end - 1);
    if (known & K_SPARE && f->spare + 8 <= f->frame) put(k, low + f->spare, (u32)wild(k));
}

/* Who was saved is in the frame; who was not must stay as it is. */
static void note_kept(struct machine *k, const struct registers *x, bool saving, u32 saved) {
    static const u8 order[] = {RBX, RBP, R12, R13};
    u64 at = k->top;
    for (u32 i = 0; i < 4; i++) {
        u8 r = order[i];
        k->keep[r] = x->general[r];
        if (saving || !(saved >> r & 1)) continue;
        at -= 8;
        put(k, at, k->keep[r] = random64(&k->random));
    }
}

static void enter_callee(struct machine *k, struct registers *x, u32 known) {
    u32 f = (u32)(random64(&k->random) % k->m->func_count);
    bool typed = known & K_TYPED;
    x->general[RAX] = typed || random64(&k->random) & 1 ? CODE + k->m->funcs[f].entry : OTHER_CTX;
    x->general[R10] = known & K_OWN || random64(&k->random) & 1 ? CTX : OTHER_CTX;
}

void machine_set_bytes(struct machine *k, u32 memory, u64 bytes) {
    k->bytes[memory] = bytes;
    put(k, CTX + abi_memory_offset(k->m->layout, memory) + offsetof(struct abi_memory, bytes), bytes);
}

bool machine_possible(const struct value *x) { return x->low <= PAGES || (x->kind != CHECKED && x->kind != INSIDE); }

static u64 of_value(struct machine *k, const struct value *x) {
    u64 any = x->high > x->low ? x->low + random64(&k->random) % (x->high - x->low + 1) : x->low;
    u64 above = x->low + random64(&k->random) % PAGES;
    u64 in_size = MIN(above, (u64)PAGES); /* low is not above PAGES */
    switch (x->kind) {
    case NUMBER: return any;
    case LEAST: return above;
    case CHECKED: return in_size;
    case INSIDE: return memory_base(x->index) + in_size;
    case ADDRESS: return memory_base(x->index) + any;
    case BASE: return memory_base(x->index);
    case P_STORE: return STORE_AT;
    case P_TABLE: return TABLES_AT + 32 * x->index;
    case P_CELL: return CELLS + 16 * x->index;
    default: return wild(k);
    }
}

/* Of a memory that r11 was compared with, every other time r11 is the very end. */
static void set_sizes(struct machine *k, const struct value *x, u64 r11) {
    bool compared = x && (x->kind == CHECKED || x->kind == INSIDE);
    for (u32 i = 0; i < k->m->counts.memories; i++) {
        k->told[i] = compared && i == x->index;
        machine_set_bytes(k, i, PAGES);
        if (k->told[i] && random64(&k->random) & 1) machine_set_bytes(k, i, x->kind == INSIDE ? r11 - memory_base(i) : r11);
    }
}

static u32 saved_by(const struct machine *k, u32 *end) {
    const u8 *start = k->m->code + k->m->funcs[k->f].entry, *p = start;
    u32 saved = 0;
    if (*p == 0x53) saved |= 1 << RBX, p++;
    if (*p == 0x55) saved |= 1 << RBP, p++;
    if (p[0] == 0x41 && p[1] == 0x54) saved |= 1 << R12, p += 2;
    if (p[0] == 0x41 && p[1] == 0x55) saved |= 1 << R13, p += 2;
    *end = (u32)(p - k->m->code);
    return saved;
}

static void begin(struct machine *k, const struct run *r) {
    const struct verify_func *fn = &k->m->funcs[r->f];
    u32 saved = saved_by(k, &k->prologue_end);
    bool saving = r->pc == fn->entry || r->pc < k->prologue_end;
    struct registers x;
    k->saves = (u32)__builtin_popcount(saved);
    scatter(k, &x, r->known);
    fill_stack(k, r->known);
    if (r->known & K_CODE) enter_callee(k, &x, r->known);
    k->typed = r->known & K_TYPED ? x.general[RAX] : 0;
    if (r->r11) x.general[R11] = of_value(k, r->r11);
    set_sizes(k, r->r11, x.general[R11]);
    x.general[RSP] = saving ? k->top : frame_low(k);
    note_kept(k, &x, saving, saved);
    write_registers(k, &x);
}

/* ---- running ---- */

/* Back from a call that was not made. */
static void come_back(struct machine *k) {
    static const u8 kept[] = {RBX, RBP, R12, R13};
    struct registers x;
    scatter(k, &x, 0);
    for (u32 i = 0; i < 4; i++) x.general[kept[i]] = machine_get(k, kept[i]);
    x.general[RSP] = machine_get(k, RSP) + 8;
    write_registers(k, &x);
}

static const char *run(struct machine *k, u64 at) {
    while (!k->done) {
        uc_err e = uc_emu_start(k->uc, at, 0, 0, 0);
        if (k->done) break;
        if (k->called) {
            at = k->called;
            k->called = 0;
            k->pc = k->typed = 0;
            come_back(k);
            if (!machine_inside(k, at) && at != CODE + k->m->funcs[k->f].end) machine_stop(k, "call from nowhere", at);
        } else if (e) {
            snprintf(k->text, sizeof k->text, "emulator: %s at +0x%llx", uc_strerror(e), (unsigned long long)(k->pc - CODE - k->m->funcs[k->f].entry));
            return k->text;
        } else {
            break;
        }
    }
    return k->escape;
}

const char *machine_run(struct machine *k, struct run *r) {
    r->trace = 0;
    k->run = r;
    k->f = r->f;
    k->top = STACK - 8;
    k->random = r->seed | 1;
    k->steps = k->undo_count = 0;
    k->done = k->accessed = false;
    k->escape = NULL;
    k->pc = k->called = 0;
    begin(k, r);
    const char *escape = run(k, CODE + r->pc);
    r->trace ^= (u64)(escape != NULL) << 63 | k->steps;
    if (escape) uc_context_restore(k->uc, k->fresh); /* whatever it did to segments and controls */
    while (k->undo_count) {
        struct undo *u = &k->undo[--k->undo_count];
        memcpy(u->host, &u->was, u->n);
    }
    return escape;
}

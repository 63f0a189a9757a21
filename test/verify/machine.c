/* machine.c: an emulator (Unicorn) around one function.
 *
 * I1 memory is laid out so that each kind of object has a region of its own; the
 *    windows of memories are mostly unmapped: touching that is a trap, and must be
 *    at a pc of the trap table.
 * I2 where instructions begin is said by another decoder (Zydis), from the entry on.
 * I3 calls are not followed: a call to what may be called returns at once, with all
 *    that the convention does not keep changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <Zydis/Zydis.h>
#include <unicorn/unicorn.h>

#include "test/verify/mutate.h"

enum { STEPS = 160, GUARD = 65536, PAGES = 65536, ENTRIES = 8, SAVED_BYTES = 32 };
#define CODE 0x10000000000ull
#define CTX 0x20000000000ull
#define STORE_AT 0x21000000000ull
#define TABLES_AT 0x22000000000ull
#define ENTRIES_AT 0x23000000000ull
#define CELLS 0x24000000000ull
#define STACK 0x25000000000ull
#define MEMORIES 0x30000000000ull
#define MEMORY_STRIDE 0x1000000000ull
#define OTHER_CTX 0x26000000000ull

enum { STACK_BYTES = 1 << 20 };

struct machine {
    uc_engine *uc;
    const struct verify_module *m;
    const u8 *code;
    u8 *begins;   /* per byte of code: an instruction of the function at hand begins */
    u8 *callable; /* per byte of glue: the unchanged code calls or jumps here */
    u64 random;
    u64 mapped_code, mapped_ctx, mapped_tables, mapped_cells;
    /* of a run */
    u32 f, saves, steps;
    u64 top;     /* address of the return address */
    u32 prologue_end;
    u64 pc, called;
    u64 keep[16]; /* what callee-saved registers must hold on return */
    bool done;
    const char *escape;
    char text[160];
};

static const int names[16] = {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX, UC_X86_REG_RSP, UC_X86_REG_RBP,
    UC_X86_REG_RSI, UC_X86_REG_RDI, UC_X86_REG_R8, UC_X86_REG_R9, UC_X86_REG_R10, UC_X86_REG_R11, UC_X86_REG_R12,
    UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15};

static u64 get(struct machine *k, u32 r) {
    u64 x = 0;
    uc_reg_read(k->uc, names[r], &x);
    return x;
}
static void set(struct machine *k, u32 r, u64 x) { uc_reg_write(k->uc, names[r], &x); }
static u64 word_at(struct machine *k, u64 at) {
    u64 x = 0;
    uc_mem_read(k->uc, at, &x, 8);
    return x;
}

static void stop(struct machine *k, const char *escape, u64 address) {
    if (escape && !k->escape) {
        u8 b[8] = {0};
        uc_mem_read(k->uc, k->pc, b, 8);
        snprintf(k->text, sizeof k->text, "%s: 0x%llx at pc +0x%llx (%02x %02x %02x %02x %02x %02x %02x %02x)", escape,
                 (unsigned long long)address, (unsigned long long)(k->pc - CODE - k->m->funcs[k->f].entry), b[0], b[1],
                 b[2], b[3], b[4], b[5], b[6], b[7]);
        k->escape = k->text;
    }
    k->done = true;
    uc_emu_stop(k->uc);
}

static u64 memory_base(u32 i) { return MEMORIES + i * MEMORY_STRIDE; }

/* ---- where code may go ---- */

static bool is_function(const struct machine *k, u64 pc) {
    for (u32 i = 0; i < k->m->func_count; i++)
        if (pc == CODE + k->m->funcs[i].entry) return true;
    return false;
}

static bool is_glue(const struct machine *k, u64 pc) {
    u64 at = pc - CODE;
    return pc >= CODE && at >= k->m->glue_start && at < k->m->glue_end && k->callable[at - k->m->glue_start];
}

static bool inside(const struct machine *k, u64 pc) {
    const struct verify_func *f = &k->m->funcs[k->f];
    return pc >= CODE + f->entry && pc < CODE + f->end;
}

static bool kept(struct machine *k) {
    static const u8 saved[] = {RBX, RBP, R12, R13};
    for (u32 i = 0; i < 4; i++)
        if (get(k, saved[i]) != k->keep[saved[i]]) return false;
    return get(k, R14) == CTX && get(k, R15) == memory_base(0);
}

static u64 frame_low(const struct machine *k) { return k->top - k->m->funcs[k->f].frame; }

/* Out of the function: return, tail call, or call. */
static void leave(struct machine *k, u64 to) {
    u64 rsp = get(k, RSP);
    if (to == CODE + k->m->code_end - 1 && rsp == k->top + 8) { /* the return address that we gave */
        stop(k, kept(k) ? NULL : "returned with a saved register changed", to);
        return;
    }
    if (!is_function(k, to) && !is_glue(k, to)) {
        stop(k, "left for", to);
    } else if (rsp == k->top) {
        stop(k, kept(k) ? NULL : "tail call with a saved register changed", to);
    } else if (rsp != frame_low(k) - 8 || rsp % 16 != 8) {
        stop(k, "call with the stack off", rsp);
    } else if (get(k, R14) != CTX || get(k, R15) != memory_base(0)) {
        stop(k, "call with a pinned register changed", to);
    } else {
        k->called = word_at(k, rsp);
        uc_emu_stop(k->uc);
    }
}

static void on_code(uc_engine *uc, u64 address, u32 size, void *self) {
    struct machine *k = self;
    u64 from = k->pc;
    k->pc = address;
    if (k->done || k->called) return;
    if (++k->steps > STEPS) {
        stop(k, NULL, 0);
        return;
    }
    /* A recursive call or tail call begins at our own entry, with another stack. */
    bool entered = address == CODE + k->m->funcs[k->f].entry && from && get(k, RSP) != k->top;
    if (!inside(k, address) || entered) {
        k->pc = from ? from : address;
        leave(k, address);
        return;
    }
    if (!k->begins[address - CODE]) stop(k, "into an instruction", address);
}

/* ---- what code may touch ---- */

static bool within(u64 at, u32 n, u64 low, u64 high) { return at >= low && at + n <= high && at + n >= at; }

static bool stack_allowed(struct machine *k, u64 at, u32 n, bool write) {
    const struct verify_func *f = &k->m->funcs[k->f];
    u64 low = frame_low(k), slots = low + f->frame - 8 * k->saves;
    if (!write) return within(at, n, low, k->top + 8) || (k->pc - CODE < k->prologue_end && within(at, n, low, k->top));
    if (within(at, n, low, slots)) return true;
    if (k->pc - CODE < k->prologue_end && within(at, n, slots, k->top)) return true; /* saving */
    return within(at, n, low - 8, low);                                             /* a call */
}

static bool context_allowed(const struct machine *k, u32 at, u32 n, bool write) {
    const struct verify_module *m = k->m;
    if (at >= m->layout.globals) {
        u32 g = (at - m->layout.globals) / 16;
        if (g >= m->counts.globals || at % 16 + n > 16) return false;
        return !write || m->globals[g] == VERIFY_GLOBAL_WRITE;
    }
    if (write) return false;
    return at + n <= offsetof(struct abi_ctx, instance) || (at >= m->layout.tables && at + n <= m->layout.globals);
}

static bool allowed(struct machine *k, u64 at, u32 n, bool write) {
    const struct verify_module *m = k->m;
    u64 store = at - STORE_AT;
    if (within(at, n, STACK - STACK_BYTES, STACK + 4096)) return stack_allowed(k, at, n, write);
    if (within(at, n, CTX, CTX + m->layout.size)) return context_allowed(k, (u32)(at - CTX), n, write);
    if (within(at, n, STORE_AT, STORE_AT + sizeof(struct abi_store))) {
        if (store >= offsetof(struct abi_store, overflow)) return true;
        return !write && store >= offsetof(struct abi_store, caught);
    }
    if (within(at, n, CELLS, CELLS + 16 * m->counts.globals)) {
        u8 flags = m->globals[(at - CELLS) / 16];
        return flags & VERIFY_GLOBAL_CELL && (at - CELLS) % 16 + n <= 16;
    }
    if (write) return false;
    if (within(at, n, TABLES_AT, TABLES_AT + 32 * m->counts.tables)) return true;
    if (within(at, n, ENTRIES_AT, ENTRIES_AT + 16 * ENTRIES)) return true;
    if (within(at, n, CODE + m->code_end, CODE + m->size)) return true;
    if (n == 4 && is_function(k, at + 4)) return true; /* a type id */
    return at == OTHER_CTX - 4;                        /* the null entry's */
}

/* A memory's own bytes, or (guarded) its window. */
static bool in_window(struct machine *k, u64 at, u32 n, bool mapped_only) {
    const struct verify_module *m = k->m;
    for (u32 i = 0; i < m->counts.memories; i++) {
        u64 base = memory_base(i);
        if (within(at, n, base, base + PAGES)) return true;
        if (!mapped_only && m->guarded[i] && within(at, n, base - m->front, base + m->back)) return true;
    }
    return false;
}

static bool trap_site(const struct machine *k, u64 pc, u32 *kind) {
    u32 low = 0, high = k->m->trap_count, at = (u32)(pc - CODE);
    while (low < high) {
        u32 mid = (low + high) / 2;
        if (k->m->traps[mid].pc < at) low = mid + 1;
        else high = mid;
    }
    if (low == k->m->trap_count || k->m->traps[low].pc != at) return false;
    *kind = k->m->traps[low].kind;
    return true;
}

static void on_access(uc_engine *uc, uc_mem_type type, u64 at, int n, i64 value, void *self) {
    struct machine *k = self;
    bool write = type == UC_MEM_WRITE || type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT;
    if (k->done || k->called) return;
    if (!allowed(k, at, (u32)n, write) && !in_window(k, at, (u32)n, false)) stop(k, write ? "wrote" : "read", at);
}

static bool on_unmapped(uc_engine *uc, uc_mem_type type, u64 at, int n, i64 value, void *self) {
    struct machine *k = self;
    u32 kind = 0;
    if (k->done) return false;
    if (type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT) stop(k, "fetched", at);
    else if (!in_window(k, at, 1, false)) stop(k, "touched", at);
    else if (!trap_site(k, k->pc, &kind) || kind != ABI_TRAP_MEMORY) stop(k, "fault at no trap site", at);
    else stop(k, NULL, 0);
    return false;
}

static void on_interrupt(uc_engine *uc, u32 number, void *self) {
    struct machine *k = self;
    if (!k->done) stop(k, "exception", number);
}

static bool on_invalid(uc_engine *uc, void *self) {
    struct machine *k = self;
    u32 kind = 0;
    u8 two[2] = {0};
    uc_mem_read(uc, k->pc, two, 2);
    bool ud2 = two[0] == 0x0f && two[1] == 0x0b;
    if (!k->done) stop(k, ud2 && trap_site(k, k->pc, &kind) ? NULL : "invalid instruction", k->pc);
    return false;
}

/* ---- setting up ---- */

static void map(struct machine *k, u64 at, u64 n, u32 prot) {
    uc_err e = uc_mem_map(k->uc, at, ALIGN_UP(n, (u64)4096), prot);
    if (e) fprintf(stderr, "mutate: map 0x%llx: %s\n", (unsigned long long)at, uc_strerror(e)), exit(2);
}

struct machine *machine_open(void) {
    struct machine *k = calloc(1, sizeof *k);
    uc_hook h;
    if (uc_open(UC_ARCH_X86, UC_MODE_64, &k->uc)) exit(2);
    uc_ctl_set_cpu_model(k->uc, UC_CPU_X86_EPYC);
    map(k, STORE_AT, sizeof(struct abi_store), UC_PROT_READ | UC_PROT_WRITE);
    map(k, ENTRIES_AT, 16 * ENTRIES, UC_PROT_READ);
    map(k, STACK - STACK_BYTES, STACK_BYTES + 4096, UC_PROT_READ | UC_PROT_WRITE);
    map(k, OTHER_CTX - 4096, 8192, UC_PROT_READ);
    for (u32 i = 0; i < 4; i++) map(k, memory_base(i), PAGES, UC_PROT_READ | UC_PROT_WRITE);
    uc_hook_add(k->uc, &h, UC_HOOK_CODE, (void *)on_code, k, 1, 0);
    uc_hook_add(k->uc, &h, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, (void *)on_access, k, 1, 0);
    uc_hook_add(k->uc, &h, UC_HOOK_MEM_INVALID, (void *)on_unmapped, k, 1, 0);
    uc_hook_add(k->uc, &h, UC_HOOK_INTR, (void *)on_interrupt, k, 1, 0);
    uc_hook_add(k->uc, &h, UC_HOOK_INSN_INVALID, (void *)on_invalid, k, 1, 0);
    return k;
}

static u64 remap(struct machine *k, u64 at, u64 old, u64 n, u32 prot) {
    n = ALIGN_UP(MAX(n, (u64)1), (u64)4096);
    if (old) uc_mem_unmap(k->uc, at, old);
    map(k, at, n, prot);
    return n;
}

static void put(struct machine *k, u64 at, u64 x) { uc_mem_write(k->uc, at, &x, 8); }

/* What the unchanged code calls and jumps to in glue may be called. */
static void note_callable(struct machine *k) {
    const struct verify_module *m = k->m;
    free(k->callable);
    k->callable = calloc(m->glue_end - m->glue_start + 1, 1);
    for (u32 f = 0; f < m->func_count; f++)
        for (u32 at = m->funcs[f].entry; at + 5 <= m->funcs[f].end; at++) {
            u32 to = at + 5 + (u32)read32(m->code + at + 1);
            if ((m->code[at] == 0xe8 || m->code[at] == 0xe9) && to >= m->glue_start && to < m->glue_end)
                k->callable[to - m->glue_start] = 1;
        }
}

static void fill_context(struct machine *k) {
    const struct verify_module *m = k->m;
    for (u32 at = 0; at < m->layout.size; at += 8) put(k, CTX + at, random64(&k->random));
    for (u32 i = 0; i < m->counts.memories; i++) {
        u64 at = CTX + abi_memory_offset(m->layout, i);
        put(k, at, memory_base(i));
        put(k, at + 8, PAGES);
        put(k, at + 16, 1);
    }
    put(k, CTX + offsetof(struct abi_ctx, store), STORE_AT);
    for (u32 i = 0; i < m->counts.tables; i++) put(k, CTX + m->layout.tables + 8 * i, TABLES_AT + 32 * i);
    for (u32 i = 0; i < m->counts.globals; i++)
        if (m->globals[i] & VERIFY_GLOBAL_CELL) put(k, CTX + m->layout.globals + 16 * i, CELLS + 16 * i);
    for (u32 i = 0; i < m->counts.tables; i++) put(k, TABLES_AT + 32 * i, ENTRIES_AT), put(k, TABLES_AT + 32 * i + 8, ENTRIES);
    put(k, STORE_AT + offsetof(struct abi_store, refs), ENTRIES_AT);
    put(k, STORE_AT + offsetof(struct abi_store, refs) + 8, ENTRIES);
    for (u32 i = 0; i < ENTRIES; i++) {
        bool null = i % 4 == 3;
        put(k, ENTRIES_AT + 16 * i, null ? OTHER_CTX : CODE + m->funcs[random64(&k->random) % m->func_count].entry);
        put(k, ENTRIES_AT + 16 * i + 8, null ? 0 : i % 2 ? OTHER_CTX : CTX);
    }
}

void machine_reset(struct machine *k) {
    if (k->escape) fill_context(k);
}

static void note_begins(struct machine *k, u32 f) {
    const struct verify_func *fn = &k->m->funcs[f];
    ZydisDecoder decoder;
    ZydisDecodedInstruction i;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    memset(k->begins + fn->entry, 0, fn->end - fn->entry);
    for (u32 at = fn->entry; at < fn->end; at += i.length) {
        k->begins[at] = 1;
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, ZYAN_NULL, k->code + at, fn->end - at, &i))) i.length = 1;
    }
}

void machine_load(struct machine *k, const struct verify_module *m, const u8 *code, u64 seed) {
    k->m = m;
    k->code = code;
    k->random = seed | 1;
    k->mapped_code = remap(k, CODE, k->mapped_code, m->size, UC_PROT_READ | UC_PROT_EXEC);
    k->mapped_ctx = remap(k, CTX, k->mapped_ctx, m->layout.size, UC_PROT_READ | UC_PROT_WRITE);
    k->mapped_tables = remap(k, TABLES_AT, k->mapped_tables, 32 * m->counts.tables, UC_PROT_READ);
    k->mapped_cells = remap(k, CELLS, k->mapped_cells, 16 * m->counts.globals, UC_PROT_READ | UC_PROT_WRITE);
    free(k->begins);
    k->begins = calloc(m->size, 1);
    uc_mem_write(k->uc, CODE, code, m->size);
    note_callable(k);
    fill_context(k);
}

void machine_patch(struct machine *k, u32 f) {
    uc_mem_write(k->uc, CODE, k->code, k->m->size);
    uc_ctl_remove_cache(k->uc, CODE, CODE + k->m->size);
    note_begins(k, f);
}

/* ---- running ---- */

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

static void scatter(struct machine *k, u32 known) {
    for (u32 r = 0; r < 16; r++) set(k, r, known >> r & 1 ? (u32)wild(k) : wild(k));
    for (u32 i = 0; i < 16; i++) {
        u64 x[2] = {random64(&k->random), random64(&k->random)};
        uc_reg_write(k->uc, UC_X86_REG_XMM0 + (int)i, x);
    }
    u64 flags = 0x202 | (random64(&k->random) & 0x8d5);
    uc_reg_write(k->uc, UC_X86_REG_RFLAGS, &flags);
}

static void fill_stack(struct machine *k, u32 known) {
    const struct verify_func *f = &k->m->funcs[k->f];
    u64 low = frame_low(k);
    u32 body = MIN(f->frame, 4096u);
    for (u32 at = 0; at < body; at += 8) put(k, low + at, wild(k));
    put(k, k->top, CODE + k->m->code_end - 1);
    if (known & K_SPARE && f->spare + 8 <= body) put(k, low + f->spare, (u32)wild(k));
}

/* Who was saved is in the frame; who was not must stay as it is. */
static void note_kept(struct machine *k, u32 pc, u32 saved) {
    static const u8 order[] = {RBX, RBP, R12, R13};
    u64 at = k->top;
    for (u32 i = 0; i < 4; i++) {
        u8 r = order[i];
        k->keep[r] = get(k, r);
        if (!(saved >> r & 1) || pc < k->prologue_end) continue;
        at -= 8;
        put(k, at, k->keep[r] = random64(&k->random));
    }
}

static void enter_callee(struct machine *k, u32 known) {
    u32 f = (u32)(random64(&k->random) % k->m->func_count);
    bool typed = known & K_TYPED;
    set(k, RAX, typed || random64(&k->random) & 1 ? CODE + k->m->funcs[f].entry : OTHER_CTX);
    set(k, R10, known & K_OWN || random64(&k->random) & 1 ? CTX : OTHER_CTX);
}

static void set_r11(struct machine *k, const struct value *x) {
    u64 any = x->high > x->low ? x->low + random64(&k->random) % (x->high - x->low + 1) : x->low;
    u64 in_size = x->low + random64(&k->random) % PAGES; /* above low: PAGES is */
    if (x->kind == ADDRESS) set(k, R11, memory_base(x->index) + any);
    else if (x->kind == NUMBER) set(k, R11, any);
    else if (x->kind == CHECKED || x->kind == INSIDE)
        set(k, R11, (x->kind == INSIDE ? memory_base(x->index) : 0) + MIN(in_size, (u64)PAGES));
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

const char *machine_run(struct machine *k, u32 f, u32 pc, u32 known, const struct value *r11) {
    const struct verify_func *fn = &k->m->funcs[f];
    k->f = f;
    u32 saved = saved_by(k, &k->prologue_end);
    k->saves = (u32)__builtin_popcount(saved);
    k->top = STACK - 8;
    if (fn->frame > STACK_BYTES / 2) return NULL;
    k->steps = 0;
    k->done = false;
    k->escape = NULL;
    k->called = 0;
    k->pc = 0;
    scatter(k, known);
    fill_stack(k, known);
    if (known & K_CODE) enter_callee(k, known);
    if (r11 && r11->low > PAGES && r11->kind != ADDRESS) return NULL; /* no such state */
    if (r11) set_r11(k, r11);
    set(k, R14, CTX);
    set(k, R15, memory_base(0));
    set(k, RSP, pc < k->prologue_end || pc == fn->entry ? k->top : frame_low(k));
    note_kept(k, pc == fn->entry ? 0 : pc, pc == fn->entry ? 0 : saved);
    u64 at = CODE + pc;
    while (!k->done) {
        uc_err e = uc_emu_start(k->uc, at, 0, 0, 0);
        if (k->called) {
            at = k->called;
            k->called = 0;
            k->pc = 0;
            u64 rsp = get(k, RSP) + 8, keep[] = {get(k, RBX), get(k, RBP), get(k, R12), get(k, R13)};
            scatter(k, 0);
            set(k, RBX, keep[0]), set(k, RBP, keep[1]), set(k, R12, keep[2]), set(k, R13, keep[3]);
            set(k, R14, CTX), set(k, R15, memory_base(0)), set(k, RSP, rsp);
            if (!inside(k, at) && at != CODE + fn->end) stop(k, "call from nowhere", at);
        } else if (e && !k->done) {
            k->text[0] = 0;
            snprintf(k->text, sizeof k->text, "emulator: %s at +0x%llx", uc_strerror(e), (unsigned long long)(k->pc - CODE - fn->entry));
            return k->escape = k->text;
        } else if (!e && !k->done) {
            break;
        }
    }
    return k->escape;
}

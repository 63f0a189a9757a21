/* watch.c: what a proven function may touch and where it may go: the theorem of
 * verify.h, told once more, of addresses.
 *
 * I1 every instruction's address, every access and every transfer passes here.
 * I2 calls are not followed: a call to what may be called returns at once, with all
 *    that the convention does not keep changed (machine.c).
 * I3 what a write replaced is noted, so that the next run finds memory as it was. */
#include <stdio.h>

#include "test/verify/machine.h"

static u64 word_at(struct machine *k, u64 at) {
    u32 n = 8;
    u64 x = 0;
    u8 *p = machine_host(k, at, &n);
    if (p && n == 8) memcpy(&x, p, 8);
    return x;
}

void machine_stop(struct machine *k, const char *escape, u64 address) {
    if (escape && !k->escape) {
        u8 b[8] = {0};
        u32 n = 8;
        u8 *p = machine_host(k, k->pc, &n);
        if (p) memcpy(b, p, n);
        snprintf(k->text, sizeof k->text, "%s: 0x%llx at pc +0x%llx (%02x %02x %02x %02x %02x %02x %02x %02x)", escape,
                 (unsigned long long)address, (unsigned long long)(k->pc - CODE - k->m->funcs[k->f].entry), b[0], b[1],
                 b[2], b[3], b[4], b[5], b[6], b[7]);
        k->escape = k->text;
    }
    k->done = true;
    uc_emu_stop(k->uc);
}

/* The instruction's bytes, at least seven, without REX: that changes nothing of a jump
 * by rax, or of ud2. */
static u64 plain_code(struct machine *k) {
    u64 code = word_at(k, k->pc);
    return (code & 0xf0) == 0x40 ? code >> 8 : code;
}

/* ---- what happened ---- */

static void trace(struct machine *k, u64 what) { k->run->trace = (k->run->trace ^ what) * 0x9e3779b97f4a7c15 + 1; }

/* Code bytes [at, at + n) were executed or read. */
static void cover(struct machine *k, u64 at, u32 n) {
    const struct verify_module *m = k->m;
    u32 low = m->funcs[k->f].entry, high = subject_room(k->s, k->f);
    for (u64 end = at + n; k->run->cover && at < end; at++) {
        u64 bit;
        if (at >= low && at < high) bit = at - low;
        else if (at >= m->code_end && at < m->size) bit = high - low + at - m->code_end;
        else continue;
        k->run->cover[bit / 8] |= (u8)(1 << bit % 8);
    }
}

static void note_write(struct machine *k, u64 at, u32 n) {
    u8 *p = machine_host(k, at, &n);
    for (u32 part; p && n; p += part, n -= part) {
        part = MIN(n, 8u);
        if (k->undo_count == WRITES_MAX) { /* no permitted instruction writes more than 16 bytes */
            machine_stop(k, "too many writes", at);
            return;
        }
        struct undo *u = &k->undo[k->undo_count++];
        *u = (struct undo){p, 0, part};
        memcpy(&u->was, p, part);
    }
}

/* ---- where code may go ---- */

static bool is_function(const struct machine *k, u64 pc) {
    for (u32 i = 0; i < k->m->func_count; i++)
        if (pc == CODE + k->m->funcs[i].entry) return true;
    return false;
}

static u8 glue_at(const struct machine *k, u64 pc) {
    u64 at = pc - CODE;
    return pc >= CODE && at >= k->m->glue_start && at < k->m->glue_end ? k->callable[at - k->m->glue_start] : C_NO;
}

/* Of a transfer to what rax says, at once or through glue: was its type id compared?
 * At once: is its context ours? NULL: fine. */
static const char *unchecked(struct machine *k, u64 to) {
    u64 code = plain_code(k) & 0xffff;
    bool direct = code == 0xd0ff || code == 0xe0ff;
    if (!direct && glue_at(k, to) != C_BY_RAX) return NULL;
    if (machine_get(k, RAX) != k->typed) return "went where no type was checked";
    return direct && machine_get(k, R10) != CTX ? "called another instance with our context" : NULL;
}

bool machine_inside(const struct machine *k, u64 pc) {
    const struct verify_func *f = &k->m->funcs[k->f];
    return pc >= CODE + f->entry && pc < CODE + f->end;
}

static bool kept(struct machine *k) {
    static const u8 saved[] = {RBX, RBP, R12, R13};
    for (u32 i = 0; i < 4; i++)
        if (machine_get(k, saved[i]) != k->keep[saved[i]]) return false;
    return machine_get(k, R14) == CTX && machine_get(k, R15) == memory_base(0);
}

static u64 frame_low(const struct machine *k) { return k->top - k->m->funcs[k->f].frame; }

/* Out of the function: return, tail call, or call. */
static void leave(struct machine *k, u64 to) {
    u64 rsp = machine_get(k, RSP);
    if (to == CODE + k->m->code_end - 1 && rsp == k->top + 8) { /* the return address that we gave */
        machine_stop(k, kept(k) ? NULL : "returned with a saved register changed", to);
        return;
    }
    const char *how = unchecked(k, to);
    if (how) {
        machine_stop(k, how, to);
    } else if (!is_function(k, to) && !glue_at(k, to) && to != HOST_AT) {
        machine_stop(k, "left for", to);
    } else if (glue_at(k, to) == C_END) {
        machine_stop(k, machine_get(k, R14) == CTX ? NULL : "out of stack with a pinned register changed", to);
    } else if (to == HOST_AT && machine_get(k, RDI) != CTX) {
        machine_stop(k, "C called with a context", machine_get(k, RDI));
    } else if (rsp == k->top && to != HOST_AT) {
        machine_stop(k, kept(k) ? NULL : "tail call with a saved register changed", to);
    } else if (rsp != frame_low(k) - 8 || rsp % 16 != 8) {
        machine_stop(k, "call with the stack off", rsp);
    } else if (machine_get(k, R14) != CTX || machine_get(k, R15) != memory_base(0)) {
        machine_stop(k, "call with a pinned register changed", to);
    } else {
        k->called = word_at(k, rsp);
        uc_emu_stop(k->uc);
    }
}

static void on_code(uc_engine *uc, u64 address, u32 size, void *self) {
    struct machine *k = self;
    u64 from = k->pc;
    k->pc = address;
    k->accessed = false;
    k->halves = 0;
    if (k->done || k->called) return;
    trace(k, address);
    if (++k->steps > STEPS) {
        machine_stop(k, NULL, 0);
        return;
    }
    /* A recursive call or tail call begins at our own entry, with another stack. */
    bool entered = address == CODE + k->m->funcs[k->f].entry && from && machine_get(k, RSP) != k->top;
    if (!machine_inside(k, address) || entered) {
        k->pc = from ? from : address;
        leave(k, address);
        return;
    }
    cover(k, address - CODE, MIN(size, 15u)); /* an invalid one has no size */
    if (!k->begins[address - CODE]) machine_stop(k, "into an instruction", address);
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

/* call [r14 + displacement] */
static bool calls_through(struct machine *k) {
    u64 code = word_at(k, k->pc);
    return (code & 0xffff) == 0xff41 && ((code >> 16 & 0xff) == 0x56 || (code >> 16 & 0xff) == 0x96);
}

static bool context_allowed(struct machine *k, u32 at, u32 n, bool write) {
    const struct verify_module *m = k->m;
    if (at >= m->layout.globals) {
        u32 g = (at - m->layout.globals) / 16;
        if (g >= m->counts.globals || at % 16 + n > 16) return false;
        return !write || m->globals[g] == VERIFY_GLOBAL_WRITE;
    }
    if (write) return false;
    if (n == 8 && calls_through(k) && (at < m->layout.imports || (at >= m->layout.direct && at < m->layout.tables))) return true;
    return at + n <= offsetof(struct abi_ctx, instance) || (at >= m->layout.tables && at + n <= m->layout.globals);
}

static bool allowed(struct machine *k, u64 at, u32 n, bool write) {
    const struct verify_module *m = k->m;
    u64 store = at - STORE_AT;
    if (within(at, n, STACK - STACK_BYTES, STACK + 4096)) return stack_allowed(k, at, n, write);
    if (within(at, n, CTX, CTX + m->layout.size)) return context_allowed(k, (u32)(at - CTX), n, write);
    if (within(at, n, STORE_AT, STORE_AT + sizeof(struct abi_store))) {
        if (store >= offsetof(struct abi_store, overflow)) return true;
        if (store == offsetof(struct abi_store, stack_limit) || store == offsetof(struct abi_store, pending)) return !write;
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
static bool in_window(struct machine *k, u64 at, u32 n) {
    const struct verify_module *m = k->m;
    for (u32 i = 0; i < m->counts.memories; i++) {
        u64 base = memory_base(i);
        if (within(at, n, base, base + k->bytes[i])) return true;
        if (m->guarded[i] && within(at, n, base - m->front, base + m->back)) return true;
    }
    return false;
}

/* Before the code reads a memory's size for the first time, which is to compare r11
 * with it: every other time r11 is that size, so that one byte too far is seen. */
static void tell_size(struct machine *k, u64 at) {
    for (u32 i = 0; i < k->m->counts.memories; i++) {
        u64 field = CTX + abi_memory_offset(k->m->layout, i) + offsetof(struct abi_memory, bytes);
        if (at != field || k->told[i]) continue;
        u64 r11 = machine_get(k, R11);
        k->told[i] = true;
        if (r11 <= PAGES && random64(&k->random) & 1) machine_set_bytes(k, i, r11);
    }
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

/* How many bytes the processor would read where the emulator reads n; 0: none more. */
static u32 narrow(const struct machine *k, u8 begin, u32 n) {
    if (begin != B_NARROW4 && begin != B_NARROW8) return n;
    return k->accessed ? 0 : begin == B_NARROW4 ? 4 : 8;
}

/* cmp dword [rax - 4], id: the type id before a function's code, or the null entry's. */
static void note_type(struct machine *k, u64 at, u32 n) {
    u64 code = word_at(k, k->pc), id = word_at(k, k->pc + 3) & UINT32_MAX;
    if (n != 4 || (code & 0xffffff) != 0xfc7881) return;
    k->typed = id && (word_at(k, at) & UINT32_MAX) == id ? at + 4 : 0;
}

/* A read over a page's end comes as itself, and then as two aligned ones that read
 * more: is this one of these? */
static bool is_half(struct machine *k, u64 at, u32 size, bool write) {
    if (k->halves && (at == k->halves || at == k->halves + size)) return true;
    k->halves = !write && at % 4096 + size > 4096 ? at & ~(u64)(size - 1) : 0;
    return false;
}

static void on_access(uc_engine *uc, uc_mem_type type, u64 at, int size, i64 value, void *self) {
    struct machine *k = self;
    bool write = type == UC_MEM_WRITE || type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT;
    if (k->done || k->called || is_half(k, at, (u32)size, write)) return;
    u8 begin = machine_inside(k, k->pc) ? k->begins[k->pc - CODE] : B_NONE;
    u32 n = narrow(k, begin, (u32)size);
    if (!n) return;
    if (!write) tell_size(k, at), note_type(k, at, n);
    trace(k, at << 8 | (u64)n << 1 | write);
    if (!k->accessed && begin == B_ALIGNED && at % 16) machine_stop(k, "unaligned", at);
    k->accessed = true;
    if (write) note_write(k, at, n);
    else if (at >= CODE && at < CODE + k->m->size) cover(k, at - CODE, n);
    if (!allowed(k, at, n, write) && !in_window(k, at, n)) machine_stop(k, write ? "wrote" : "read", at);
}

static bool on_unmapped(uc_engine *uc, uc_mem_type type, u64 at, int n, i64 value, void *self) {
    struct machine *k = self;
    u32 kind = 0;
    if (k->done) return false;
    bool more = machine_inside(k, k->pc) && !narrow(k, k->begins[k->pc - CODE], 1); /* than the processor reads */
    if (more) machine_stop(k, NULL, 0);
    else if (type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT) machine_stop(k, "fetched", at);
    else if (!in_window(k, at, 1)) machine_stop(k, "touched", at);
    else if (!trap_site(k, k->pc, &kind) || kind != ABI_TRAP_MEMORY) machine_stop(k, "fault at no trap site", at);
    else machine_stop(k, NULL, 0);
    return false;
}

static void on_interrupt(uc_engine *uc, u32 number, void *self) {
    struct machine *k = self;
    if (!k->done) machine_stop(k, "exception", number);
}

static bool on_invalid(uc_engine *uc, void *self) {
    struct machine *k = self;
    u32 kind = 0;
    bool ud2 = (plain_code(k) & 0xffff) == 0x0b0f;
    if (!k->done) machine_stop(k, ud2 && trap_site(k, k->pc, &kind) ? NULL : "invalid instruction", k->pc);
    return false;
}

void machine_watch(struct machine *k) {
    uc_hook h;
    uc_hook_add(k->uc, &h, UC_HOOK_CODE, (void *)on_code, k, 1, 0);
    uc_hook_add(k->uc, &h, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, (void *)on_access, k, 1, 0);
    uc_hook_add(k->uc, &h, UC_HOOK_MEM_INVALID, (void *)on_unmapped, k, 1, 0);
    uc_hook_add(k->uc, &h, UC_HOOK_INTR, (void *)on_interrupt, k, 1, 0);
    uc_hook_add(k->uc, &h, UC_HOOK_INSN_INVALID, (void *)on_invalid, k, 1, 0);
}

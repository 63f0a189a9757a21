/* native_run.c: the environment of accepted code in this process, and what it must leave alone.
 *
 * Memories 0 and 1 have windows of which one page of 64 KiB is there, memory 2 none. What
 * else the code may reach lies at the end of a mapping, with nothing behind it.
 *
 * I1 signals have a stack of their own: rsp may be anything.
 * I2 `inside` is set before the clock starts, and the clock goes on ticking: no tick is lost.
 * I3 a signal that comes while not `inside` is a bug of this program, and ends it. */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "test/verify/native.h"

enum { PAGE = 4096, GAP = 1 << 20, MEMORY = 65536, STACK = 65536, TOP = STACK - 2 * PAGE, TICK_MICROSECONDS = 4000, REGIONS = 5 };

/* What must stay as it was, but for the bytes from `free` on. */
struct region {
    u8 *at, *copy;
    u32 bytes, free, free_bytes;
};

static struct environment {
    const struct verify_module *m;
    u8 *code, *memory[3], *stack, *ctx;
    struct region regions[REGIONS];
    /* of the last run */
    volatile sig_atomic_t inside;
    int signal;
    u64 pc, address;
} E;

static sigjmp_buf back;

/* ---- into the code, and back ---- */

struct native_frame {
    u64 in[16], out[16], rsp, code;
} native_frame;

void native_enter(void);

#define PAIR(name, at) "mov native_frame+" at "(%rip), %" name "\n"
#define VECTOR(n, at) "movups native_frame+" at "(%rip), %xmm" n "\n" /* two of those numbers */
#define KEPT(name, at) "mov %" name ", native_frame+" at "(%rip)\n"
__asm__(".pushsection .text\nnative_enter:\n"
        "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "mov %rsp, native_frame+256(%rip)\n"
        PAIR("rax", "0") PAIR("rcx", "8") PAIR("rdx", "16") PAIR("rbx", "24") PAIR("rsp", "32") PAIR("rbp", "40") PAIR("rsi", "48") PAIR("rdi", "56")
        PAIR("r8", "64") PAIR("r9", "72") PAIR("r10", "80") PAIR("r11", "88") PAIR("r12", "96") PAIR("r13", "104") PAIR("r14", "112") PAIR("r15", "120")
        VECTOR("0", "0") VECTOR("1", "8") VECTOR("2", "16") VECTOR("3", "40") VECTOR("4", "48") VECTOR("5", "56") VECTOR("6", "64") VECTOR("7", "72")
        VECTOR("8", "0") VECTOR("9", "8") VECTOR("10", "16") VECTOR("11", "40") VECTOR("12", "48") VECTOR("13", "56") VECTOR("14", "64") VECTOR("15", "72")
        "call *native_frame+264(%rip)\n"
        KEPT("rbx", "152") KEPT("rsp", "160") KEPT("rbp", "168") KEPT("r12", "224") KEPT("r13", "232") KEPT("r14", "240") KEPT("r15", "248")
        "mov native_frame+256(%rip), %rsp\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n cld\n ret\n.popsection\n");
static_assert(offsetof(struct native_frame, out) == 128 && offsetof(struct native_frame, rsp) == 256, "as above");

static void on_signal(int signal, siginfo_t *i, void *context) {
    const ucontext_t *c = context;
    if (!E.inside && signal == SIGALRM) return;
    if (!E.inside) _exit(3);
    E.inside = 0;
    E.signal = signal;
    E.pc = (u64)c->uc_mcontext.gregs[REG_RIP];
    E.address = (u64)i->si_addr;
    siglongjmp(back, 1);
}

static void set_clock(i64 microseconds) {
    struct itimerval each = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &each, NULL);
}

/* Returns the signal that ended it, or 0. */
static int enter(const void *code) {
    native_frame.code = (u64)code;
    E.signal = 0;
    if (!sigsetjmp(back, 1)) {
        E.inside = 1;
        set_clock(TICK_MICROSECONDS);
        native_enter();
        E.inside = 0;
    }
    set_clock(0);
    return E.signal;
}

static bool take_signals(void) {
    static u8 stack[1 << 16];
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGALRM};
    struct sigaction a = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    bool ok = !sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    for (u32 k = 0; k < ARRAY_LEN(signals); k++) ok = ok && !sigaction(signals[k], &a, NULL);
    return ok;
}

/* ---- the environment ---- */

/* `bytes` that are there, in the middle of nothing. */
static u8 *island(u64 before, u64 bytes, u64 behind) {
    u8 *p = mmap(NULL, before + bytes + behind, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED || mprotect(p + before, bytes, PROT_READ | PROT_WRITE) ? NULL : p + before;
}

static u8 *region(u32 k, u8 *at, u32 bytes, u32 free, u32 free_bytes) {
    E.regions[k] = (struct region){at, island(0, bytes, 0), bytes, free, free_bytes};
    return at && E.regions[k].copy ? at : NULL;
}

static u8 *new_region(u32 k, u32 bytes, u32 free, u32 free_bytes) { return region(k, island(GAP, bytes, GAP), bytes, free, free_bytes); }

static void fill_context(const struct abi_layout *l, struct abi_store *store, struct abi_table *table, u8 *cell) {
    struct abi_ctx *c = (void *)E.ctx;
    memset(E.ctx, 0x77, l->size);
    for (u32 k = 0; k < 3; k++) *(struct abi_memory *)(void *)(E.ctx + abi_memory_offset(*l, k)) = (struct abi_memory){E.memory[k], MEMORY, 1, 0};
    memset(store, 0x66, sizeof *store);
    c->store = store;
    memcpy(E.ctx + l->tables, &table, sizeof table);
    memset(E.ctx + l->globals, 0, 48);
    memcpy(E.ctx + l->globals + 32, &cell, sizeof cell);
}

/* The table's two entries name function 1. */
static void fill_table(struct abi_table *table, u8 *entries) {
    *table = (struct abi_table){.entries = (void *)entries, .len = 2};
    for (u32 k = 0; k < 2; k++) table->entries[k] = (struct abi_func){E.code + E.m->funcs[1].entry, E.ctx};
}

static bool map_all(const struct verify_module *m) {
    const struct abi_layout *l = &m->layout;
    u32 ctx = ALIGN_UP(l->size, (u32)PAGE), ctx_at = ctx - ALIGN_UP(l->size, 16u), store = ALIGN_UP((u32)sizeof(struct abi_store), (u32)PAGE);
    u32 store_at = store - sizeof(struct abi_store), overflow = store_at + offsetof(struct abi_store, overflow);
    for (u32 k = 0; k < 3; k++) E.memory[k] = k < 2 ? island(GAP + m->front, MEMORY, m->back + GAP) : island(GAP, MEMORY, GAP);
    E.stack = island(GAP, STACK, GAP);
    u8 *contexts = new_region(0, ctx, ctx_at + l->globals, 16), *stores = new_region(1, store, overflow, sizeof(union abi_value[ABI_OVERFLOW]));
    u8 *tables = new_region(2, PAGE, 0, 0), *cells = new_region(3, PAGE, PAGE - 16, 16);
    if (!E.memory[0] || !E.memory[1] || !E.memory[2] || !E.stack || !contexts || !stores || !tables || !cells) return false;
    struct abi_table *table = (void *)(tables + PAGE - sizeof *table);
    E.ctx = contexts + ctx_at;
    fill_context(l, (void *)(stores + store_at), table, cells + PAGE - 16);
    fill_table(table, tables);
    memset(E.stack, 0xa5, STACK);
    return region(4, E.stack + TOP, STACK - TOP, 0, 0) != NULL;
}

bool run_open(const struct verify_module *m, u8 *code) {
    E.m = m;
    E.code = code;
    if (!map_all(m) || !take_signals()) return false;
    for (u32 k = 0; k < REGIONS; k++) memcpy(E.regions[k].copy, E.regions[k].at, E.regions[k].bytes);
    return true;
}

void run_fresh(void) {
    for (u32 k = 0; k < 3; k++) memset(E.memory[k], 0, MEMORY);
    memset(E.stack, 0xa5, STACK);
    for (u32 k = 0; k < REGIONS; k++) memcpy(E.regions[k].at, E.regions[k].copy, E.regions[k].bytes);
}

/* ---- a run ---- */

static u64 any_value(struct program *g) {
    static const u64 edges[] = {0, 1, ~0ull, 0x80000000, 0xffffffff, 0x7fffffff, 1ull << 63, 65536, 65528, 0xffffffff00000000, 8, 24, 0xfffffffffffffff0};
    return below(g, 3) ? edges[below(g, ARRAY_LEN(edges))] : random64(&g->random);
}

static void set_registers(struct program *g) {
    for (u32 r = 0; r < 16; r++) native_frame.in[r] = any_value(g);
    native_frame.in[RSP] = (u64)(E.stack + TOP);
    native_frame.in[R14] = (u64)E.ctx;
    native_frame.in[R15] = (u64)E.memory[0];
}

static bool in_window(u64 address) {
    for (u32 k = 0; k < 2; k++)
        if (address - (u64)E.memory[k] + E.m->front < E.m->front + E.m->back) return true;
    return false;
}

static const char *wrong_fault(const struct program *g) {
    u32 k = 0;
    while (k < g->trap_count && (u64)E.code + g->traps[k].pc != E.pc) k++;
    if (k == g->trap_count) return "a fault where no trap is";
    if (E.signal == SIGILL) return g->traps[k].kind == ABI_TRAP_UNREACHABLE ? NULL : "an instruction that is none";
    if (E.signal != SIGSEGV || g->traps[k].kind != ABI_TRAP_MEMORY) return "a signal of another kind";
    return in_window(E.address) ? NULL : "a fault outside the windows";
}

static const char *wrong_registers(void) {
    static const u8 kept[] = {RBX, RSP, RBP, R12, R13, R14, R15};
    for (u32 k = 0; k < ARRAY_LEN(kept); k++)
        if (native_frame.in[kept[k]] != native_frame.out[kept[k]]) return "a register that was not kept";
    return NULL;
}

static const char *wrong_bytes(void) {
    static const char *const names[REGIONS] = {"its context was written", "its store was written", "its table was written", "beside its global was written", "the stack above it was written"};
    for (u32 k = 0; k < REGIONS; k++) {
        const struct region *r = &E.regions[k];
        u32 behind = r->free + r->free_bytes;
        if (memcmp(r->at, r->copy, r->free) || memcmp(r->at + behind, r->copy + behind, r->bytes - behind)) return names[k];
    }
    return NULL;
}

enum native_end run_program(struct program *g, const struct verify_func *f, const char **what) {
    set_registers(g);
    int signal = enter(E.code + f->entry);
    bool slow = signal == SIGALRM;
    *what = slow ? NULL : signal ? wrong_fault(g) : wrong_registers();
    if (!*what) *what = wrong_bytes();
    if (*what) return END_ESCAPED;
    return slow ? END_SLOW : signal ? END_TRAPPED : END_RETURNED;
}

/* machine.h: the inside of the emulator. Only machine.c and watch.c include it. */
#ifndef WHELK_TEST_VERIFY_MACHINE_H
#define WHELK_TEST_VERIFY_MACHINE_H

#include <unicorn/unicorn.h>

#include "test/verify/mutate.h"

enum { STEPS = 160, PAGES = 65536, ENTRIES = 8, MEMORIES_MAX = 4, WRITES_MAX = 16 * STEPS };
enum { STACK_BYTES = 1 << 20, FRAME_BYTES = 1 << 16, CODE_BYTES = 1 << 20, CONTEXT_BYTES = 1 << 16 };
#define CODE 0x10000000000ull
#define HOST_AT (CODE + CODE_BYTES - 64) /* every C function; not followed */
#define CTX 0x20000000000ull
#define STORE_AT 0x21000000000ull
#define TABLES_AT 0x22000000000ull
#define ENTRIES_AT 0x23000000000ull
#define CELLS 0x24000000000ull
#define STACK 0x25000000000ull
#define OTHER_CTX 0x26000000000ull
#define MEMORIES 0x30000000000ull
#define MEMORY_STRIDE 0x1000000000ull

/* Each kind of object has a region of its own, and each is ours: written without the
 * emulator, which would forget its address translations at each uc_mem_write. */
struct region {
    u64 at, bytes;
    u8 *host;
};
enum { R_CODE, R_CTX, R_STORE, R_TABLES, R_ENTRIES, R_CELLS, R_STACK, R_OTHER, R_MEMORY, REGIONS = R_MEMORY + MEMORIES_MAX };

/* B_ALIGNED: its operand in memory must be. B_NARROW4, 8: so many bytes are its operand,
 * of which the emulator reads 16. */
enum { B_NONE, B_BEGINS, B_ALIGNED, B_NARROW4, B_NARROW8 };

#define NOTHING ((struct range){UINT32_MAX, 0})

enum { C_NO, C_GLUE, C_BY_RAX /* goes on to where rax says */, C_END /* the stack is at its end */ };

/* What a write replaced. */
struct undo {
    u8 *host;
    u64 was;
    u32 n;
};

struct machine {
    uc_engine *uc;
    uc_context *fresh;
    struct region regions[REGIONS];
    const struct subject *s;
    const struct verify_module *m; /* s's facts */
    const u8 *code, *original;
    u8 *begins, *original_begins; /* per byte of code: B_* */
    u8 *callable;                 /* per byte of glue: C_*, where the unchanged code calls or jumps */
    struct range dirty;           /* of code: what differs from the original */
    u64 random;
    /* of a run */
    struct run *run;
    u32 f, saves, steps;
    u64 top;     /* address of the return address */
    u32 prologue_end;
    u64 pc, called;
    u64 typed;   /* code whose type id was compared, and the same; 0: none */
    u64 keep[16]; /* what callee-saved registers must hold on return */
    u64 bytes[MEMORIES_MAX]; /* each memory's size */
    bool told[MEMORIES_MAX]; /* the code has read it, or what is known rests on it */
    u64 halves; /* of a read over a page's end that was looked at: where the emulator's two reads begin; 0: none */
    bool done, accessed; /* accessed: the instruction at pc has */
    const char *escape;
    char text[160];
    struct undo undo[WRITES_MAX];
    u32 undo_count;
};

u64 machine_get(struct machine *k, u32 r);
void machine_watch(struct machine *k); /* the hooks */
/* Ends a run; escape: NULL, or what the theorem does not allow. */
void machine_stop(struct machine *k, const char *escape, u64 address);
/* The bytes at `at`, NULL where nothing is; *n is at most what is there. */
u8 *machine_host(struct machine *k, u64 at, u32 *n);
void machine_set_bytes(struct machine *k, u32 memory, u64 bytes);
bool machine_inside(const struct machine *k, u64 pc);

static inline u64 memory_base(u32 i) { return MEMORIES + i * MEMORY_STRIDE; }

#endif

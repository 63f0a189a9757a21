/* abi.h: the contract of compiled code. Shared by jit/ (which emits it),
 * verify/ (which checks it) and rt/ (which runs it). Headers only.
 *
 * Compiled code is position-independent and belongs to a module, not to an
 * instance: everything of an instance is reached through r14.
 *
 * Calling convention of Wasm functions: the C convention of System V x86-64,
 * restricted. Integer and reference arguments in rdi rsi rdx rcx r8 r9, floats
 * in xmm0..7. First result in rax or xmm0. Further parameters, and results 1..,
 * go through store->overflow: parameter slots from 0 in order, result k in slot
 * k - 1. The caller writes parameters right before the call and the callee reads
 * them in its entry; the callee writes results right before it returns and the
 * caller reads them right after the call. In between nothing else runs in the
 * store, so one area serves all. There are no stack arguments: above a return
 * address lies nothing of the callee's. i32 values may have dirty upper halves
 * in registers and slots. rbx rbp r12 r13 are callee-saved; r14 and r15
 * are pinned:
 *   r14  struct abi_ctx * of the running instance
 *   r15  base of memory 0 (any value if the module has none)
 * Direction flag clear; no red zone; rsp 16-aligned at calls.
 *
 * Host functions are C functions:
 *   u64 fn(struct abi_ctx *caller, ARGS...)   (double or float where the type says)
 * in the C convention: ARGS shift by one integer register. A host function
 * with more than one result gets, as its last argument, a pointer to u64
 * slots for results 1.. (result 0 is returned). It never unwinds: to trap it
 * sets store->pending and returns anything; compiled code tests pending after
 * every host call and leaves through the trap exit.
 *
 * One kind of callee. A struct abi_func in a table, a funcref or a thunk call
 * is always {code with a type id before it, context}, called in the Wasm
 * convention with r14 = its ctx, r15 = [ctx], r11 = the caller's ctx. For a host
 * function that is {a host stub of its type, struct abi_host *}: the stub puts r14
 * back to the caller's context, shifts the arguments, checks headroom, calls
 * abi_host.fn, tests pending. What overflows it copies to and from the C stack,
 * so a host function may enter the store again. jit_code.host_stubs has one per type that an import
 * uses. Calls into another instance (or a host stub) go through glue that
 * saves and restores r14 and r15; a callee need not restore them. A tail call
 * into another instance leaves the glue's frame, unless its caller is glue: then
 * that frame serves, so chains between instances take no stack either.
 *
 * Imports of few arguments (at most 5 integers, 8 floats, one result) and builtins
 * are called in line, in the C convention: headroom, rdi = r14, a call through
 * direct[] or builtins[], pending. Where another instance's function is behind the
 * import, direct[] is an adaptor of the module, which shifts the arguments back.
 *
 * Exceptions. Throwing is a builtin that raises EXCEPTION by pending, as a host
 * function may. The glue that finds it pending calls the builtin unwind, which
 * walks the return addresses (jit_func.frame, jit_code.sites): functions, and the
 * glue between instances, up to the thunk. Who catches is entered at a pad: rsp as
 * in the body, r14 and r15 of its instance, the payload in overflow, everything
 * else unknown. If nobody does, the trap exit is taken. A function with pads saves
 * all callee-saved registers, since those that it took down may have changed them.
 *
 * Every function entry is preceded by its 32-bit type id (abi_func_header), so
 * one compare before call_indirect covers null and type. */
#ifndef WHELK_ABI_ABI_H
#define WHELK_ABI_ABI_H

#include "base/assert.h"
#include "base/types.h"

/* An access to memory 0 behind guards is [r15 + zero-extended index + displacement],
 * the displacement above -ABI_MEMORY_SLACK and at most ABI_MAX_DISP (which leaves
 * room for an access in parts). The window has more than that in front of the
 * memory and behind it. A 32-bit memory never has its last ABI_MEMORY_SLACK
 * bytes: where an access has succeeded, adding less than that cannot wrap. */
enum { ABI_MEMORY_SLACK = 65536, ABI_MAX_DISP = INT32_MAX - 16 };

/* The traps of WebAssembly and our own. Text as in the official suite. */
#define ABI_TRAPS(X)                                      \
    X(NONE, "none")                                       \
    X(UNREACHABLE, "unreachable")                         \
    X(MEMORY, "out of bounds memory access")              \
    X(TABLE, "undefined element")                         \
    X(TABLE_BOUNDS, "out of bounds table access")         \
    X(NULL_ELEMENT, "uninitialized element")              \
    X(INDIRECT_TYPE, "indirect call type mismatch")       \
    X(DIVIDE_BY_ZERO, "integer divide by zero")           \
    X(INTEGER_OVERFLOW, "integer overflow")               \
    X(BAD_CONVERSION, "invalid conversion to integer")    \
    X(STACK, "call stack exhausted")                      \
    X(NULL_REFERENCE, "null reference")                   \
    X(NULL_FUNCTION, "null function reference")           \
    X(NULL_EXCEPTION, "null exception reference")         \
    X(UNALIGNED_ATOMIC, "unaligned atomic")               \
    X(NOT_SHARED, "expected shared memory")               \
    X(MAY_NOT_WAIT, "waiting is not allowed here")        \
    X(EXCEPTION, "uncaught exception")                    \
    X(DEADLINE, "time budget exceeded")                   \
    X(INTERRUPTED, "interrupted")                         \
    X(EXIT, "exit")                                       \
    X(NOMEM, "out of memory")                             \
    X(HOST, "host function failed")

enum abi_trap {
#define X(name, text) ABI_TRAP_##name,
    ABI_TRAPS(X)
#undef X
        ABI_TRAP_COUNT
};

/* A value in memory: what thunks take, overflow slots, globals. */
union abi_value {
    u32 i32;
    u64 i64;
    u64 bits[2];
} __attribute__((aligned(16)));

/* No function has more parameters, nor more results (wasm/module.h). */
enum { ABI_OVERFLOW = 1000 };

/* A function as a callable pair: tables, imports. code's type id is the u32
 * at code[-4]. A null table entry has code == any address with type id 0 before
 * it, which is never called, and ctx == NULL. */
struct abi_func {
    const void *code;
    void *ctx; /* struct abi_ctx of the instance it belongs to, or struct abi_host */
};

/* Context of a host function outside imports[]. Belongs to no store. */
struct abi_host {
    u64 zero;       /* where a context has its memory base */
    const void *fn; /* the C function */
};

/* entries is replaced by grow; len counts entries. */
struct abi_table {
    struct abi_func *entries;
    u64 len;
    u32 *refs; /* parallel: the 32-bit handle of each entry, 0 for null */
    u64 reserved;
};

/* One per store: a set of instances linked together, entered by one thread at
 * a time. Lives in memory that compiled code can only reach by fixed offsets. */
struct abi_store {
    u64 trap_sp;     /* rsp that the trap exit restores */
    u64 entry_sp;    /* stack top for the next entry from C; 0: the current stack */
    u64 stack_limit; /* lowest rsp at which a host function may be called */
    u32 pending;     /* enum abi_trap raised by a host function or the timer; 0: none */
    u32 depth;       /* entries nested in this store */
    void *owner;     /* rt's */
    u64 pad_sp;      /* of unwind: rsp and r14 at the pad; the exception, if it is wanted */
    struct abi_ctx *pad_ctx;
    u32 caught;
    u32 careful;     /* C only: calls look at MXCSR and at exceptions (rt/enter.h) */
    struct abi_table refs; /* by handle: the functions; the null pair for others */
    union abi_value overflow[ABI_OVERFLOW]; /* see the calling convention */
};

/* References (funcref, externref) inside compiled code are 32-bit handles of
 * the store, 0 for null. They are checked by whoever uses them: call_ref is
 * call_indirect through store->refs, bounds and type check included. */

/* Helpers in C that compiled code calls through the context. The signature is
 * that of a host function; reference operands are handles. */
#define ABI_BUILTINS(X)                                                                   \
    X(memory_grow)  /* (u32 mem, u64 delta) -> old pages or -1 */                         \
    X(memory_fill)  /* (u32 mem, u64 at, u32 byte, u64 n) */                              \
    X(memory_copy)  /* (u32 dst_mem | src_mem << 32, u64 to, u64 from, u64 n) */          \
    X(memory_init)  /* (u32 mem | segment << 32, u64 to, u32 from, u32 n) */              \
    X(data_drop)    /* (u32 segment) */                                                   \
    X(table_get)    /* (u32 table, u64 index) -> handle */                                \
    X(table_set)    /* (u32 table, u64 index, u32 handle) */                              \
    X(table_grow)   /* (u32 table, u64 delta, u32 handle) -> old length or -1 */          \
    X(table_fill)   /* (u32 table, u64 at, u32 handle, u64 n) */                          \
    X(table_copy)   /* (u32 dst | src << 32, u64 to, u64 from, u64 n) */                  \
    X(table_init)   /* (u32 table | segment << 32, u64 to, u32 from, u32 n) */            \
    X(elem_drop)    /* (u32 segment) */                                                   \
    X(ref_func)     /* (u32 func) -> handle */                                            \
    X(atomic_notify) /* (u32 mem, u64 index, u64 offset, u32 count) -> woken */           \
    X(atomic_wait32) /* (u32 mem, u64 index, u64 offset, u32 expected, i64 ns) -> 0, 1, 2 */ \
    X(atomic_wait64) /* (u32 mem, u64 index, u64 offset, u64 expected, i64 ns) -> 0, 1, 2 */ \
    X(throw_tag)    /* (u32 tag), payload in overflow: raises EXCEPTION */                \
    X(throw_ref)    /* (u32 handle): the same */                                          \
    X(unwind)       /* (u64 sp) -> pad or 0; called by glue when something is pending */  \
    X(f32_round)    /* (u32 bits, u32 mode) -> bits: CPUs without SSE4.1 */               \
    X(f64_round)    /* (u64 bits, u32 mode) -> bits; mode as roundsd's immediate */

enum abi_builtin {
#define X(name) ABI_BUILTIN_##name,
    ABI_BUILTINS(X)
#undef X
        ABI_BUILTIN_COUNT
};

/* What compiled code needs of a memory. base never moves while the memory
 * lives; bytes and pages only rise. Memory 0 is in the head of the context,
 * where r15 is loaded from; see abi_memory_offset for the others. */
struct abi_memory {
    u8 *base;
    u64 bytes; /* current size */
    u64 pages; /* the same in pages: memory.size */
    u64 reserved;
};

/* The fixed head of an instance's context. After it, in this order, 16-aligned:
 *   struct abi_func    imports[imported functions]
 *   const void        *direct[imported functions]    (to be called as C: the C function, or
 *                                                     the module's adaptor to the callable pair;
 *                                                     NULL: no code calls it so)
 *   struct abi_table  *tables[tables]                (pointer: tables are shared)
 *   struct abi_memory  memories[memories - 1]        (memory 1 and on)
 *   globals: 16 bytes each, one per global index; a defined immutable, or a
 *   mutable global that is neither imported nor exported holds its value in
 *   place; an imported or exported mutable one holds a pointer to it.
 * abi_layout() computes the offsets; compiled code and rt/ agree through it. */
struct abi_ctx {
    union {
        struct abi_memory memory; /* memory 0 */
        struct {
            u8 *mem_base; /* r15 is loaded from here */
            u64 mem_bytes, mem_pages;
        };
    };
    struct abi_store *store;
    void *instance;  /* struct rt_instance: C only */
    const void *builtins[ABI_BUILTIN_COUNT];
};

struct abi_counts {
    u32 imported_funcs, tables, globals, memories;
};

struct abi_layout {
    u32 imports, direct, tables, memories, globals, size;
};

static inline struct abi_layout abi_layout(struct abi_counts n) {
    struct abi_layout l;
    u64 at = ALIGN_UP(sizeof(struct abi_ctx), (size_t)16);
    l.imports = (u32)at;
    at += (u64)n.imported_funcs * sizeof(struct abi_func);
    l.direct = (u32)at;
    at += (u64)n.imported_funcs * sizeof(void *);
    l.tables = (u32)at;
    at = ALIGN_UP(at + (u64)n.tables * sizeof(struct abi_table *), (u64)16);
    l.memories = (u32)at;
    at += (n.memories ? n.memories - 1 : 0) * sizeof(struct abi_memory);
    l.globals = (u32)at;
    at += (u64)n.globals * 16;
    assert(at < INT32_MAX); /* counts are bounded by the decoder's limits */
    l.size = (u32)at;
    return l;
}

/* Of a memory's struct abi_memory in the context. */
static inline u32 abi_memory_offset(struct abi_layout l, u32 memory) {
    if (!memory) return offsetof(struct abi_ctx, memory);
    return l.memories + (memory - 1) * (u32)sizeof(struct abi_memory);
}

/* The u32 before a function's entry. 0 is the null stub's, and no type's. */
static inline u32 abi_type_id(const void *code) { return ((const u32 *)code)[-1]; }

/* C -> Wasm. One thunk per function type, emitted beside the code. vals holds
 * the arguments, one 16-byte slot each (i32 in the low 4 bytes), and receives
 * the results in the same way. Returns ABI_TRAP_NONE or the trap. The thunk
 * saves the callee-saved registers, sets r14, r15, store->trap_sp (saving the
 * old one) and switches to store->entry_sp when that is not 0. It does not touch
 * depth, entry_sp, pending, MXCSR: rt's. store is caller->store; caller is
 * f->ctx for a Wasm function, for a host function the instance whose export it
 * is. A thunk works for every function of an equal type in any module. */
typedef u32 abi_thunk(struct abi_ctx *caller, const struct abi_func *f, union abi_value *vals);

/* The trap exit: an address inside compiled code. Whoever stops a function
 * (fault handler, timer) sets rip to it and rdi to the trap kind, with r14
 * as it was in the interrupted code. rsp does not matter. Every module's trap
 * exit works for every thunk's frame. Not while pc is in the glue (see
 * jit_code): there r14 may be an abi_host or not set; glue never faults by itself
 * (it checks headroom first), and a timer that finds it sets pending and tries
 * again at its next tick. */

#endif

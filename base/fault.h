/* fault.h: bugs that can be built in, to prove that the tests find them.
 * Builds without WHELK_FAULTS have none of them: fault() is constant false. */
#ifndef WHELK_BASE_FAULT_H
#define WHELK_BASE_FAULT_H

/* Before the colon: where it is, by which test/fuzz/seeded knows the targets. */
#define FAULTS(X)                                                          \
    X(LEB_LENGTH)      /* cursor: a LEB128 may run past the end */         \
    X(BRANCH_TYPE)     /* validate: the type that a branch carries is not checked */ \
    X(SEGMENT_INDEX)   /* validate: data.drop's index is not checked */    \
    X(ZERO_EXTEND)     /* jit: i64.extend_i32_u extends the sign */        \
    X(DIVIDE_OVERFLOW) /* jit: anything / -1 overflows, not only INT_MIN */\
    X(SHIFT_FOLD)      /* jit: constant shifts are not taken modulo the width */ \
    X(LOAD_SIGN)       /* jit: load8_s extends with zeros */               \
    X(STALE_GLOBAL)    /* jit: a global read before a call or a join is reused after it */ \
    X(SWITCH_DEFAULT)  /* jit: br_table takes its last target as the default */ \
    X(MEMORY_BASE)     /* jit: a further memory is reached by the first one's base */ \
    X(CHECK_CARRY)     /* jit: an exact check lets index and offset wrap around */ \
    X(CHECK_SIZE)      /* jit: an exact check takes every access for one byte */ \
    X(ATOMIC_ALIGN)    /* jit: atomic accesses may be anywhere */          \
    X(COMPARED)        /* jit: flags serve a comparison of another first operand, too */ \
    X(PAD_RELOAD)      /* jit: a landing pad takes values for where they were at the call */ \
    X(PAD_SAVED)       /* jit: a function with pads saves only what it uses itself */ \
    X(PAD_SHARED)      /* jit: calls share a pad though a local changed in between */ \
    X(CATCH_ORDER)     /* rt: the outermost handler catches, not the nearest */ \
    X(BULK_BOUND)      /* rt: memory.copy checks one operand only */       \
    /* jit: allocation; its checker finds each (test/verify/allocation.c) */ \
    X(EDGE_MOVE)       /* a value that changes its place on an edge does not */ \
    X(SLOT_SHARED)     /* two values have a slot at once */                \
    X(LATE_READ)       /* an operand is taken as read before the result is written */ \
    X(RELOAD)          /* a value does not come back from its slot */   \
    X(CLOBBER)         /* a division does not say what it overwrites */    \
    /* jit, unsafe: the verifier refuses each (test/verify/faults.c) */    \
    X(SPILL_SIGN)      /* a spilled i32 comes back sign-extended: CVE-2021-32629 */ \
    X(DIRTY_INDEX)     /* an index is not zero-extended: CVE-2026-34987 */ \
    X(INDEX_SCALE)     /* an index is scaled by two: CVE-2026-34971 */     \
    X(INDEX_SHIFT)     /* a shift is folded into an address, 35 bits: CVE-2023-26489 */ \
    X(WIDE_LOAD)       /* a folded load reads more than was checked: CVE-2026-24116 */ \
    X(MID_JUMP)        /* a jump lands in the middle of an instruction */  \
    X(TYPE_CHECK)      /* call_indirect does not compare types */          \
    X(TABLE_BOUND)     /* call_indirect does not compare the index */      \
    X(BOUND_INDEX)     /* ... compares it with a word that another register chooses */ \
    X(LIMIT_INDEX)     /* so the stack pointer before a call of C */       \
    X(STACK_ABOVE)     /* a spill goes above the frame */                  \
    X(KERNEL_CALL)     /* a call goes to what was not imported */          \
    X(STALE_REGISTER)  /* a register is taken as kept over calls that do not keep it */ \
    X(UNSAVED)         /* a callee-saved register is not saved */          \
    X(DIVIDE_ZERO)     /* a divisor is not compared with zero */           \
    X(TRAP_SITE)       /* an access is missing in the trap table */        \
    X(CONTEXT_STORE)   /* global.set is one slot off, over what is immutable */ \
    X(SWITCH_BOUND)    /* br_table does not compare its index */           \
    X(VECTOR_DIRTY)    /* the index of a v128 access is not zero-extended */ \
    X(VECTOR_SCALE)    /* ... is scaled by eight */                        \
    X(LANE_SCALE)      /* the index of a lane load is scaled by the lane's size */ \
    X(VECTOR_WIDE)     /* a load of 4 or 8 bytes into a vector reads 16: GHSA-qqfj */ \
    X(VECTOR_CHECK)    /* 16 bytes are accessed where 8 were checked */    \
    X(VECTOR_OPERAND)  /* a vector in a slot is an operand that must be aligned */ \
    X(VECTOR_SLOT)     /* a vector's slot is counted in sixteens, not in eights */ \
    X(VECTOR_GLOBAL)   /* global.set of a v128 begins in the global's middle */ \
    X(VECTOR_CONST)    /* a constant of 16 bytes lies where eight would do */ \
    X(VECTOR_CPU)      /* an instruction that the CPU lacks */             \
    /* where input comes in */                                             \
    X(ELF_SEGMENT)     /* elf: a segment may lie beyond the end of the file */ \
    X(ELF_TABLE)       /* elf: the program headers may lie beyond the end of the file */ \
    X(CPIO_NAME)       /* initrd: a name may have no bytes, not even its zero */ \
    X(CPIO_PARENT)     /* initrd: a name may have .. in it */              \
    X(TABLE_LENGTH)    /* boot: ACPI's tables are as long as they say */   \
    X(OPTION_LENGTH)   /* boot: an option of the command line may be longer than its buffer */ \
    X(FRAME_END)       /* control: the zero byte after a payload has no room */ \
    X(LOAD_KEPT)       /* control: a module that was refused stays in memory */ \
    X(ANSWER_TWICE)    /* control: a load that failed is refused, and accepted */ \
    X(POKE_LENGTH)     /* inside: a poke of fewer bytes than it says reads on */ \
    X(CACHE_PROOF)     /* cache: code that was kept runs without a proof */ \
    X(CACHE_ENTRY)     /* cache: nobody looks whether what may be called has an entry */ \
    X(OTHER_STORE)     /* capi: what is another store's is taken as an import */ \
    X(ARGUMENT_COUNT)  /* capi: nobody counts a call's arguments */        \
    X(LEFT_OVER)       /* capi: a memory answers when its store is gone */ \
    X(STILL_HELD)      /* capi: a callback goes with its last reference, though an instance has it */ \
    X(RING_INDEX)      /* vring: the device may give back a buffer beyond the ring */ \
    X(RING_TWICE)      /* vring: the device may give back what it does not have */ \
    X(RING_LENGTH)     /* vring: the device may say that it wrote more than there is room */ \
    X(DATAGRAM_LENGTH) /* frames: a datagram may be longer than the reader's buffer */ \
    X(CHILD_KEPT)      /* frames: a connection that nobody accepted outlives its listener */ \
    X(IOVEC_COUNT)     /* calls: any number of iovecs is taken */          \
    X(PROTECT_HOLE)    /* calls: mprotect works where nothing is mapped */ \
    X(SEEK_BELOW)      /* calls: a position may be negative */             \
    X(WATCH_TWICE)     /* calls: epoll takes a descriptor again */         \
    X(OPTION_SIZE)     /* calls: an option may be longer than the caller's room */

enum fault {
    FAULT_NONE,
#define X(name) FAULT_##name,
    FAULTS(X)
#undef X
        FAULT_COUNT
};

extern int fault_knob; /* enum fault */
#ifdef WHELK_FAULTS
#define fault(name) (fault_knob == FAULT_##name)
#else
#define fault(name) false
#endif

#endif

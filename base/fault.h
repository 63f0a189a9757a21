/* fault.h: bugs that can be built in, to prove that the tests find them.
 * Builds without WHELK_FAULTS have none of them: fault() is constant false. */
#ifndef WHELK_BASE_FAULT_H
#define WHELK_BASE_FAULT_H

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
    X(PAD_RELOAD)      /* jit: a landing pad takes values for where they were at the call */ \
    X(PAD_SAVED)       /* jit: a function with pads saves only what it uses itself */ \
    X(PAD_SHARED)      /* jit: calls share a pad though a local changed in between */ \
    X(CATCH_ORDER)     /* rt: the outermost handler catches, not the nearest */ \
    X(BULK_BOUND)      /* rt: memory.copy checks one operand only */

enum fault {
    FAULT_NONE,
#define X(name) FAULT_##name,
    FAULTS(X)
#undef X
        FAULT_COUNT
};

#ifdef WHELK_FAULTS
extern int fault_knob; /* enum fault */
#define fault(name) (fault_knob == FAULT_##name)
#else
#define fault(name) false
#endif

#endif

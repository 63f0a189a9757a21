/* dispatch.c: from a number to the function that answers it.
 *
 * I1 a number without a function answers ENOSYS, and its name is logged once. */
#include "kern/log.h"
#include "sys/calls.h"
#include "sys/names.h"
#include "sys/program.h"

enum { CALL_MAX = 512 };

static const struct {
    i64 (*fn)(const struct call *c);
} table[CALL_MAX] = {
#define X(number, name) [number] = {call_##name},
    LINUX_CALLS(X)
#undef X
};

static const char *const names[CALL_MAX] = {
#define X(number, name) [number] = #name,
    LINUX_CALL_NAMES(X)
#undef X
};

const char *call_name(u64 number) {
    const char *name = number < CALL_MAX ? names[number] : NULL;
    return name ? name : "unknown";
}

static i64 missing(u64 number) {
    static u64 said[CALL_MAX / 64];
    u64 slot = number < CALL_MAX ? number : CALL_MAX - 1, bit = 1ull << slot % 64;
    if (!(said[slot / 64] & bit)) {
        said[slot / 64] |= bit;
        log_warn("program: system call %s (%llu) is not there: ENOSYS", call_name(number), (unsigned long long)number);
    }
    return -LINUX_ENOSYS;
}

struct call_watch call_watch;

static i64 make(u64 number, const struct call *c) {
    if (number >= CALL_MAX || !table[number].fn) return missing(number);
    return table[number].fn(c);
}

i64 program_syscall(struct trap_frame *frame) {
    u64 number = frame->rax;
    struct call c = {{frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9}, frame};
    i64 result;
    if (call_watch.enter && !call_watch.enter(number, c.a, task_current()->tid, &result)) return result;
    result = make(number, &c);
    if (call_watch.exit) call_watch.exit(number, c.a, task_current()->tid, &result);
    return result;
}

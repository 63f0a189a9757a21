/* host_syscall.c: what call.enter and call.exit may ask: whelk.syscall_*.
 *
 * H1-H3 of host.c hold here too; and
 * H4 the program's memory is read only where it is present: a page that would
 *    have to be fetched first might make the caller wait, and a hook may not. */
#include "base/mem.h"
#include "ext/internal.h"
#include "kern/program.h"

enum { READ_MAX = 4096, ARGUMENTS = 6 };

static u64 syscall_number(struct abi_ctx *c) {
    const struct hook_syscall *k = ext_of(c)->syscall;
    return k ? (u32)k->number : UINT32_MAX;
}
static u64 syscall_arg(struct abi_ctx *c, u32 i) {
    const struct hook_syscall *k = ext_of(c)->syscall;
    return k && i < ARGUMENTS ? k->args[i] : 0;
}
static u64 syscall_result(struct abi_ctx *c) {
    const struct hook_syscall *k = ext_of(c)->syscall;
    return k ? (u64)k->result : 0;
}

/* call.enter: of the call, should it not be made; call.exit: instead of its own. */
static u64 syscall_set_result(struct abi_ctx *c, u64 result) {
    struct hook_syscall *k = ext_of(c)->syscall;
    if (!k) return 0;
    k->result = (i64)result;
    k->decided = true;
    return 0;
}

/* Bytes of the program's memory; how many were there to be had, at most n. */
static u64 syscall_read(struct abi_ctx *c, u64 from, u32 to, u32 n) {
    n = MIN(n, (u32)READ_MAX);
    void *out = rt_mem(c, to, n);
    if (!out) return rt_raise(c, ABI_TRAP_MEMORY);
    return ext_of(c)->syscall && n ? user_peek(out, from, n) : 0;
}

static const struct {
    const char *name, *type;
    const void *fn;
} functions[] = {
    {"syscall_number", ":i", syscall_number},     {"syscall_arg", "i:I", syscall_arg},
    {"syscall_result", ":I", syscall_result},     {"syscall_set_result", "I:", syscall_set_result},
    {"syscall_read", "Iii:i", syscall_read},
};

enum err ext_define_syscall(struct rt_linker *l) {
    enum err e = ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(functions) && !e; i++)
        e = rt_define_func(l, "whelk", functions[i].name, functions[i].type, functions[i].fn);
    return e;
}

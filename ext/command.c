/* command.c: a WASI program as an extension: its _start is bound to ctl.call. One
 * call is one run: what the caller sends is standard input, standard output is
 * the answer, what it gives to proc_exit the call's status.
 *
 * I1 each run has an instance of its own: a program expects memory as it was built.
 * I2 it runs on the caller's thread, preemptible: it may use files.
 * I3 ext_ops is held throughout: nobody loads, unloads or calls meanwhile. */
#include "base/mem.h"
#include "ext/internal.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/thread.h"

struct ext_slot *ext_command_slot(struct ext *x, struct bytes export) {
    static const char hook[] = "ctl.call";
    bool plain = !export.n || (export.n == sizeof hook - 1 && !memcmp(export.p, hook, export.n));
    return plain && ext_is_command(x) ? &x->slots[0] : NULL;
}

/* The extension's name, then the words of the call. */
const char **ext_command_words(const struct ext *x, u32 *count) {
    u32 n = 1;
    for (size_t i = 0; i < x->words.n; i++) n += !x->words.p[i];
    const char **list = kmalloc(n * sizeof *list);
    if (!list) return NULL;
    list[0] = x->name;
    for (size_t i = 0, k = 1; k < n; k++) {
        list[k] = (const char *)x->words.p + i;
        i += strlen(list[k]) + 1;
    }
    *count = n;
    return list;
}

i64 ext_command_reply(void *self, const void *p, size_t n) {
    enum { LINUX_ENOSPC = 28 };
    struct hook_call *call = ((struct ext *)self)->call;
    size_t part = call ? MIN(n, call->output_cap - call->output_length) : 0;
    if (n && !part) return -LINUX_ENOSPC;
    memcpy(call->output + call->output_length, p, part);
    call->output_length += part;
    return (i64)part;
}

/* The last words on standard error may have no end. */
static void flush_line(struct ext *x) {
    if (x->line_length) ext_log_text(x, LOG_INFO, x->line, x->line_length);
    x->line_length = 0;
}

static enum abi_trap start(struct ext *x, struct ext_slot *s, struct hook_call *call) {
    union abi_value none[2] = {{.bits = {0, 0}}};
    x->call = call;
    if (x->wasi) wasi_set_record(x->wasi, call->input);
    enum abi_trap trap = ext_invoke(x, &s->handler, none);
    if (x->wasi) wasi_set_record(x->wasi, (struct bytes){NULL, 0});
    flush_line(x);
    call->program = true;
    bool ended = trap == ABI_TRAP_NONE || trap == ABI_TRAP_EXIT;
    call->status = trap == ABI_TRAP_EXIT && x->wasi ? (i32)wasi_exit_code(x->wasi) : 0;
    preempt_disable();
    s->slot.calls++;
    if (ended) s->slot.verdicts[WHELK_PASS]++;
    else s->slot.errors++;
    preempt_enable();
    return ended ? ABI_TRAP_NONE : trap;
}

enum err ext_command(struct ext *x, struct ext_slot *s, struct hook_call *call, struct ext_error *error) {
    struct ext_run run;
    if (x->quarantined) return ext_fail(error, ERR_TRAP, "extension %s: quarantined: %s", x->name, x->why);
    if (x->busy) return ext_fail(error, ERR_BUSY, "extension %s is busy", x->name);
    x->words = call->words;
    enum err e = ext_renew(x, error);
    x->words = (struct bytes){NULL, 0};
    if (e) return e;
    if (!ext_enter(x, &run, s->budget_ns)) return ext_fail(error, ERR_BUSY, "extension %s: nested too deep", x->name);
    enum abi_trap trap = start(x, s, call);
    if (trap) ext_trapped(x, trap, s->export); /* still busy: x cannot go */
    if (trap) e = ext_fail(error, ERR_TRAP, "extension %s: %s", x->name, x->why);
    ext_leave(&run);
    wait_wake_all(&ext_idle);
    return e;
}

/* ctl.call is fired by ext_call alone, which comes here through ext_command. */
i32 ext_command_fire(struct hook_slot *s, void *event) { return HOOK_ERROR; }

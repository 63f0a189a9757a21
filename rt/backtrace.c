/* backtrace.c: where compiled code was when it trapped.
 *
 * Frames are as large as the module's tables say. In the body of a function its
 * return address is at a known distance from rsp; on the way in and on the way
 * out the instructions around pc tell how much of the frame there is: the
 * compiler has one form of each (emit.c: put_prologue, put_leave).
 *
 * I1 runs in interrupts and signal handlers, at any pc of compiled code: reads
 *    nothing but code, tables and the store's own stack; allocates nothing.
 * I2 a wrong guess shows a wrong line, and does no harm.
 * I3 looking at an instruction reads at most 7 bytes, and glue or padding follows
 *    every function. */
#include "base/fmt.h"
#include "base/mem.h"
#include "rt/internal.h"

/* Moves of the stack pointer, as prologue and epilogue have them. */
enum { SUB_RSP = 0xec, ADD_RSP = 0xc4 };
static u32 adjust_at(const u8 *p, u8 which, u32 *by) {
    if (p[0] != 0x48 || p[2] != which) return 0;
    if (p[1] == 0x83) return *by = p[3], 4;
    if (p[1] == 0x81) return *by = rt_word_at(p + 3), 7;
    return 0;
}

/* How long is a push (0x50) or pop (0x58) of any register. */
static u32 stack_op_at(const u8 *p, u8 op) {
    if ((p[0] & 0xf8) == op) return 1;
    return p[0] == 0x41 && (p[1] & 0xf8) == op ? 2 : 0;
}

/* Bytes that are pushed between entry and pc; false: pc is behind the prologue. */
static bool on_way_in(const u8 *entry, const u8 *pc, u32 *depth) {
    const u8 *p = entry;
    for (*depth = 0; p < pc;) {
        u32 by = 8, n = stack_op_at(p, 0x50);
        if (!n) n = adjust_at(p, SUB_RSP, &by);
        if (!n && p[0] == 0x85 && p[1] == 0x04 && p[2] == 0x24) n = 3, by = 0; /* test [rsp], eax */
        if (!n) return false;
        *depth += by;
        p += n;
    }
    return true;
}

/* Bytes that are still to be popped before the return, or the tail call, at pc. */
static bool on_way_out(const u8 *pc, const u8 *end, u32 *depth) {
    const u8 *p = pc;
    for (*depth = 0; p < end;) {
        u32 by = 8, n = stack_op_at(p, 0x58);
        if (!n) n = adjust_at(p, ADD_RSP, &by);
        if (!n) return p[0] == 0xc3 || (p > pc && (p[0] == 0xe9 || p[0] == 0xff));
        *depth += by;
        p += n;
    }
    return false;
}

static u32 depth_at(const struct rt_module *m, const struct jit_func *f, u32 at) {
    const u8 *code = m->exec;
    u32 depth;
    if (on_way_in(code + f->entry, code + at, &depth) || on_way_out(code + at, code + f->end, &depth)) return depth;
    return f->frame;
}

static void note(struct rt_store *s, const struct rt_module *m, const struct jit_func *f, u32 at) {
    u32 func = m->info.imported_funcs + (u32)(f - m->code.funcs);
    s->places[s->frames_noted++] = (struct rt_place){m, func, at - f->entry};
}

/* From the return address at sp outwards. */
static void walk(struct rt_store *s, u64 sp) {
    u64 low = (u64)s->stack + RT_STACK_GUARD, high = s->abi.trap_sp;
    while (s->frames_noted < RT_PLACES && sp >= low && sp + 16 <= high) {
        u64 pc = *(const u64 *)sp;
        const struct rt_module *m = rt_code_find(s->engine, pc - 1);
        if (!m) return;
        u32 at = (u32)(pc - (u64)m->exec);
        const struct jit_func *f = rt_func_at(&m->code, at - 1);
        if (f) note(s, m, f, at - 1);
        if (!f && at != m->code.cross_return) return; /* the thunk */
        sp += f ? 8 + f->frame : 16;
    }
}

void rt_note_return(struct rt_store *s, u64 sp) {
    s->frames_noted = 0;
    walk(s, sp);
}

void rt_note_pc(struct rt_store *s, const struct rt_module *m, u64 pc, u64 sp) {
    u32 at = (u32)(pc - (u64)m->exec);
    const struct jit_func *f = rt_func_at(&m->code, at);
    s->frames_noted = 0;
    if (!f) return;
    note(s, m, f, at);
    walk(s, sp + depth_at(m, f, at));
}

/* A call has ended in a trap. One that nobody noted leaves nothing of an earlier one. */
void rt_show_frames(struct rt_store *s) {
    s->frame_count = s->frames_noted;
    s->frames_noted = 0;
}

u32 rt_backtrace(const struct rt_store *s, const struct rt_place **out) {
    *out = s->places;
    return s->frame_count;
}

static struct bytes export_name(const struct wasm_module *w, u32 func) {
    for (u32 k = 0; k < w->export_count; k++)
        if (w->exports[k].kind == WASM_KIND_FUNC && w->exports[k].index == func) return w->exports[k].name;
    return (struct bytes){NULL, 0};
}

struct bytes rt_func_name(const struct rt_module *m, u32 func) {
    struct bytes name = wasm_func_name(&m->info, func);
    return name.n ? name : export_name(&m->info, func);
}

size_t rt_code_text(struct rt_engine *e, u64 pc, char *out, size_t cap) {
    const struct rt_module *m = rt_code_find(e, pc);
    const struct jit_func *f = m ? rt_func_at(&m->code, (u32)(pc - (u64)m->exec)) : NULL;
    if (!m) return 0;
    if (!f) return fmt(out, cap, "glue of a module");
    const struct rt_place place = {m, m->info.imported_funcs + (u32)(f - m->code.funcs), (u32)(pc - (u64)m->exec) - f->entry};
    return rt_place_text(out, cap, &place);
}

static void each_of(const struct rt_module *m, void (*each)(void *self, u64 at, u32 bytes, const char *name), void *self) {
    char text[128], name[100];
    for (u32 k = 0; k < m->code.func_count; k++) {
        const struct jit_func *f = &m->code.funcs[k];
        u32 func = m->info.imported_funcs + k;
        struct bytes known = rt_func_name(m, func);
        if (known.n) fmt(text, sizeof text, "wasm:%s", rt_name_text(name, sizeof name, known));
        else fmt(text, sizeof text, "wasm:function %u", func);
        each(self, (u64)m->exec + f->entry, f->end - f->entry, text);
    }
}

void rt_each_code(struct rt_engine *e, void (*each)(void *self, u64 at, u32 bytes, const char *name), void *self) {
    rt_lock(e);
    for (u32 i = 0; e->map && i < e->map->count; i++)
        if (e->map->ranges[i].module) each_of(e->map->ranges[i].module, each, self);
    rt_unlock(e);
}

size_t rt_place_text(char *out, size_t cap, const struct rt_place *f) {
    char name[100];
    rt_name_text(name, sizeof name, rt_func_name(f->module, f->func));
    return fmt(out, cap, "%s%sfunction %u +0x%x", name, name[0] ? ": " : "", f->func, f->at);
}

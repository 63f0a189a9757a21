/* explain.c: a trap in words: why, as far as code and names tell, and where.
 *
 * The classic case is a C function that is called as what it is not. Through a
 * wrong prototype: wasm-ld puts "signature_mismatch:NAME" in between, which is
 * unreachable. Through a wrong pointer: call_indirect finds another type. The next:
 * a frame larger than the stack that the linker left in memory, 64 KiB. */
#include "base/fmt.h"
#include "base/mem.h"
#include "rt/internal.h"

static bool starts(struct bytes name, const char *prefix, struct bytes *rest) {
    size_t n = strlen(prefix);
    if (name.n < n || memcmp(name.p, prefix, n)) return false;
    *rest = (struct bytes){name.p + n, name.n - n};
    return true;
}

static const struct wasm_functype *type_of(const struct rt_module *m, u32 func) {
    return &m->info.types[m->info.funcs[func].type];
}

/* Of another function than `self` that is called so; NULL: none is. */
static const struct wasm_functype *type_by_name(const struct rt_module *m, struct bytes name, u32 self) {
    for (u32 k = 0; k < m->info.func_count; k++) {
        struct bytes other = k == self ? (struct bytes){NULL, 0} : rt_func_name(m, k);
        if (name.n && other.n == name.n && !memcmp(other.p, name.p, name.n)) return type_of(m, k);
    }
    return NULL;
}

enum { TYPE_TEXT = 120 };

static size_t prototype(char *out, size_t cap, const struct rt_place *p) {
    char name[80], called[TYPE_TEXT], is[TYPE_TEXT];
    struct bytes rest;
    if (starts(rt_func_name(p->module, p->func), "undefined_weak:", &rest))
        return fmt(out, cap, "%s is called, but was not there when the module was linked", rt_name_text(name, sizeof name, rest));
    if (!starts(rt_func_name(p->module, p->func), "signature_mismatch:", &rest)) return 0;
    const struct wasm_functype *real = type_by_name(p->module, rest, p->func);
    rt_type_text(called, sizeof called, type_of(p->module, p->func));
    if (!real) return fmt(out, cap, "%s is called as %s, which is not its type: a wrong prototype", rt_name_text(name, sizeof name, rest), called);
    rt_type_text(is, sizeof is, real);
    return fmt(out, cap, "%s is called as %s, but is %s: a wrong prototype", rt_name_text(name, sizeof name, rest), called, is);
}

/* ---- call_indirect ---- */

/* Of the conditional jump at p: where to; NULL: it is none. */
static const u8 *target(const u8 *p) {
    if (p[0] == 0x75) return p + 2 + (i8)p[1];
    return p[0] == 0x0f && p[1] == 0x85 ? p + 6 + (i32)rt_word_at(p + 2) : NULL;
}

/* The id of the type that was compared with, on the way to the trap at pc: cmp
 * dword [rax - 4], id; jne. The place it leads to tests for null and traps. 0: not found. */
static u32 wanted_id(const struct rt_module *m, const struct jit_func *f, const u8 *pc) {
    enum { LONGEST = 10 }; /* cmp dword [rax - 4], 0; je */
    const u8 *end = m->exec + f->end;
    for (const u8 *p = m->exec + f->entry; p + 9 <= end; p++) {
        const u8 *to = p[0] == 0x81 && p[1] == 0x78 && p[2] == 0xfc ? target(p + 7) : NULL;
        if (to && to <= pc && pc - to <= LONGEST) return rt_word_at(p + 3);
    }
    return 0;
}

static const struct wasm_functype *type_by_id(const struct rt_module *m, u32 id) {
    for (u32 k = 0; k < m->info.type_count; k++)
        if (m->type_ids[k] == id) return &m->info.types[k];
    return NULL;
}

/* "function 7 (cb)", or what else it is. */
static void callee_text(char *out, size_t cap, const struct rt_module *m, u64 code) {
    char name[80];
    const struct jit_func *f = rt_func_at(&m->code, (u32)(code - (u64)m->exec));
    u32 func = f ? m->info.imported_funcs + (u32)(f - m->code.funcs) : 0;
    if (!f) fmt(out, cap, "a host function");
    else fmt(out, cap, "function %u (%s)", func, rt_name_text(name, sizeof name, rt_func_name(m, func)));
}

static size_t pointer(char *out, size_t cap, const struct rt_store *s, const struct rt_place *p) {
    char name[120], want[TYPE_TEXT] = "?", is[TYPE_TEXT] = "another type";
    const struct rt_module *m = rt_code_find(s->engine, s->callee - 4);
    const struct jit_func *f = &p->module->code.funcs[p->func - p->module->info.imported_funcs];
    if (!m || rt_code_find(s->engine, s->callee) != m) return 0; /* rax may have been anything */
    const struct wasm_functype *wanted = type_by_id(p->module, wanted_id(p->module, f, p->module->exec + f->entry + p->at));
    const struct wasm_functype *found = type_by_id(m, rt_word_at((const u8 *)s->callee - 4));
    if (wanted) rt_type_text(want, sizeof want, wanted);
    if (found) rt_type_text(is, sizeof is, found);
    callee_text(name, sizeof name, m, s->callee);
    return fmt(out, cap, "%s is called through a pointer as %s, but is %s", name, want, is);
}

/* ---- a program's own stack ---- */

/* LLVM's pointer to it is global 0, and it grows down: below 0 there is none. */
static size_t stack(char *out, size_t cap, struct rt_instance *i) {
    const struct wasm_module *w = &i->module->info;
    if (!w->global_count || w->imported_globals || !w->memory_count) return 0;
    if (w->globals[0].type != WASM_I32 || !w->globals[0].mutable) return 0;
    i32 at = (i32)rt_global_at(i, 0)->i32;
    if (at >= 0 || i->memories[0]->pages > WASM_PAGE / 2) return 0;
    return fmt(out, cap, "the stack in the program's memory is %u bytes too small: link with -Wl,-z,stack-size=BYTES", -(u32)at);
}

static size_t memory(char *out, size_t cap, const struct rt_store *s, const struct rt_place *p) {
    size_t n = 0;
    LIST_EACH(it, &s->instances) {
        struct rt_instance *i = LIST_ENTRY(it, struct rt_instance, link);
        if (i->module == p->module && !n) n = stack(out, cap, i);
    }
    return n;
}

size_t rt_trap_why(const struct rt_store *s, enum abi_trap kind, char *out, size_t cap) {
    if (cap) out[0] = 0;
    if (!s->frame_count) return 0;
    if (kind == ABI_TRAP_UNREACHABLE) return prototype(out, cap, &s->places[0]);
    if (kind == ABI_TRAP_MEMORY) return memory(out, cap, s, &s->places[0]);
    return kind == ABI_TRAP_INDIRECT_TYPE ? pointer(out, cap, s, &s->places[0]) : 0;
}

void rt_explain(const struct rt_store *s, enum abi_trap kind, void (*line)(void *self, const char *text), void *self) {
    char text[500];
    if (rt_trap_why(s, kind, text, sizeof text)) line(self, text);
    for (u32 k = 0; k < s->frame_count; k++) {
        size_t n = fmt(text, sizeof text, "  at ");
        rt_place_text(text + n, sizeof text - n, &s->places[k]);
        line(self, text);
    }
    if (s->frame_count == RT_PLACES) line(self, "  at ... (only the innermost are kept)");
    if (!s->frame_count || !s->places[0].module->info.has_lines) return;
    const struct rt_host *h = &s->engine->host;
    fmt(text, sizeof text, "  source lines: whelk lines --cpu 0x%x%s FILE.wasm", h->cpu, h->checked_memory ? " --checked" : "");
    line(self, text);
}

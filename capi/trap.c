/* trap.c: traps and their frames.
 *
 * I1 frames are those of the call that ended in the trap first, as functions of modules:
 *    on the way through callbacks and outer calls they stay. */
#include <stdlib.h>

#include "base/assert.h"
#include "capi/internal.h"

wasm_trap_t *wasm_trap_new(wasm_store_t *s, const wasm_message_t *message) {
    struct wasm_ref_t *r = s ? capi_ref_new(s, REF_TRAP) : NULL;
    size_t n = message ? message->size : 0;
    bool ends = n && !message->data[n - 1];
    if (!r) return NULL;
    wasm_byte_vec_new_uninitialized(&r->message, n + !ends); /* of zeros: one is left behind a message that has none */
    if (r->message.size && n) memcpy(r->message.data, message->data, n);
    return (wasm_trap_t *)r;
}

wasm_trap_t *capi_trap_text(wasm_store_t *s, const char *text) {
    wasm_message_t m = {strlen(text) + 1, (char *)(uptr)text};
    wasm_trap_t *t = wasm_trap_new(s, &m);
    if (t && t->ref.message.size) return t;
    wasm_trap_delete(t);
    return wasm_trap_copy(s->spare);
}

/* What a call ends with where there is no memory for a trap: NULL would be success. */
wasm_trap_t *capi_spare_trap(void) {
    static const char text[] = "out of memory";
    struct wasm_ref_t *r = capi_ref_new(NULL, REF_TRAP);
    if (!r) return NULL;
    wasm_byte_vec_new(&r->message, sizeof text, text);
    if (r->message.size) return (wasm_trap_t *)r;
    capi_ref_drop(r);
    return NULL;
}

/* None where there is no memory for them, or nobody can tell. */
static void note_frames(wasm_store_t *s, struct wasm_ref_t *t) {
    const struct rt_place *places;
    u32 n = rt_backtrace(s->rt, &places);
    if (t == &s->spare->ref || t->frames || !n) return;
    t->frames = calloc(n, sizeof *t->frames);
    t->frame_count = t->frames ? n : 0;
    for (u32 k = 0; k < t->frame_count; k++)
        t->frames[k] = (struct wasm_frame_t){places[k].func, rt_module_info(places[k].module)->funcs[places[k].func].code_offset};
}

wasm_trap_t *capi_trap_of(wasm_store_t *s, enum abi_trap t) {
    wasm_trap_t *trap = s->raised;
    s->raised = NULL;
    if (t != ABI_TRAP_HOST || !trap) {
        wasm_trap_delete(trap);
        trap = t == ABI_TRAP_NONE ? NULL : capi_trap_text(s, rt_trap_text(t));
    }
    if (trap) note_frames(s, &trap->ref);
    return trap;
}

void wasm_trap_message(const wasm_trap_t *t, wasm_message_t *out) { wasm_byte_vec_copy(out, &t->ref.message); }

/* Frames. */

wasm_frame_t *wasm_frame_copy(const wasm_frame_t *f) {
    wasm_frame_t *copy = f ? malloc(sizeof *copy) : NULL;
    if (copy) *copy = *f;
    return copy;
}
void wasm_frame_delete(wasm_frame_t *f) { free(f); }

wasm_frame_t *wasm_trap_origin(const wasm_trap_t *t) { return t->ref.frame_count ? wasm_frame_copy(t->ref.frames) : NULL; }
void wasm_trap_trace(const wasm_trap_t *t, wasm_frame_vec_t *out) {
    wasm_frame_vec_new_uninitialized(out, t->ref.frame_count);
    bool whole = true;
    for (size_t k = 0; k < out->size; k++) whole &= (out->data[k] = wasm_frame_copy(&t->ref.frames[k])) != NULL;
    if (!whole) wasm_frame_vec_delete(out);
}

wasm_instance_t *wasm_frame_instance(const wasm_frame_t *f) { return NULL; }
uint32_t wasm_frame_func_index(const wasm_frame_t *f) { return f->func; }
size_t wasm_frame_func_offset(const wasm_frame_t *f) { return 0; }
size_t wasm_frame_module_offset(const wasm_frame_t *f) { return f->at; }

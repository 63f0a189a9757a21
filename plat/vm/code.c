/* code.c: pages for compiled code.
 *
 * I1 code is written through a mapping that cannot run; once it can run, no
 *    mapping can write it, the direct map included (kern/vm.c counts). */
#include "base/assert.h"
#include "kern/machine.h"
#include "kern/vm.h"

/* Maps the pages of write at exec too, to be read only for now: sealing then
 * changes entries that are there, and cannot run out of memory. */
static enum err show_at(u8 *write, u8 *exec, size_t n) {
    for (size_t i = 0; i < n; i += PAGE_SIZE) {
        phys p;
        bool there = vm_lookup((uptr)write + i, &p, NULL);
        assert(there);
        enum err e = vm_map((uptr)exec + i, p, VM_READ);
        if (e) return e;
    }
    return ERR_OK;
}

/* Takes the mapping away and leaves the pages alone. */
static void hide(u8 *at, size_t n) {
    for (size_t i = 0; i < n; i += PAGE_SIZE) vm_unmap((uptr)at + i);
    vm_release(at, n);
}

enum err machine_code_alloc(size_t n, void **write, void **exec) {
    u8 *w = vm_reserve(n), *x = vm_reserve(n);
    enum err e = w && x ? vm_commit(w, n, VM_READ | VM_WRITE) : ERR_NOMEM;
    if (!e && (e = show_at(w, x, n))) {
        hide(x, n);
        x = NULL;
    }
    if (e) {
        vm_release(w, n);
        vm_release(x, n);
        return e;
    }
    *write = w;
    *exec = x;
    return ERR_OK;
}

enum err machine_code_seal(void *write, void *exec, size_t n) {
    hide(write, n);
    for (size_t i = 0; i < n; i += PAGE_SIZE) {
        enum err e = vm_protect((uptr)exec + i, VM_READ | VM_EXEC);
        if (e) return e;
    }
    return ERR_OK;
}

void machine_code_free(void *exec, size_t n) { vm_release(exec, n); }

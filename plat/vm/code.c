/* code.c: pages for compiled code.
 *
 * I1 code is written by the direct map into pages that no other mapping shows; once it
 *    can run, no mapping can write it, the direct map included (kern/vm.c counts). */
#include "base/mem.h"
#include "kern/machine.h"
#include "kern/vm.h"

enum { INT3 = 0xcc };

/* A new page at `at` with n bytes of code. */
static enum err place_page(uptr at, const u8 *code, size_t n) {
    phys p = page_alloc(0);
    if (!p.v) return ERR_NOMEM;
    u8 *to = phys_to_virt(p);
    memcpy(to, code, n);
    memset(to + n, INT3, PAGE_SIZE - n);
    enum err e = vm_map(at, p, VM_READ | VM_EXEC);
    if (e) page_free(p, 0);
    return e;
}

enum err machine_code_place(const void *code, size_t n, void **exec) {
    u8 *x = vm_reserve(n);
    enum err e = x ? ERR_OK : ERR_NOMEM;
    for (size_t at = 0; !e && at < n; at += PAGE_SIZE)
        e = place_page((uptr)x + at, (const u8 *)code + at, MIN(n - at, (size_t)PAGE_SIZE));
    if (e) vm_release(x, n);
    else *exec = x;
    return e;
}

void machine_code_free(void *exec, size_t n) { vm_release(exec, n); }

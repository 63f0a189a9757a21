/* paging.c: the host's mappings follow the page tables (arch/process/layout.h).
 *
 * I1 a run gathers changes of one kind to neighbouring pages; it goes to the host
 *    when the next change does not fit, or at paging_flush.
 * I2 interrupts are off from the first change to the flush (kern/vm.c's lock).
 * I3 the host takes only so many mappings, and even to take a page out of the
 *    middle of one makes a further one. So some are kept that mean nothing: they
 *    are given up when the host refuses, and taken again when it does no more. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "base/assert.h"
#include "kern/machine.h"
#include "kern/memory.h"
#include "kern/vm.h"
#include "plat/process/process.h"

enum kind { NOTHING, MAP, PROTECT, UNMAP };

static struct {
    enum kind kind;
    uptr start, end;
    u64 from; /* MAP: offset in RAM */
    u32 prot;
} run;
static bool refused; /* since the last flush */

static u32 prot_of(u64 entry) {
    return HOST_PROT_READ | (entry & PTE_WRITE ? HOST_PROT_WRITE : 0) | (entry & PTE_NX ? 0 : HOST_PROT_EXEC);
}

/* I3: the first page of RAM once more, with a hole on either side. */
enum { SPARES = 32 };
#define SPARE_AT(i) (DIRECT_MAP_END - ((u64)(i) + 1) * 2 * PAGE_SIZE)
static const u32 map_flags = HOST_MAP_SHARED | HOST_MAP_FIXED | HOST_MAP_POPULATE;
static u32 spares; /* at SPARE_AT(0) and on */

static bool give_spare(void) {
    if (!spares) return false;
    spares--;
    host(HOST_MUNMAP, SPARE_AT(spares), PAGE_SIZE);
    return true;
}

u32 paging_spares(void) {
    while (spares < SPARES && host(HOST_MMAP, SPARE_AT(spares), PAGE_SIZE, HOST_PROT_READ, map_flags, process_memory.fd, 0) >= 0) spares++;
    return spares;
}

static i64 apply(void) {
    u64 bytes = run.end - run.start;
    bool may = !process_sealed || !(run.prot & HOST_PROT_EXEC); /* else the filter would end us */
    switch (run.kind) {
    case MAP: return !may ? -1 : host(HOST_MMAP, run.start, bytes, run.prot, map_flags, process_memory.fd, run.from);
    case PROTECT: return !may ? -1 : host(HOST_MPROTECT, run.start, bytes, run.prot);
    case UNMAP: return host(HOST_MUNMAP, run.start, bytes);
    case NOTHING: break;
    }
    return 0;
}

static void end_run(void) {
    i64 r = apply();
    while (r == -HOST_ENOMEM && run.kind != MAP && give_spare()) r = apply();
    if (r < 0) refused = true;
    run.kind = NOTHING;
}

static bool fits(enum kind kind, uptr va, u64 from, u32 prot) {
    if (run.kind != kind || run.end != va) return false;
    if (kind == MAP && run.from + (run.end - run.start) != from) return false;
    return kind == UNMAP || run.prot == prot;
}

void paging_changed(uptr va, u64 before, u64 now) {
    bool was = before & PTE_PRESENT, is = now & PTE_PRESENT;
    if (!was && !is) return;
    enum kind kind = !is ? UNMAP : was && !((before ^ now) & PTE_ADDRESS) ? PROTECT : MAP;
    u64 from = now & PTE_ADDRESS;
    u32 prot = prot_of(now);
    assert(!irq_enabled());
    if (!fits(kind, va, from, prot)) {
        end_run();
        run.kind = kind;
        run.start = va;
        run.from = from;
        run.prot = prot;
    }
    run.end = va + PAGE_SIZE;
}

bool paging_flush(void) {
    end_run();
    bool ok = !refused;
    refused = false;
    return ok;
}

/* RAM is mapped already (start.c); the tables say so too. */
void machine_paging(phys root) {
    for (u64 at = 0; at < process_memory.bytes; at += PAGE_SIZE)
        vm_boot_map(DIRECT_MAP + at, (phys){at}, VM_READ | VM_WRITE);
}

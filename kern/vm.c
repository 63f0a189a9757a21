/* vm.c: page tables.
 *
 * I1 no page is mapped writable and executable, in one mapping or in two: a
 *    page counts its writable and executable mappings, and loses the write
 *    permission of its direct mapping while it is executable.
 * I2 page 0 is never mapped.
 * I3 a table of the lower half or of the windows is freed with its last entry. */
#include "kern/vm.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "base/assert.h"
#include "base/mem.h"
#include "kern/lock.h"
#include "kern/machine.h"
#include "kern/memory.h"
#include "kern/panic.h"
#include "kern/vm_walk.h"

#define CLEAR_PART ((size_t)8 << 20)

static struct spin lock;
static u64 *root; /* under lock, as all tables are */

static u64 pte_of(phys p, u32 prot) {
    u64 e = p.v | PTE_PRESENT;
    if (prot & VM_WRITE) e |= PTE_WRITE;
    if (!(prot & VM_EXEC)) e |= PTE_NX;
    if (prot & VM_UNCACHED) e |= PTE_UNCACHED;
    return e;
}

static u32 prot_of(u64 e) {
    return VM_READ | (e & PTE_WRITE ? VM_WRITE : 0) | (e & PTE_NX ? 0 : VM_EXEC) |
           (e & PTE_UNCACHED ? VM_UNCACHED : 0);
}

/* The entry of va, or NULL; makes the tables on the way if asked to. */
static u64 *entry_of(uptr va, bool make) {
    u64 *table = root;
    for (unsigned level = 3; level; level--) {
        u64 *e = &table[table_index(va, level)];
        if (!(*e & PTE_PRESENT)) {
            phys p = make ? page_alloc_zeroed() : (phys){0};
            if (!p.v) return NULL;
            *e = p.v | PTE_PRESENT | PTE_WRITE;
        }
        table = table_at(*e);
    }
    return &table[table_index(va, 0)];
}

static void set_entry(uptr va, u64 *e, u64 now) {
    u64 before = *e;
    *e = now;
    paging_changed(va, before, now);
}

/* What takes a mapping away cannot fail, or a page would be reached by two: who
 * lets a program do so asks vm_may_cut first. */
static void must_flush(void) {
    if (!paging_flush()) panic("the host refuses to unmap: raise vm.max_map_count there");
}

bool vm_may_cut(u32 times) {
    u64 flags = spin_lock(&lock);
    bool yes = paging_spares() >= times;
    spin_unlock(&lock, flags);
    return yes;
}

static bool is_empty(const u64 *table) {
    for (unsigned i = 0; i < 512; i++)
        if (table[i]) return false;
    return true;
}

/* Frees the tables of va that became empty, from the leaf up. */
static void prune(uptr va) {
    for (unsigned stop = 1; stop <= 3; stop++) {
        u64 *table = root;
        for (unsigned level = 3; level > stop; level--) {
            u64 e = table[table_index(va, level)];
            if (!(e & PTE_PRESENT)) return;
            table = table_at(e);
        }
        u64 *e = &table[table_index(va, stop)];
        if (!(*e & PTE_PRESENT)) return;
        if (!is_empty(table_at(*e))) return;
        phys p = {*e & PTE_ADDRESS};
        *e = 0;
        paging_table_gone(va);
        page_free(p, 0);
    }
}

/* The direct mapping of an executable page is read-only. */
static void direct_writable(phys p, bool yes) {
    uptr va = (uptr)phys_to_virt(p);
    u64 *e = entry_of(va, false);
    assert(e && *e & PTE_PRESENT);
    set_entry(va, e, yes ? *e | PTE_WRITE : *e & ~(u64)PTE_WRITE);
}

static bool may_count(const struct page *g, u32 prot) {
    if ((prot & VM_WRITE) && (prot & VM_EXEC)) return false;
    if (!g) return !(prot & VM_EXEC); /* what the allocator does not own never runs */
    if (prot & VM_WRITE) return !g->execs && g->writers < UINT16_MAX;
    return !(prot & VM_EXEC) || (!g->writers && g->execs < UINT16_MAX);
}

static void count(struct page *g, phys p, u32 prot) {
    if (!g) return;
    if (prot & VM_WRITE) g->writers++;
    if ((prot & VM_EXEC) && g->execs++ == 0) direct_writable(p, false);
}

static void uncount(struct page *g, phys p, u32 prot) {
    if (!g) return;
    if (prot & VM_WRITE) assert(g->writers), g->writers--;
    if (!(prot & VM_EXEC)) return;
    assert(g->execs);
    if (--g->execs == 0) direct_writable(p, true);
}

static bool mappable(uptr va) {
    if (va % PAGE_SIZE) return false;
    return (va >= VM_USER_START && va < VM_USER_END) || (va >= WINDOWS && va < WINDOWS_END);
}

static enum err map_locked(uptr va, phys p, u32 prot) {
    struct page *g = page_info(p);
    if (!mappable(va) || p.v % PAGE_SIZE) return ERR_INVALID;
    u64 *e = entry_of(va, true);
    enum err result = ERR_OK;
    if (!e) result = ERR_NOMEM;
    else if (*e & PTE_PRESENT) result = ERR_EXISTS;
    else if (!may_count(g, prot)) result = ERR_INVALID;
    if (result) {
        prune(va);
        return result;
    }
    count(g, p, prot);
    set_entry(va, e, pte_of(p, prot));
    return ERR_OK;
}

static phys unmap_locked(uptr va) {
    u64 *e = entry_of(va, false);
    if (!e || !(*e & PTE_PRESENT)) return (phys){0};
    phys p = {*e & PTE_ADDRESS};
    u32 prot = prot_of(*e);
    set_entry(va, e, 0);
    uncount(page_info(p), p, prot);
    return p;
}

enum err vm_map_all(uptr va, const phys *p, u32 n, u32 prot) {
    enum err result = ERR_OK;
    u32 done = 0;
    u64 flags = spin_lock(&lock);
    while (done < n && !(result = map_locked(va + done * PAGE_SIZE, p[done], prot))) done++;
    if (!paging_flush() && !result) result = ERR_NOMEM; /* the host maps no more */
    for (; result && done; prune(va + done * PAGE_SIZE)) unmap_locked(va + --done * PAGE_SIZE);
    if (result) must_flush();
    spin_unlock(&lock, flags);
    return result;
}

enum err vm_map(uptr va, phys p, u32 prot) { return vm_map_all(va, &p, 1, prot); }

phys vm_unmap(uptr va) {
    assert(mappable(va));
    u64 flags = spin_lock(&lock);
    phys p = unmap_locked(va);
    if (p.v) prune(va);
    must_flush();
    spin_unlock(&lock, flags);
    return p;
}

enum err vm_protect(uptr va, u32 prot) {
    if (!mappable(va)) return ERR_INVALID;
    enum err result = ERR_OK;
    u64 flags = spin_lock(&lock);
    u64 *e = entry_of(va, false);
    if (!e || !(*e & PTE_PRESENT)) result = ERR_NOT_FOUND;
    else {
        phys p = {*e & PTE_ADDRESS};
        struct page *g = page_info(p);
        u32 old = prot_of(*e);
        uncount(g, p, old);
        bool ok = may_count(g, prot);
        count(g, p, ok ? prot : old);
        if (ok) set_entry(va, e, pte_of(p, prot));
        else result = ERR_INVALID;
        if (!paging_flush()) { /* the host refuses: as it was */
            uncount(g, p, prot);
            count(g, p, old);
            *e = pte_of(p, old);
            result = ERR_NOMEM;
        }
    }
    spin_unlock(&lock, flags);
    return result;
}

/* Interrupts off are enough on one CPU, and a panic may hold the lock. */
bool vm_lookup(uptr va, phys *p, u32 *prot) {
    u64 flags = irq_save();
    u64 *e = entry_of(va, false);
    bool found = e && *e & PTE_PRESENT;
    if (found && p) p->v = *e & PTE_ADDRESS;
    if (found && prot) *prot = prot_of(*e);
    irq_restore(flags);
    return found;
}

/* Unmaps [at, end) under one table, freeing RAM pages, and the tables below
 * that become empty. Entries that are not present skip all that they cover. */
static void clear_range(u64 *table, unsigned level, uptr at, uptr end) {
    for (uptr next; at < end; at = next) {
        next = MIN(ALIGN_DOWN(at, entry_bytes(level)) + entry_bytes(level), end);
        u64 *e = &table[table_index(at, level)];
        phys p = {*e & PTE_ADDRESS};
        if (!(*e & PTE_PRESENT)) continue;
        if (!level) {
            unmap_locked(at);
            if (page_info(p)) page_free(p, 0);
            continue;
        }
        clear_range(table_at(*e), level - 1, at, next);
        if (!is_empty(table_at(*e))) continue;
        *e = 0;
        paging_table_gone(at);
        page_free(p, 0);
    }
}

void vm_clear(uptr at, size_t bytes) {
    assert(at % PAGE_SIZE == 0 && bytes % PAGE_SIZE == 0);
    assert(at >= WINDOWS && at + bytes <= WINDOWS_END);
    for (size_t done = 0, part; done < bytes; done += part) {
        part = MIN(bytes - done, CLEAR_PART);
        u64 flags = spin_lock(&lock); /* interrupts get in between the parts */
        clear_range(root, 3, at + done, at + done + part);
        must_flush();
        spin_unlock(&lock, flags);
    }
}

/* --- walking: recounts and tests --- */

static size_t walk(const u64 *table, unsigned level, uptr base, vm_visit *visit, void *arg) {
    size_t tables = 1;
    for (unsigned i = 0; i < 512; i++) {
        if (!(table[i] & PTE_PRESENT)) continue;
        uptr va = base | (uptr)i << (12 + 9 * level);
        if (level == 3 && i >= 256) va |= 0xffff000000000000ull;
        if (level) tables += walk(table_at(table[i]), level - 1, va, visit, arg);
        else if (visit) visit(arg, va, (phys){table[i] & PTE_ADDRESS}, prot_of(table[i]));
    }
    return tables;
}

size_t vm_walk(vm_visit *visit, void *arg) {
    u64 flags = spin_lock(&lock);
    size_t n = walk(root, 3, 0, visit, arg);
    spin_unlock(&lock, flags);
    return n;
}

size_t vm_recount_tables(void) { return vm_walk(NULL, NULL); }

/* --- boot --- */

void vm_boot_map(uptr va, phys p, u32 prot) {
    u64 *e = entry_of(va, true);
    if (!e) panic("no memory for page tables");
    *e = pte_of(p, prot) | PTE_GLOBAL;
}

void vm_init(void) {
    phys p = page_alloc_zeroed();
    if (!p.v) panic("no memory for page tables");
    root = phys_to_virt(p);
    machine_paging(p);
    page_init_high();
}

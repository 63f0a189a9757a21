/* vm.h: the one address space. Page tables, and regions of the kernel's half;
 * the program's half is managed by sys/ on top of vm_map and vm_fault_handler.
 *
 * I1 no mapping is ever writable and executable.
 * I2 page 0 is never mapped. */
#ifndef WHELK_KERN_VM_H
#define WHELK_KERN_VM_H

#include "arch/x86_64/paging.h"
#include "base/err.h"
#include "base/types.h"
#include "kern/page.h"

enum { VM_READ = 1, VM_WRITE = 2, VM_EXEC = 4, VM_UNCACHED = 8 };

/* One page at va -> p. ERR_NOMEM when no page table can be had; ERR_INVALID for WRITE|EXEC. */
enum err vm_map(uptr va, phys p, u32 prot);
/* Removes the mapping; returns the page that was there (v == 0: none). Flushes the TLB. */
phys vm_unmap(uptr va);
/* Changes a present mapping. */
enum err vm_protect(uptr va, u32 prot);
/* What is mapped at va: false if nothing. */
bool vm_lookup(uptr va, phys *p, u32 *prot);

/* Can pages go from the middle of others, or change, so many times, whatever the
 * host says? Only a process's host has a limit (vm.max_map_count). Asked by sys/
 * before it does as the program asks. */
bool vm_may_cut(u32 times);

/* Kernel-half address space without memory behind it: page-aligned; guards are the caller's. */
void *vm_reserve(size_t bytes);
void vm_release(void *p, size_t bytes);    /* unmaps and frees the pages that are left, tables too */
/* Fresh zeroed pages for [p, p+bytes) of a reservation. All or nothing. */
enum err vm_commit(void *p, size_t bytes, u32 prot);
/* But once *stop is not 0 (NULL: never) it ends with what there is: *bytes, in parts of 128 KiB. */
enum err vm_commit_until(void *p, size_t *bytes, u32 prot, const u32 *stop);
void vm_decommit(void *p, size_t bytes);
/* Device registers. */
void *vm_map_device(phys p, size_t bytes);

/* The program's half: [VM_USER_START, VM_USER_END). A fault there is first
 * offered to this handler (set by sys/): true means handled, retry. write and
 * exec say what was tried. Runs in the faulting thread, interrupts on. */
#define VM_USER_START 0x10000ull
#define VM_USER_END PROGRAM_END
typedef bool vm_fault_handler(uptr address, bool write, bool exec, bool present);
void vm_set_fault_handler(vm_fault_handler *h);

/* Pages in use by page tables, counted by walking them. */
size_t vm_recount_tables(void);

#endif

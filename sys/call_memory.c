/* call_memory.c: mappings.
 *
 * Policy: memory is never writable and executable. A program that asks for both
 * gets EACCES, as on a Linux whose security policy forbids it; said once. */
#include "kern/page.h"
#include "kern/vm.h"
#include "sys/calls.h"
#include "sys/mm.h"

enum { PROT_ALL = 7, PROT_GROWSDOWN = 0x1000000 };

static bool both(u64 prot) {
    bool yes = (prot & MM_WRITE) && (prot & MM_EXEC);
    if (yes) refuse_once("memory that is writable and executable", prot);
    return yes;
}

static i64 check_mmap(u64 prot, u64 flags) {
    const u64 known = MM_SHARED | MM_PRIVATE | MM_FIXED | MM_ANONYMOUS | MM_DENYWRITE | MM_EXECUTABLE | MM_NORESERVE |
                      MM_STACK | MM_FIXED_NOREPLACE | MM_POPULATE | MM_NONBLOCK;
    if (prot & ~(u64)PROT_ALL) return -LINUX_EINVAL;
    if (both(prot)) return -LINUX_EACCES;
    u64 sharing = flags & 3;
    if (sharing != MM_SHARED && sharing != MM_PRIVATE) return -LINUX_EINVAL;
    if (!(flags & ~known)) return 0;
    refuse_once("mmap with flags", flags & ~known);
    return -LINUX_EOPNOTSUPP;
}

/* Without fork, shared anonymous memory and private memory are the same. A shared
 * view of a file would have to be written back: not there yet. */
static i64 map_file(const struct call *c) {
    u64 prot = c->a[2], flags = c->a[3];
    if (c->a[5] > INT64_MAX) return -LINUX_EINVAL;
    struct file *f = fd_file((u32)c->a[4]);
    if (!f) return -LINUX_EBADF;
    i64 r = 0;
    if (!file_readable(f)) r = -LINUX_EACCES;
    else if (!f->inode || (inode_mode(f->inode) & LINUX_S_IFMT) != LINUX_S_IFREG || !f->ops->truncate) r = -LINUX_ENODEV;
    else if ((flags & 3) == MM_SHARED) refuse_once("mmap of a file with MAP_SHARED", prot), r = -LINUX_ENODEV;
    struct mm_source source = {f->inode, c->a[5], INT64_MAX};
    if (r >= 0) r = mm_map(c->a[0], c->a[1], (u32)prot, (u32)flags, source, "file");
    file_put(f);
    return r;
}

/* MAP_POPULATE is a hint about time only: pages come when touched. */
i64 call_mmap(const struct call *c) {
    if (c->a[5] % PAGE_SIZE) return -LINUX_EINVAL;
    if (c->a[1] > UINT64_MAX - PAGE_SIZE) return -LINUX_ENOMEM;
    i64 r = check_mmap(c->a[2], c->a[3]);
    if (r < 0) return r;
    if (!(c->a[3] & MM_ANONYMOUS)) return map_file(c);
    struct mm_source zeros = {0};
    return mm_map(c->a[0], c->a[1], (u32)c->a[2], (u32)c->a[3], zeros, NULL);
}

i64 call_mprotect(const struct call *c) {
    enum { PROT_SEM = 8 };
    if (c->a[0] % PAGE_SIZE) return -LINUX_EINVAL;
    if (!c->a[1]) return 0;
    if (c->a[2] & ~(u64)(PROT_ALL | PROT_SEM)) return -LINUX_EINVAL;
    return both(c->a[2]) ? -LINUX_EACCES : mm_protect(c->a[0], c->a[1], (u32)c->a[2] & PROT_ALL);
}

i64 call_munmap(const struct call *c) { return mm_unmap(c->a[0], c->a[1]); }
i64 call_brk(const struct call *c) { return (i64)mm_break(c->a[0]); }

i64 call_mremap(const struct call *c) {
    enum { MAYMOVE = 1 };
    if (c->a[3] & ~(u64)MAYMOVE) {
        refuse_once("mremap with flags", c->a[3]);
        return -LINUX_EINVAL;
    }
    return mm_remap(c->a[0], c->a[1], c->a[2], c->a[3] & MAYMOVE);
}

/* Advice that may be ignored is; advice with a promised effect has it. */
i64 call_madvise(const struct call *c) {
    enum { NORMAL = 0, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED, FREE = 8, HUGEPAGE = 14, NOHUGEPAGE, DONTDUMP, DODUMP, COLD = 20, PAGEOUT };
    if (c->a[1] > UINT64_MAX - PAGE_SIZE) return -LINUX_EINVAL; /* rounded up it would be 0 */
    switch (c->a[2]) {
    case DONTNEED:
    case FREE: return mm_discard(c->a[0], c->a[1]);
    case NORMAL: case RANDOM: case SEQUENTIAL: case WILLNEED:
    case HUGEPAGE: case NOHUGEPAGE: case DONTDUMP: case DODUMP: case COLD: case PAGEOUT:
        if (c->a[0] % PAGE_SIZE) return -LINUX_EINVAL;
        return !c->a[1] || mm_covers(c->a[0], c->a[1]) ? 0 : -LINUX_ENOMEM;
    default:
        refuse_once("madvise", c->a[2]);
        return -LINUX_EINVAL;
    }
}

/* There are no shared file mappings, so there is nothing to write back. */
i64 call_msync(const struct call *c) {
    enum { ASYNC = 1, SYNC = 4 };
    if (c->a[0] % PAGE_SIZE || c->a[2] & ~7ull || (c->a[2] & (ASYNC | SYNC)) == (ASYNC | SYNC)) return -LINUX_EINVAL;
    if (c->a[1] > UINT64_MAX - PAGE_SIZE + 1) return 0; /* rounded up it is 0, as on Linux */
    return !c->a[1] || mm_covers(c->a[0], c->a[1]) ? 0 : -LINUX_ENOMEM;
}

i64 call_mincore(const struct call *c) {
    u64 pages = ALIGN_UP(c->a[1], PAGE_SIZE) / PAGE_SIZE;
    if (c->a[0] % PAGE_SIZE) return -LINUX_EINVAL;
    if (c->a[1] > VM_USER_END || !mm_covers(c->a[0], c->a[1])) return -LINUX_ENOMEM;
    for (u64 i = 0; i < pages; i++) {
        phys p;
        u8 in = vm_lookup(c->a[0] + i * PAGE_SIZE, &p, NULL);
        if (!user_write(c->a[2] + i, &in, 1)) return -LINUX_EFAULT;
    }
    return 0;
}

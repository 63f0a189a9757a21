/* mm.c: the list of ranges, and the faults that fill them.
 *
 * I1 ranges are sorted, page-aligned, inside [VM_USER_START, VM_USER_END), and
 *    do not overlap.
 * I2 a page is present only inside a range, with exactly the range's rights.
 * I3 no range is writable and executable.
 * I4 the lock is never held while a file's page is read into a present page:
 *    the page is filled before it is mapped. */
#include "sys/mm.h"

#include "base/assert.h"
#include "base/fault.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "fs/tmpfs.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/vm.h"
#include "sys/range.h"

struct mm mm = {.lock = MUTEX_INIT(mm.lock), .break_lock = MUTEX_INIT(mm.break_lock), .ranges = LIST_INIT(mm.ranges)};

/* The top of where mappings go on their own; programs and stacks stay apart. */
#define MAP_TOP (VM_USER_END - 0x1ffff000ull)
enum { PAGES_KEPT = 64 }; /* of physical memory, for the kernel to end in order */
enum { CUTS = 4 };        /* a range's two ends, twice as many to be sure */

static enum err fill_page(const struct range *r, uptr va, phys p) {
    u64 into = va - r->start, left = into < r->source.bytes ? r->source.bytes - into : 0;
    if (!r->source.inode || !left) return ERR_OK;
    i64 n = tmpfs_read(r->source.inode, phys_to_virt(p), (size_t)MIN(left, (u64)PAGE_SIZE), r->source.offset + into);
    return n > 0 ? ERR_OK : ERR_IO; /* nothing: a page behind the file's end */
}

static bool make_present(const struct range *r, uptr va) {
    u64 at;
    phys p = range_unpark(va, va + PAGE_SIZE, &at);
    if (p.v) { /* it counted as present all the time */
        if (!vm_map(va, p, r->prot)) return true;
        page_free(p, 0); /* no table can be had: the program ends by this fault */
        mm.present--;
        return false;
    }
    p = pages_free() > PAGES_KEPT ? page_alloc_zeroed() : (phys){0};
    if (!p.v) {
        log_error("program: out of memory at 0x%llx; give the VM more (-m)", (unsigned long long)va);
        return false;
    }
    if (fill_page(r, va, p) || vm_map(va, p, r->prot)) {
        page_free(p, 0);
        return false;
    }
    mm.present++;
    return true;
}

static bool fault_locked(uptr va, bool write, bool exec) {
    struct range *r = range_at(va);
    u32 had;
    phys p;
    if (!r || !(r->prot & (write ? MM_WRITE : exec ? MM_EXEC : MM_READ | MM_WRITE | MM_EXEC))) return false;
    if (vm_lookup(va, &p, &had)) return true; /* another thread was faster */
    return make_present(r, va);
}

static bool on_fault(uptr address, bool write, bool exec, bool present) {
    mutex_lock(&mm.lock);
    bool ok = fault_locked(ALIGN_DOWN(address, PAGE_SIZE), write, exec);
    mutex_unlock(&mm.lock);
    return ok;
}

static bool fix_range(const struct range *r) {
    for (u64 va = r->start; (r->prot & MM_EXEC) && va < r->end; va += PAGE_SIZE)
        if (!vm_lookup(va, NULL, NULL) && !make_present(r, va)) return false;
    return true;
}

bool mm_fix_code(void) {
    bool ok = true;
    mutex_lock(&mm.lock);
    LIST_EACH(it, &mm.ranges) ok = ok && fix_range(LIST_ENTRY(it, struct range, node));
    mm.code_fixed = true;
    mutex_unlock(&mm.lock);
    return ok;
}

void mm_init(void) { vm_set_fault_handler(on_fault); }

/* Decides a range of pages; -EINVAL, -ENOMEM. */
static i64 check_span(u64 address, u64 length, u64 *end) {
    if (!length || address % PAGE_SIZE) return -LINUX_EINVAL;
    if (length > VM_USER_END || ALIGN_UP(length, PAGE_SIZE) > VM_USER_END) return -LINUX_ENOMEM;
    length = ALIGN_UP(length, PAGE_SIZE);
    if (address < VM_USER_START || address > VM_USER_END - length) return -LINUX_ENOMEM;
    *end = address + length;
    return 0;
}

/* Highest free place below MAP_TOP, a page apart from its neighbours' overruns. */
static u64 find_free(u64 length) {
    u64 top = MAP_TOP;
    for (struct list *it = mm.ranges.prev; it != &mm.ranges; it = it->prev) {
        struct range *r = LIST_ENTRY(it, struct range, node);
        if (r->start >= top) continue;
        if (r->end <= top && top - r->end >= length) break;
        top = MIN(top, r->start);
    }
    return top >= VM_USER_START + length ? top - length : 0;
}

static i64 choose(u64 address, u64 length, u32 flags, u64 *start) {
    u64 end;
    if (length > VM_USER_END) return -LINUX_ENOMEM;
    u64 rounded = ALIGN_UP(length, PAGE_SIZE);
    if (flags & (MM_FIXED | MM_FIXED_NOREPLACE)) {
        i64 r = check_span(address, length, &end);
        if (r < 0) return r;
        if ((flags & MM_FIXED_NOREPLACE) && range_overlap(address, end)) return -LINUX_EEXIST;
        *start = address;
        return 0;
    }
    address = ALIGN_DOWN(address, PAGE_SIZE); /* a hint */
    if (address && check_span(address, length, &end) >= 0 && !range_overlap(address, end)) *start = address;
    else *start = find_free(rounded);
    return *start ? 0 : -LINUX_ENOMEM;
}

/* Is there a way back for what the program asks of [start, end)? Where no range is
 * cut in two it costs next to nothing, and gives room back. */
static bool may_change(u64 start, u64 end) {
    const struct range *first = range_at(start), *next = range_at(end);
    bool whole = (!first || first->start == start) && (!next || next->start == end);
    return vm_may_cut(whole ? 1 : CUTS);
}

static i64 map_locked(u64 address, u64 length, u32 flags, struct range *fresh) {
    u64 start;
    i64 r = choose(address, length, flags, &start);
    if (r < 0) return r;
    fresh->start = start;
    fresh->end = start + ALIGN_UP(length, PAGE_SIZE);
    if (!may_change(fresh->start, fresh->end)) return -LINUX_ENOMEM;
    r = range_cut(fresh->start, fresh->end); /* MAP_FIXED replaces */
    if (r < 0) return r;
    range_insert(fresh);
    range_join(fresh->start, fresh->end);
    return (i64)start;
}

i64 mm_map(u64 address, u64 length, u32 prot, u32 flags, struct mm_source source, const char *name) {
    if (!length || source.offset % PAGE_SIZE || prot & ~7u) return -LINUX_EINVAL;
    if ((prot & MM_EXEC) && ((prot & MM_WRITE) || mm.code_fixed)) return -LINUX_EACCES;
    struct range *fresh = kzalloc(sizeof *fresh);
    if (!fresh) return -LINUX_ENOMEM;
    fresh->prot = prot;
    fresh->source = source;
    fresh->name = name;
    if (source.inode) inode_get(source.inode);
    mutex_lock(&mm.lock);
    i64 r = map_locked(address, length, flags, fresh);
    mutex_unlock(&mm.lock);
    if (r < 0) range_free(fresh);
    return r;
}

i64 mm_unmap(u64 address, u64 length) {
    u64 end;
    if (length <= VM_USER_START && address % PAGE_SIZE == 0 && length && address + length <= VM_USER_START) return 0; /* never mapped */
    i64 r = check_span(address, length, &end);
    if (r < 0) return -LINUX_EINVAL;
    mutex_lock(&mm.lock);
    r = may_change(address, end) ? range_cut(address, end) : -LINUX_ENOMEM;
    mutex_unlock(&mm.lock);
    return r;
}

bool mm_covers(u64 address, u64 length) {
    u64 end;
    if (check_span(ALIGN_DOWN(address, PAGE_SIZE), length + address % PAGE_SIZE, &end) < 0) return false;
    mutex_lock(&mm.lock);
    bool ok = range_covered(ALIGN_DOWN(address, PAGE_SIZE), end);
    mutex_unlock(&mm.lock);
    return ok;
}

/* Up to the first hole, as Linux does: what is before it has changed when -ENOMEM tells of it. */
static i64 protect_locked(u64 start, u64 wanted, u32 prot) {
    u64 end = range_reach(start, wanted, 0);
    i64 whole = end == wanted || fault(PROTECT_HOLE) ? 0 : -LINUX_ENOMEM;
    if (end == start) return whole;
    if (!may_change(start, end) || !range_split(start) || !range_split(end)) return -LINUX_ENOMEM;
    for (struct range *r = range_at(start); r && r->end <= end; r = range_after(r)) {
        r->prot = prot;
        if (!range_reprotect(r)) return -LINUX_ENOMEM;
    }
    range_join(start, end);
    return whole;
}

i64 mm_protect(u64 address, u64 length, u32 prot) {
    u64 end;
    if (address % PAGE_SIZE || prot & ~7u) return -LINUX_EINVAL;
    if ((prot & MM_EXEC) && ((prot & MM_WRITE) || mm.code_fixed)) return -LINUX_EACCES;
    if (!length) return 0;
    if (length > UINT64_MAX - PAGE_SIZE || address + ALIGN_UP(length, PAGE_SIZE) <= address) return -LINUX_ENOMEM;
    i64 r = check_span(address, length, &end);
    if (r < 0 && (address < VM_USER_START || address >= VM_USER_END)) return r;
    if (r < 0) end = VM_USER_END + PAGE_SIZE; /* there is a hole on the way */
    mutex_lock(&mm.lock);
    r = protect_locked(address, end, prot);
    mutex_unlock(&mm.lock);
    return r;
}

i64 mm_discard(u64 address, u64 length) {
    u64 end;
    if (!length) return address % PAGE_SIZE ? -LINUX_EINVAL : 0;
    i64 r = check_span(address, length, &end);
    if (r < 0) return r;
    mutex_lock(&mm.lock);
    if (!may_change(address, end)) r = -LINUX_ENOMEM;
    else range_drop_pages(address, end); /* over holes too, which -ENOMEM tells of then */
    if (!range_covered(address, end)) r = -LINUX_ENOMEM;
    mutex_unlock(&mm.lock);
    return r;
}

size_t mm_reach(u64 address, size_t n, u32 prot) {
    u64 end = address + n < address ? UINT64_MAX : address + n;
    mutex_lock(&mm.lock);
    u64 reach = range_reach(address, end, prot);
    mutex_unlock(&mm.lock);
    return (size_t)(reach - address);
}

/* A range that grows where it is, or moves with its pages. */
static i64 remap_grow(struct range *r, u64 old_length, u64 new_length, bool may_move) {
    u64 end = r->start + new_length;
    if (new_length < VM_USER_END && end <= VM_USER_END && !range_overlap(r->start + old_length, end)) {
        r->end = end;
        return (i64)r->start;
    }
    u64 to = may_move ? find_free(new_length) : 0;
    return to ? range_move(r, to, new_length) : -LINUX_ENOMEM;
}

static i64 remap_locked(u64 old, u64 end, u64 new_length, bool may_move) {
    struct range *r = range_at(old);
    bool grows = new_length > end - old;
    if (!r || (grows && end > r->end)) return -LINUX_EFAULT;
    if (!may_change(old, end)) return -LINUX_ENOMEM;
    if (!grows) {
        i64 e = new_length < end - old ? range_cut(old + new_length, end) : 0;
        return e < 0 ? e : (i64)old;
    }
    if (!range_split(old) || !range_split(end)) return -LINUX_ENOMEM;
    return remap_grow(range_at(old), end - old, new_length, may_move);
}

i64 mm_remap(u64 old, u64 old_length, u64 new_length, bool may_move) {
    u64 end;
    if (old % PAGE_SIZE || !new_length || new_length > VM_USER_END) return -LINUX_EINVAL;
    i64 r = check_span(old, old_length, &end);
    if (r < 0) return mm_covers(old, 1) ? -LINUX_EINVAL : -LINUX_EFAULT;
    mutex_lock(&mm.lock);
    r = remap_locked(old, end, ALIGN_UP(new_length, PAGE_SIZE), may_move);
    mutex_unlock(&mm.lock);
    return r;
}

void mm_set_break(u64 start) { mm.break_start = mm.break_end = ALIGN_UP(start, PAGE_SIZE); }

static bool break_move(u64 wanted) {
    u64 old = ALIGN_UP(mm.break_end, PAGE_SIZE), to = ALIGN_UP(wanted, PAGE_SIZE);
    if (to < old) return mm_unmap(to, old - to) >= 0;
    if (to == old) return true;
    struct mm_source zeros = {0};
    return mm_map(old, to - old, MM_READ | MM_WRITE, MM_PRIVATE | MM_ANONYMOUS | MM_FIXED_NOREPLACE, zeros, "[heap]") >= 0;
}

u64 mm_break(u64 wanted) {
    mutex_lock(&mm.break_lock);
    if (wanted >= mm.break_start && wanted < VM_USER_END && break_move(wanted)) mm.break_end = wanted;
    u64 now = mm.break_end;
    mutex_unlock(&mm.break_lock);
    return now;
}

void mm_clear(void) {
    mutex_lock(&mm.lock);
    i64 r = range_cut(VM_USER_START, VM_USER_END);
    assert(r == 0 && list_empty(&mm.ranges)); /* whole ranges need no split */
    mutex_unlock(&mm.lock);
}

size_t mm_describe(void *arg, char *out, size_t cap) {
    size_t n = 0;
    mutex_lock(&mm.lock);
    LIST_EACH(it, &mm.ranges) {
        struct range *r = LIST_ENTRY(it, struct range, node);
        n += fmt(n < cap ? out + n : NULL, n < cap ? cap - n : 0, "%08llx-%08llx %c%c%cp %08llx 00:00 %llu %s\n",
                 (unsigned long long)r->start, (unsigned long long)r->end, r->prot & MM_READ ? 'r' : '-',
                 r->prot & MM_WRITE ? 'w' : '-', r->prot & MM_EXEC ? 'x' : '-',
                 (unsigned long long)r->source.offset,
                 (unsigned long long)(r->source.inode ? r->source.inode->ino : 0), r->name ? r->name : "");
    }
    mutex_unlock(&mm.lock);
    return n;
}

struct mm_usage mm_usage(void) {
    struct mm_usage u = {0};
    mutex_lock(&mm.lock);
    LIST_EACH(it, &mm.ranges) {
        struct range *r = LIST_ENTRY(it, struct range, node);
        u.virtual_bytes += r->end - r->start;
    }
    u.present_pages = mm.present;
    mutex_unlock(&mm.lock);
    return u;
}

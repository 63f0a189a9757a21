/* vector.c: the program's buffers, and moving bytes between them and the kernel.
 *
 * I1 left is the sum of what the vector still covers, at most INT64_MAX. */
#include "base/assert.h"
#include "base/fault.h"
#include "kern/heap.h"
#include "sys/mm.h"
#include "sys/process.h"

void vector_single(struct vector *v, u64 base, u64 length) {
    *v = (struct vector){.one = {base, length}, .count = 1, .left = length};
}

static i64 vector_sum(struct vector *v) {
    const u64 once = INT32_MAX; /* a call moves at most */
    for (u32 i = 0; i < v->count; i++)
        if (v->v[i].length > INT64_MAX) return -LINUX_EINVAL;
    for (u32 i = 0; i < v->count; i++) {
        v->left += MIN(v->v[i].length, INT64_MAX - v->left);
        if (v->v[i].base > LINUX_PROGRAM_END - MIN(v->v[i].length, once)) return -LINUX_EFAULT; /* of an empty piece, too */
    }
    return 0;
}

i64 vector_read(struct vector *v, u64 user, u64 count) {
    *v = (struct vector){0};
    if (count > IOVEC_MAX && !fault(IOVEC_COUNT)) return -LINUX_EINVAL;
    if (!count) return 0;
    v->v = kmalloc(count * sizeof *v->v);
    if (!v->v) return -LINUX_ENOMEM;
    v->count = (u32)count;
    i64 r = user_read(v->v, user, count * sizeof *v->v) ? vector_sum(v) : -LINUX_EFAULT;
    if (r < 0) vector_free(v);
    return r;
}

void vector_free(struct vector *v) {
    kfree(v->v);
    v->v = NULL;
}

/* The piece at the vector's place, at most n bytes; steps over empty ones. */
static size_t piece(struct vector *v, size_t n, u64 *address) {
    const struct iovec *all = v->v ? v->v : &v->one;
    while (v->at < v->count && v->within == all[v->at].length) v->at++, v->within = 0;
    assert(v->at < v->count);
    *address = all[v->at].base + v->within;
    return (size_t)MIN((u64)n, all[v->at].length - v->within);
}

static void advance(struct vector *v, size_t n) {
    v->within += n;
    v->left -= n;
}

/* As much of part as is there, if not all of it. */
static size_t read_some(void *to, u64 address, size_t part) {
    if (user_read(to, address, part)) return part;
    part = mm_reach(address, part, MM_READ | MM_WRITE | MM_EXEC);
    return user_read(to, address, part) ? part : 0;
}
static size_t write_some(u64 address, const void *from, size_t part) {
    if (user_write(address, from, part)) return part;
    part = mm_reach(address, part, MM_WRITE);
    return user_write(address, from, part) ? part : 0;
}

i64 vector_gather(struct vector *v, void *to, size_t n) {
    size_t done = 0;
    n = (size_t)MIN((u64)n, v->left);
    while (done < n) {
        u64 address;
        size_t part = piece(v, n - done, &address), had = read_some((u8 *)to + done, address, part);
        advance(v, had);
        done += had;
        if (had < part) return done ? (i64)done : -LINUX_EFAULT;
    }
    return (i64)done;
}

i64 vector_scatter(struct vector *v, const void *from, size_t n) {
    size_t done = 0;
    assert(n <= v->left);
    while (done < n) {
        u64 address;
        size_t part = piece(v, n - done, &address), had = write_some(address, (const u8 *)from + done, part);
        advance(v, had);
        done += had;
        if (had < part) return done ? (i64)done : -LINUX_EFAULT;
    }
    return (i64)done;
}

bool bounce_begin(struct bounce *b, size_t want) {
    b->cap = MIN(want, (size_t)BOUNCE_MAX);
    b->p = b->cap <= sizeof b->small ? b->small : kmalloc(b->cap);
    return b->p;
}

void bounce_end(struct bounce *b) {
    if (b->p != b->small) kfree(b->p);
}

i64 path_read(u64 user, char **out) {
    char *path = kmalloc(LINUX_PATH_MAX);
    if (!path) return -LINUX_ENOMEM;
    i64 n = user_read_string(path, user, LINUX_PATH_MAX);
    if (n >= 0) {
        *out = path;
        return n;
    }
    kfree(path);
    return n == -2 ? -LINUX_ENAMETOOLONG : -LINUX_EFAULT;
}

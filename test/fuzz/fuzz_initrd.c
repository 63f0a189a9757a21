/* fuzz_initrd.c: any bytes as an initrd, and archives made of names and fields
 * that mean trouble: read, unpacked into a tree of files, and taken away again.
 * What the reader accepts keeps the promises of its header; no name leads out of
 * the tree; of the tree no page and no block is left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "fs/cpio.h"
#include "fs/linux.h"
#include "fs/tmpfs.h"
#include "test/fs/kernel.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t n);

/* Does a name have a part that leads elsewhere, or none? */
static bool inside_out(struct bytes name) {
    char s[LINUX_PATH_MAX + 3];
    if (!name.n) return false;
    snprintf(s, sizeof s, "/%.*s/", (int)name.n, (const char *)name.p);
    return strstr(s, "//") || strstr(s, "/./") || strstr(s, "/../");
}

/* true: accepted. */
static bool archive(struct bytes b) {
    size_t count, at = 0, seen = 0;
    struct cursor c = cursor_of(b);
    struct cpio_entry e;
    bool end = false;
    if (cpio_check(b, &count, &at)) {
        assert(at <= b.n);
        return false;
    }
    for (; seen < count; seen++) {
        assert(!cpio_next(&c, &e, &end) && !end);
        assert(e.data.p >= b.p && e.data.n <= b.n);
        for (size_t i = 0; i < e.name.n; i++) assert(e.name.p[i]);
        assert(!inside_out(e.name));
        assert(!e.name.n || (e.name.p[0] != '/' && e.name.p[e.name.n - 1] != '/'));
    }
    return true;
}

/* The directory's first name, or "". */
static bool first_name(void *arg, struct bytes name, u64 ino, u32 mode, u64 next) {
    char *out = arg;
    if (name.n == 1 && name.p[0] == '.') return true;
    if (name.n == 2 && name.p[0] == '.' && name.p[1] == '.') return true;
    memcpy(out, name.p, name.n);
    out[name.n] = 0;
    return false;
}

static void remove_all(struct inode *dir) {
    char name[LINUX_NAME_MAX + 1];
    for (;;) {
        struct file *f;
        i64 r = vfs_open_inode(dir, LINUX_O_RDONLY | LINUX_O_DIRECTORY, &f);
        assert(!r);
        name[0] = 0;
        file_readdir(f, first_name, name);
        file_put(f);
        if (!name[0]) return;
        struct vfs_at at = {.base = dir, .path = name, .nofollow = true};
        struct inode *child;
        if (!vfs_unlink(at)) continue;
        r = vfs_walk(at, &child);
        assert(!r);
        remove_all(child);
        inode_put(child);
        r = vfs_rmdir(at);
        assert(!r);
    }
}

/* The root cannot be removed by name. */
static void tree_gone(void) {
    remove_all(vfs_root);
    vfs_root->nlink = 0;
    inode_put(vfs_root);
    vfs_root = NULL;
}

static void unpack(struct bytes b) {
    u64 blocks = fs_kernel_blocks;
    bool good = archive(b);
    enum err e = vfs_init(b);
    assert(e != ERR_OK || good);
    tree_gone();
    assert(fs_kernel_blocks == blocks && fs_kernel_pages == FS_KERNEL_PAGES);
    assert(!vfs_usage().inodes && !vfs_usage().pages);
}

/* --- archives that are nearly right --- */

enum { ROOM = 32 << 10, FIELDS = 13, SIZE = 6, NAME_SIZE = 11 };
static u8 made[ROOM];

static u8 byte(struct cursor *c) {
    u8 b = 0;
    take_u8(c, &b);
    return b;
}

static size_t put(size_t at, const void *p, size_t n) {
    assert(at + n + 4 <= ROOM);
    if (n) memcpy(made + at, p, n);
    for (at += n; at % 4; at++) made[at] = 0;
    return at;
}

/* Now and then a field is not what it should be. */
static size_t entry(struct cursor *c, size_t at) {
    static const char *const names[] = {"a", "a/b", "a/b/c", "./a", "/a/d", ".", "/", "..", "a/../b", "a//b", "a/", "dev/null", "l/x", "l", "TRAILER!!!", "proc"};
    static const u32 modes[] = {0100644, 0100755, 0040755, 0120777, 0020666, 0, UINT32_MAX};
    static const u32 edges[] = {0, 1, 2, 0x7fffffff, 0x80000000, UINT32_MAX, 4096, 4097};
    static const char *const targets[] = {"/", "a", "..", "../../..", "l", "", "/a/b"};
    const char *name = names[byte(c) % ARRAY_LEN(names)];
    u32 f[FIELDS] = {[1] = modes[byte(c) % ARRAY_LEN(modes)], [4] = 1, [NAME_SIZE] = (u32)strlen(name) + 1};
    const char *target = targets[byte(c) % ARRAY_LEN(targets)];
    struct bytes data = {(const u8 *)target, strlen(target)};
    size_t length = byte(c) * 3u;
    if (f[1] != 0120777) take_bytes(c, MIN(length, cursor_left(c)), &data);
    f[SIZE] = (u32)data.n;
    u8 lie = byte(c);
    if (lie < 2 * FIELDS) f[lie / 2] = edges[byte(c) % ARRAY_LEN(edges)];
    char header[6 + 8 * FIELDS + 1] = "070701";
    for (u32 i = 0; i < FIELDS; i++) snprintf(header + 6 + 8 * i, 9, "%08x", f[i]);
    memcpy(made + at, header, sizeof header - 1);
    at = put(at + sizeof header - 1, name, strlen(name) + 1);
    return put(at, data.p, data.n);
}

static struct bytes make(struct cursor *c) {
    size_t at = 0;
    while (cursor_left(c) > 4 && at < ROOM - 2000) at = entry(c, at);
    if (byte(c) % 4) at = put(at, "07070100000000000000000000000000000000000000010000000000000000000000000000000000000000000000000000000b00000000TRAILER!!!", 121);
    size_t cut = byte(c) > 240 ? 7 : 0;
    return (struct bytes){made, at - MIN(at, cut)};
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t n) {
    struct cursor c = cursor_of((struct bytes){data, n});
    if (n && data[0] == '0') unpack((struct bytes){data, n});
    else unpack(make(&c));
    return 0;
}

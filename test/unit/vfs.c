/* vfs.c: the tree of names on the host: pages, locks and time stand in for the
 * kernel's, everything above them is the kernel's own code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/dev.h"
#include "fs/tmpfs.h"
#include "test/fs/kernel.h"
#include "test/lib/test.h"

static struct vfs_at at(const char *path) { return (struct vfs_at){.path = path}; }
static struct vfs_at beneath(struct inode *base, const char *path) {
    return (struct vfs_at){.base = base, .path = path, .beneath = true};
}

static void make_file(const char *path, const char *text) {
    struct file *f = NULL;
    EQUAL(vfs_open(at(path), LINUX_O_WRONLY | LINUX_O_CREAT, 0644, &f), 0);
    EQUAL(file_write(f, text, strlen(text)), strlen(text));
    file_put(f);
}

static void files(void) {
    char buf[64];
    struct file *f;
    struct file_stat st;
    make_file("/tmp/a", "hello");
    EQUAL(vfs_open(at("/tmp/a"), LINUX_O_RDWR, 0, &f), 0);
    EQUAL(file_pread(f, buf, 64, 1), 4);
    CHECK(!memcmp(buf, "ello", 4));
    EQUAL(file_pwrite(f, "far", 3, 100000), 3); /* a hole reads as zeros */
    EQUAL(file_pread(f, buf, 8, 50000), 8);
    CHECK(!memcmp(buf, "\0\0\0\0\0\0\0\0", 8));
    EQUAL(file_truncate(f, 2), 0);
    EQUAL(file_truncate(f, 10), 0);
    EQUAL(file_pread(f, buf, 64, 0), 10);
    CHECK(!memcmp(buf, "he\0\0\0\0\0\0\0\0", 10));
    EQUAL(file_pwrite(f, "x", 1, TMPFS_SIZE_MAX), -LINUX_EFBIG);
    EQUAL(file_truncate(f, TMPFS_SIZE_MAX + 1), -LINUX_EFBIG);
    EQUAL(vfs_unlink(at("/tmp/a")), 0);
    EQUAL(vfs_stat(at("/tmp/a"), &st), -LINUX_ENOENT);
    EQUAL(file_pread(f, buf, 2, 0), 2); /* lives while it is open */
    file_put(f);
}

static void names(void) {
    struct file_stat st;
    char buf[64];
    EQUAL(vfs_mkdir(at("/tmp/d"), 0755), 0);
    EQUAL(vfs_mkdir(at("/tmp/d"), 0755), -LINUX_EEXIST);
    EQUAL(vfs_mkdir(at("/"), 0755), -LINUX_EEXIST);
    EQUAL(vfs_mkdir(at("/tmp/none/x"), 0755), -LINUX_ENOENT);
    make_file("/tmp/d/f", "1");
    EQUAL(vfs_rmdir(at("/tmp/d")), -LINUX_ENOTEMPTY);
    EQUAL(vfs_unlink(at("/tmp/d")), -LINUX_EISDIR);
    EQUAL(vfs_rename(at("/tmp/d"), at("/tmp/d/e"), false), -LINUX_EINVAL);
    EQUAL(vfs_rename(at("/tmp/d/f"), at("/tmp/g"), false), 0);
    make_file("/tmp/h", "22");
    EQUAL(vfs_rename(at("/tmp/h"), at("/tmp/g"), true), -LINUX_EEXIST);
    EQUAL(vfs_rename(at("/tmp/h"), at("/tmp/g"), false), 0);
    EQUAL(vfs_stat(at("/tmp/g"), &st), 0);
    EQUAL(st.size, 2);
    EQUAL(vfs_link(at("/tmp/g"), at("/tmp/k")), 0);
    EQUAL(vfs_stat(at("/tmp/k"), &st), 0);
    EQUAL(st.nlink, 2);
    EQUAL(vfs_stat(at("/tmp/g/"), &st), -LINUX_ENOTDIR);
    struct inode *dir;
    EQUAL(vfs_walk(at("/tmp/d/../d/."), &dir), 0);
    EQUAL(vfs_path(dir, buf, sizeof buf), 7);
    EQUAL_TEXT(buf, "/tmp/d");
    EQUAL(vfs_path(dir, buf, 6), -LINUX_ERANGE);
    EQUAL(vfs_rmdir(at("/tmp/d")), 0);
    EQUAL(vfs_path(dir, buf, sizeof buf), -LINUX_ENOENT);
    EQUAL(vfs_mkdir((struct vfs_at){.base = dir, .path = "x"}, 0755), -LINUX_ENOENT);
    inode_put(dir);
    EQUAL(vfs_unlink(at("/tmp/g")), 0);
    EQUAL(vfs_unlink(at("/tmp/k")), 0);
}

static void links(void) {
    struct file_stat st;
    struct file *f;
    EQUAL(vfs_symlink(at("/tmp/loop1"), "loop2"), 0);
    EQUAL(vfs_symlink(at("/tmp/loop2"), "/tmp/loop1"), 0);
    EQUAL(vfs_stat(at("/tmp/loop1"), &st), -LINUX_ELOOP);
    EQUAL(vfs_symlink(at("/tmp/dangling"), "target"), 0);
    EQUAL(vfs_open(at("/tmp/dangling"), LINUX_O_RDONLY | LINUX_O_NOFOLLOW, 0, &f), -LINUX_ELOOP);
    EQUAL(vfs_open(at("/tmp/dangling"), LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_RDWR, 0600, &f), -LINUX_EEXIST);
    make_file("/tmp/dangling", "x"); /* O_CREAT makes what the link names */
    EQUAL(vfs_stat(at("/tmp/target"), &st), 0);
    static const char *const gone[] = {"/tmp/loop1", "/tmp/loop2", "/tmp/dangling", "/tmp/target"};
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) EQUAL(vfs_unlink(at(gone[i])), 0);
}

/* What a WASI preopen relies on. */
static void capabilities(void) {
    struct inode *base;
    struct file_stat st;
    EQUAL(vfs_mkdir(at("/tmp/box"), 0755), 0);
    EQUAL(vfs_mkdir(at("/tmp/box/in"), 0755), 0);
    make_file("/tmp/secret", "s");
    EQUAL(vfs_symlink(at("/tmp/box/out"), "../secret"), 0);
    EQUAL(vfs_symlink(at("/tmp/box/abs"), "/tmp/secret"), 0);
    EQUAL(vfs_symlink(at("/tmp/box/ok"), "in/.."), 0);
    EQUAL(vfs_walk(at("/tmp/box"), &base), 0);
    EQUAL(vfs_stat(beneath(base, "in/../in"), &st), 0);
    EQUAL(vfs_stat(beneath(base, "ok/in"), &st), 0);
    EQUAL(vfs_stat(beneath(base, ".."), &st), -LINUX_EXDEV);
    EQUAL(vfs_stat(beneath(base, "in/../../secret"), &st), -LINUX_EXDEV);
    EQUAL(vfs_stat(beneath(base, "/tmp/secret"), &st), -LINUX_EXDEV);
    EQUAL(vfs_stat(beneath(base, "out"), &st), -LINUX_EXDEV);
    EQUAL(vfs_stat(beneath(base, "abs"), &st), -LINUX_EXDEV);
    inode_put(base);
    static const char *const gone[] = {"/tmp/box/out", "/tmp/box/abs", "/tmp/box/ok", "/tmp/secret"};
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) EQUAL(vfs_unlink(at(gone[i])), 0);
    EQUAL(vfs_rmdir(at("/tmp/box/in")), 0);
    EQUAL(vfs_rmdir(at("/tmp/box")), 0);
}

static void limits(void) {
    struct file_stat st;
    char path[5000];
    memset(path, 'a', sizeof path);
    path[0] = '/', path[4999] = 0;
    EQUAL(vfs_stat(at(path), &st), -LINUX_ENAMETOOLONG);
    path[300] = 0;
    EQUAL(vfs_stat(at(path), &st), -LINUX_ENAMETOOLONG);
    EQUAL(vfs_stat(at(""), &st), -LINUX_ENOENT);
    struct file *f;
    size_t before = fs_kernel_pages;
    EQUAL(vfs_open(at("/tmp/big"), LINUX_O_RDWR | LINUX_O_CREAT, 0600, &f), 0);
    i64 r = 0;
    static u8 block[65536];
    while ((r = file_write(f, block, sizeof block)) > 0) {}
    EQUAL(r, -LINUX_ENOSPC);
    CHECK(fs_kernel_pages > 0); /* never the last pages */
    file_put(f);
    EQUAL(vfs_unlink(at("/tmp/big")), 0);
    EQUAL(fs_kernel_pages, before); /* and all of them back */
}

/* Pages 0 and 600 of 602: there is another block of pointers between them. */
static void holes(void) {
    struct file *f;
    EQUAL(vfs_open(at("/tmp/holes"), LINUX_O_RDWR | LINUX_O_CREAT, 0600, &f), 0);
    EQUAL(inode_find(f->inode, 0, true), -LINUX_ENXIO);
    EQUAL(file_pwrite(f, "x", 1, 5), 1);
    EQUAL(file_pwrite(f, "x", 1, 600 * PAGE_SIZE), 1);
    EQUAL(file_truncate(f, 602 * PAGE_SIZE), 0);
    EQUAL(inode_find(f->inode, 0, false), 0);
    EQUAL(inode_find(f->inode, 0, true), PAGE_SIZE);
    EQUAL(inode_find(f->inode, PAGE_SIZE + 7, true), PAGE_SIZE + 7);
    EQUAL(inode_find(f->inode, PAGE_SIZE + 7, false), 600 * PAGE_SIZE);
    EQUAL(inode_find(f->inode, 600 * PAGE_SIZE + 3, true), 601 * PAGE_SIZE);
    EQUAL(inode_find(f->inode, 601 * PAGE_SIZE, false), -LINUX_ENXIO);
    EQUAL(inode_find(f->inode, 602 * PAGE_SIZE, true), -LINUX_ENXIO);
    file_put(f);
    EQUAL(vfs_unlink(at("/tmp/holes")), 0);
}

int main(void) {
    EQUAL(vfs_init((struct bytes){NULL, 0}), ERR_OK);
    u64 inodes = vfs_usage().inodes;
    files();
    names();
    links();
    capabilities();
    limits();
    holes();
    EQUAL(vfs_usage().inodes, inodes);
    EQUAL(vfs_usage().pages, 0);
    return test_end("vfs");
}

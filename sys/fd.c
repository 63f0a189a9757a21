/* fd.c: descriptors.
 *
 * I1 a slot holds one reference on its file.
 * I2 a file is put outside files_lock: closing may block. */
#include "base/assert.h"
#include "sys/process.h"

static void mark(u64 fd, bool cloexec) {
    u64 bit = 1ull << fd % 64;
    if (cloexec) process.cloexec[fd / 64] |= bit;
    else process.cloexec[fd / 64] &= ~bit;
}

struct file *fd_any(u64 fd) {
    if (fd >= FD_MAX) return NULL;
    mutex_lock(&process.files_lock);
    struct file *f = process.files[fd];
    if (f) file_get(f);
    mutex_unlock(&process.files_lock);
    return f;
}

struct file *fd_file(u64 fd) {
    struct file *f = fd_any(fd);
    if (!f || !(f->flags & LINUX_O_PATH)) return f;
    file_put(f);
    return NULL;
}

i64 fd_install(struct file *f, u64 lowest, bool cloexec) {
    assert(f);
    mutex_lock(&process.files_lock);
    u64 fd = lowest;
    while (fd < FD_MAX && process.files[fd]) fd++;
    if (fd < FD_MAX) {
        process.files[fd] = f;
        mark(fd, cloexec);
    }
    mutex_unlock(&process.files_lock);
    if (fd < FD_MAX) return (i64)fd;
    file_put(f);
    return -LINUX_EMFILE;
}

static struct file *swap(u64 fd, struct file *f, bool cloexec) {
    mutex_lock(&process.files_lock);
    struct file *old = process.files[fd];
    process.files[fd] = f;
    mark(fd, cloexec);
    mutex_unlock(&process.files_lock);
    return old;
}

i64 fd_close(u64 fd) {
    struct file *old = fd < FD_MAX ? swap(fd, NULL, false) : NULL;
    if (!old) return -LINUX_EBADF;
    file_put(old);
    return 0;
}

i64 fd_replace(u64 fd, struct file *f, bool cloexec) {
    if (fd >= FD_MAX) {
        file_put(f);
        return -LINUX_EBADF;
    }
    file_put(swap(fd, f, cloexec));
    return (i64)fd;
}

bool fd_cloexec(u64 fd) { return fd < FD_MAX && process.cloexec[fd / 64] >> fd % 64 & 1; }

void fd_set_cloexec(u64 fd, bool on) {
    mutex_lock(&process.files_lock);
    if (fd < FD_MAX && process.files[fd]) mark(fd, on);
    mutex_unlock(&process.files_lock);
}

void fd_close_all(void) {
    for (u64 fd = 0; fd < FD_MAX; fd++)
        if (process.files[fd]) fd_close(fd);
}

/* dev.c: character devices, and nodes of the tree that make their content. */
#include "fs/dev.h"

#include "base/mem.h"
#include "fs/tmpfs.h"
#include "kern/machine.h"
#include "kern/random.h"

static u64 rdev(u32 major, u32 minor) { return (u64)major << 8 | minor; }

static i64 sink_write(struct file *f, const void *buf, size_t n, u64 *pos) { return (i64)n; }
static i64 full_write(struct file *f, const void *buf, size_t n, u64 *pos) { return -LINUX_ENOSPC; }
static i64 null_read(struct file *f, void *buf, size_t n, u64 *pos) { return 0; }

static i64 zero_read(struct file *f, void *buf, size_t n, u64 *pos) {
    memset(buf, 0, n);
    return (i64)n;
}

static i64 random_read(struct file *f, void *buf, size_t n, u64 *pos) {
    n = MIN(n, (size_t)1 << 20);
    random_bytes(buf, n);
    return (i64)n;
}

static i64 console_write(struct file *f, const void *buf, size_t n, u64 *pos) {
    machine_console_write(buf, n);
    return (i64)n;
}

/* Nobody types: what reads the console finds its end, as at the start of a service on Linux. */
static u32 console_poll(struct file *f) { return LINUX_POLLIN | LINUX_POLLRDNORM | LINUX_POLLOUT | LINUX_POLLWRNORM; }

static const struct file_ops null_ops = {.kind = "null", .seekable = true, .read = null_read, .write = sink_write};
static const struct file_ops zero_ops = {.kind = "zero", .seekable = true, .read = zero_read, .write = sink_write};
static const struct file_ops full_ops = {.kind = "full", .seekable = true, .read = zero_read, .write = full_write};
static const struct file_ops random_ops = {.kind = "random", .seekable = true, .read = random_read, .write = sink_write};
static const struct file_ops console_ops = {
    .kind = "console", .read = null_read, .write = console_write, .poll = console_poll};

static i64 null_open(struct file *f) { return f->ops = &null_ops, 0; }
static i64 zero_open(struct file *f) { return f->ops = &zero_ops, 0; }
static i64 full_open(struct file *f) { return f->ops = &full_ops, 0; }
static i64 random_open(struct file *f) { return f->ops = &random_ops, 0; }
static i64 tty_open(struct file *f) { return f->ops = &console_ops, 0; }

struct file *console_open(u32 flags) { return file_new(&console_ops, NULL, flags); }

static i64 add(const char *path, struct inode *i) {
    if (!i) return -LINUX_ENOMEM;
    struct vfs_at at = {.path = path, .nofollow = true};
    return vfs_add_node(at, i);
}

i64 vfs_add_device(const char *path, u64 number, u32 mode, vfs_device_open *open) {
    struct inode *i = inode_new(LINUX_S_IFCHR | mode);
    if (i) i->device = open, i->rdev = number;
    return add(path, i);
}

i64 vfs_add_generated(const char *path, vfs_make *make, void *arg) {
    struct inode *i = inode_new(LINUX_S_IFREG | 0444);
    if (i) i->make = make, i->make_arg = arg;
    return add(path, i);
}

i64 vfs_add_generated_link(const char *path, vfs_make *make, void *arg) {
    struct inode *i = inode_new(LINUX_S_IFLNK | 0777);
    if (i) i->make = make, i->make_arg = arg;
    return add(path, i);
}

i64 devfs_init(void) {
    static const struct {
        const char *path;
        u32 major, minor;
        vfs_device_open *open;
    } devices[] = {
        {"/dev/null", 1, 3, null_open},     {"/dev/zero", 1, 5, zero_open},
        {"/dev/full", 1, 7, full_open},     {"/dev/random", 1, 8, random_open},
        {"/dev/urandom", 1, 9, random_open}, {"/dev/tty", 5, 0, tty_open},
        {"/dev/console", 5, 1, tty_open},
    };
    for (size_t k = 0; k < ARRAY_LEN(devices); k++) {
        i64 r = vfs_add_device(devices[k].path, rdev(devices[k].major, devices[k].minor), 0666, devices[k].open);
        if (r < 0) return r;
    }
    return 0;
}

/* inside.c: /dev/whelk.map, where compiled code lies, and /dev/whelk: what the program writes goes to ext/inside.c through one
 * pipe, and what it reads comes through another.
 *
 * I1 each pipe end is put once: the program's by the last close of the device,
 *    the kernel's when the connection has ended. */
#include "ext/inside.h"

#include "fs/pipe.h"
#include "fs/vfs.h"
#include "init/engine.h"
#include "init/init.h"
#include "kern/heap.h"
#include "kern/log.h"

enum { MAJOR = 10 /* miscellaneous */, MINOR = 250 };

/* to: the program writes to[1], the kernel reads to[0]; from: the other way. */
struct line {
    struct file *to[2], *from[2];
    u32 ends; /* atomic: device and kernel; freed with the last */
};

static void drop(struct line *l) {
    if (!__atomic_sub_fetch(&l->ends, 1, __ATOMIC_ACQ_REL)) kfree(l);
}

/* --- the kernel's end --- */

static enum err kernel_read(void *self, void *buf, size_t cap, size_t *got) {
    struct line *l = self;
    i64 n = file_read(l->to[0], buf, cap);
    if (n <= 0) return ERR_CLOSED;
    *got = (size_t)n;
    return ERR_OK;
}

static enum err kernel_write(void *self, const void *p, size_t n) {
    struct line *l = self;
    for (size_t done = 0; done < n;) {
        i64 r = file_write(l->from[1], (const u8 *)p + done, n - done);
        if (r <= 0) return ERR_CLOSED;
        done += (size_t)r;
    }
    return ERR_OK;
}

static void kernel_end(void *self) {
    struct line *l = self;
    file_put(l->to[0]);
    file_put(l->from[1]);
    drop(l);
}

/* --- the program's end --- */

/* The pipe waits or not as the device's descriptor says. */
static struct file *as(struct file *pipe, const struct file *device) {
    pipe->flags = (pipe->flags & ~(u32)LINUX_O_NONBLOCK) | (device->flags & LINUX_O_NONBLOCK);
    return pipe;
}

static i64 device_read(struct file *f, void *buf, size_t n, u64 *pos) {
    struct line *l = f->object;
    return file_read(as(l->from[0], f), buf, n);
}
static i64 device_write(struct file *f, const void *buf, size_t n, u64 *pos) {
    struct line *l = f->object;
    return file_write(as(l->to[1], f), buf, n);
}
static u32 device_poll(struct file *f) {
    struct line *l = f->object;
    return file_poll(l->from[0]) | file_poll(l->to[1]);
}
static void device_close(struct file *f) {
    struct line *l = f->object;
    file_put(l->from[0]);
    file_put(l->to[1]);
    drop(l);
}

static const struct file_ops ops = {
    .kind = "whelk", .read = device_read, .write = device_write, .poll = device_poll, .close = device_close};

static i64 device_open(struct file *f) {
    struct line *l = kzalloc(sizeof *l);
    if (!l) return -LINUX_ENOMEM;
    i64 r = pipe_open(0, l->to);
    if (r >= 0 && (r = pipe_open(0, l->from)) < 0) file_put(l->to[0]), file_put(l->to[1]);
    if (r < 0) return kfree(l), r;
    const struct inside_port port = {kernel_read, kernel_write, kernel_end, l};
    l->ends = 2;
    if (inside_open(&port)) {
        for (int i = 0; i < 2; i++) file_put(l->to[i]), file_put(l->from[i]);
        return kfree(l), -LINUX_ENOMEM;
    }
    f->ops = &ops;
    f->object = l;
    f->queue = l->from[0]->queue; /* that there is room to write is not told to pollers */
    return 0;
}

static size_t make_map(void *arg, char *out, size_t cap) { return engine_code_map(out, cap); }

void inside_init(void) {
    i64 r = vfs_add_device("/dev/whelk", MAJOR << 8 | MINOR, 0600, device_open);
    if (r >= 0) r = vfs_add_generated("/dev/whelk.map", make_map, NULL);
    if (r < 0) log_warn("/dev/whelk: cannot be made (errno %d)", (int)-r);
}

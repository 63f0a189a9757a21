/* io.c: bytes in and out of descriptors.
 *
 * I1 a vector is copied and all its runs are checked before the first byte
 *    moves: EFAULT and EINVAL mean that nothing happened.
 * I2 an error after some bytes moved is told by the next call, as POSIX does. */
#include "wasi/internal.h"

/* One run of a module's iovec, and where it goes. */
struct io {
    struct wasi *w;
    struct wasi_fd *f;
    bool write, at_offset, socket;
    u32 flags; /* socket: WASI_RECV_* */
    u64 offset;
};

static i64 move(const struct io *io, void *p, size_t n, u64 done) {
    const struct wasi_host *h = io->w->host;
    if (io->f->kind == FD_STREAM)
        return io->write ? wasi_stream_write(io->w, io->f->stream, p, n)
                         : wasi_stream_read(io->w, io->f->stream, p, n);
    void *file = io->f->file;
    if (io->socket && io->write) return h->send ? h->send(h->self, file, p, n) : -38;
    if (io->socket) return h->recv ? h->recv(h->self, file, p, n, io->flags) : -38;
    if (io->at_offset && io->write) return h->pwrite ? h->pwrite(h->self, file, p, n, io->offset + done) : -38;
    if (io->at_offset) return h->pread ? h->pread(h->self, file, p, n, io->offset + done) : -38;
    if (io->write) return h->write ? h->write(h->self, file, p, n) : -38;
    return h->read ? h->read(h->self, file, p, n) : -38;
}

/* The k-th run; only after check_runs. */
static u8 *run_at(struct abi_ctx *c, u32 iovs, u32 k, u32 *n) {
    u32 v[2] = {0, 0};
    wasi_get(c, iovs + k * 8, v, 8);
    *n = v[1];
    return rt_mem(c, v[0], v[1]);
}

static u32 check_runs(struct abi_ctx *c, u32 iovs, u32 count) {
    u64 total = 0;
    u32 n;
    if (count > WASI_MAX_IOVS) return WASI_EINVAL;
    if (!rt_mem(c, iovs, (u64)count * 8)) return WASI_EFAULT;
    for (u32 k = 0; k < count; k++) {
        if (!run_at(c, iovs, k, &n)) return WASI_EFAULT;
        total += n;
    }
    return total > INT32_MAX ? WASI_EINVAL : WASI_OK; /* so that the count fits */
}

/* What is no regular file may block for more once it has given something; and a
 * look at what is there must not be taken twice. */
static bool goes_on(const struct io *io, i64 moved, u32 wanted) {
    bool record = io->f->kind == FD_STREAM && !io->w->streams[io->f->stream].read;
    bool may_block = !io->write && !record && io->f->type != WASI_TYPE_REGULAR;
    if (io->socket && io->flags) may_block = !(io->flags == WASI_RECV_WAITALL);
    return (u64)moved == wanted && !(may_block && moved);
}

static u32 move_runs(struct abi_ctx *c, const struct io *io, u32 iovs, u32 count, u32 *moved) {
    u64 done = 0;
    for (u32 k = 0; k < count && !rt_stopping(c); k++) {
        u32 n;
        u8 *p = run_at(c, iovs, k, &n);
        /* A read may have overwritten the vector itself: check it again. */
        if (!p || done + n > INT32_MAX) break;
        if (!n) continue;
        i64 r = move(io, p, n, done);
        if (r < 0 && !done) return wasi_errno_of(r);
        if (r < 0) break;
        assert((u64)r <= n);
        done += (u64)r;
        if (!goes_on(io, r, n)) break;
    }
    *moved = (u32)done;
    return WASI_OK;
}

static u32 vector(struct abi_ctx *c, struct io io, u32 fd, u32 iovs, u32 count, u32 out) {
    u32 moved = 0, e;
    io.w = wasi_of(c);
    io.f = wasi_fd_at(io.w, fd);
    if (!io.f) return WASI_EBADF;
    if (io.f->type == WASI_TYPE_DIRECTORY) return WASI_EISDIR;
    if (!(io.f->rights & (io.write ? WASI_RIGHT_WRITE : WASI_RIGHT_READ))) return WASI_EBADF;
    if (io.at_offset && (io.f->kind != FD_FILE || wasi_is_socket(io.f))) return WASI_ESPIPE;
    if (io.at_offset && !(io.f->rights & WASI_RIGHT_SEEK)) return WASI_ENOTCAPABLE;
    if (!rt_mem(c, out, 4)) return WASI_EFAULT;
    if ((e = check_runs(c, iovs, count))) return e;
    if ((e = move_runs(c, &io, iovs, count, &moved))) return e;
    wasi_put32(c, out, moved);
    return WASI_OK;
}

u64 wasi_fd_read(struct abi_ctx *c, u32 fd, u32 iovs, u32 count, u32 out) {
    return vector(c, (struct io){.write = false}, fd, iovs, count, out);
}
u64 wasi_fd_write(struct abi_ctx *c, u32 fd, u32 iovs, u32 count, u32 out) {
    return vector(c, (struct io){.write = true}, fd, iovs, count, out);
}
u64 wasi_fd_pread(struct abi_ctx *c, u32 fd, u32 iovs, u32 count, u64 at, u32 out) {
    if (at > INT64_MAX - INT32_MAX) return WASI_EINVAL;
    return vector(c, (struct io){.at_offset = true, .offset = at}, fd, iovs, count, out);
}
u64 wasi_fd_pwrite(struct abi_ctx *c, u32 fd, u32 iovs, u32 count, u64 at, u32 out) {
    if (at > INT64_MAX - INT32_MAX) return WASI_EINVAL;
    return vector(c, (struct io){.write = true, .at_offset = true, .offset = at}, fd, iovs, count, out);
}

/* sock_recv and sock_send. */
u64 wasi_sock_recv(struct abi_ctx *c, u32 fd, u32 iovs, u32 n, u32 flags, u32 out, u32 oflags) {
    struct wasi_fd *f = wasi_fd_at(wasi_of(c), fd);
    if (f && !wasi_is_socket(f)) return WASI_ENOTSOCK;
    if (flags & ~(u32)(WASI_RECV_PEEK | WASI_RECV_WAITALL)) return WASI_EINVAL;
    if (!rt_mem(c, oflags, 2)) return WASI_EFAULT;
    u32 e = vector(c, (struct io){.socket = true, .flags = flags}, fd, iovs, n, out);
    if (!e) wasi_put16(c, oflags, 0);
    return e;
}
u64 wasi_sock_send(struct abi_ctx *c, u32 fd, u32 iovs, u32 n, u32 flags, u32 out) {
    struct wasi_fd *f = wasi_fd_at(wasi_of(c), fd);
    if (f && !wasi_is_socket(f)) return WASI_ENOTSOCK;
    if (flags) return WASI_EINVAL; /* none is defined */
    return vector(c, (struct io){.socket = true, .write = true}, fd, iovs, n, out);
}

u64 wasi_fd_seek(struct abi_ctx *c, u32 fd, i64 offset, u32 whence, u32 out) {
    struct wasi *w = wasi_of(c);
    struct wasi_fd *f = wasi_fd_at(w, fd);
    if (!f) return WASI_EBADF;
    if (f->kind != FD_FILE || wasi_is_socket(f)) return WASI_ESPIPE;
    if (f->type == WASI_TYPE_DIRECTORY) return WASI_EBADF;
    if (whence > 2) return WASI_EINVAL;
    u64 right = !offset && whence == 1 ? WASI_RIGHT_SEEK | WASI_RIGHT_TELL : WASI_RIGHT_SEEK;
    if (!(f->rights & right)) return WASI_ENOTCAPABLE;
    if (!w->host->seek) return WASI_ENOSYS;
    if (!rt_mem(c, out, 8)) return WASI_EFAULT;
    i64 r = w->host->seek(w->host->self, f->file, offset, (int)whence);
    if (r < 0) return wasi_errno_of(r);
    wasi_put64(c, out, (u64)r);
    return WASI_OK;
}

u64 wasi_fd_tell(struct abi_ctx *c, u32 fd, u32 out) { return wasi_fd_seek(c, fd, 0, 1, out); }

static u32 sync_file(struct abi_ctx *c, u32 fd, u64 right) {
    struct wasi *w = wasi_of(c);
    struct wasi_fd *f = wasi_fd_at(w, fd);
    if (f && (f->kind != FD_FILE || wasi_is_socket(f))) return WASI_EINVAL;
    u32 e = wasi_take_fd(w, fd, right, &f);
    if (e) return e;
    return w->host->sync ? wasi_errno_of(w->host->sync(w->host->self, f->file)) : WASI_ENOSYS;
}
u64 wasi_fd_sync(struct abi_ctx *c, u32 fd) { return sync_file(c, fd, WASI_RIGHT_SYNC); }
u64 wasi_fd_datasync(struct abi_ctx *c, u32 fd) { return sync_file(c, fd, WASI_RIGHT_DATASYNC); }

u64 wasi_fd_close(struct abi_ctx *c, u32 fd) {
    struct wasi *w = wasi_of(c);
    struct wasi_fd *f = wasi_fd_at(w, fd);
    if (!f) return WASI_EBADF;
    wasi_fd_shut(w, f);
    return WASI_OK;
}

u64 wasi_fd_renumber(struct abi_ctx *c, u32 from, u32 to) {
    struct wasi *w = wasi_of(c);
    struct wasi_fd *f = wasi_fd_at(w, from), *t = wasi_fd_at(w, to);
    if (!f || !t) return WASI_EBADF;
    if (f == t) return WASI_OK;
    wasi_fd_shut(w, t);
    *t = *f;
    f->kind = FD_FREE;
    return WASI_OK;
}

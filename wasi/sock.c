/* sock.c: connections through preopened listeners. Bytes move in io.c. */
#include "wasi/internal.h"

/* A directory is nothing that bytes go through: as for fd_seek, no such descriptor. */
static u32 take_socket(struct abi_ctx *c, u32 fd, u64 right, struct wasi_fd **out) {
    struct wasi_fd *f = wasi_fd_at(wasi_of(c), fd);
    if (f && f->type == WASI_TYPE_DIRECTORY) return WASI_EBADF;
    if (f && !wasi_is_socket(f)) return WASI_ENOTSOCK;
    return wasi_take_fd(wasi_of(c), fd, right, out);
}

u64 wasi_sock_accept(struct abi_ctx *c, u32 fd, u32 flags, u32 out) {
    struct wasi *w = wasi_of(c);
    struct wasi_fd *f;
    void *file = NULL;
    u32 e = take_socket(c, fd, WASI_RIGHT_ACCEPT, &f);
    if (e) return e;
    if (flags & ~(u32)WASI_FDFLAG_NONBLOCK) return WASI_EINVAL;
    if (!rt_mem(c, out, 4)) return WASI_EFAULT;
    if (!w->host->accept) return WASI_ENOSYS;
    u32 slot = wasi_fd_free_slot(w);
    if (slot == WASI_MAX_FDS) return WASI_EMFILE;
    i64 r = w->host->accept(w->host->self, f->file, flags & WASI_FDFLAG_NONBLOCK, &file);
    if (r < 0) return wasi_errno_of(r);
    w->fds[slot] = (struct wasi_fd){.kind = FD_FILE, .file = file, .type = WASI_TYPE_SOCKET_STREAM,
                                    .flags = flags, .rights = f->inherit};
    wasi_put32(c, out, slot);
    return WASI_OK;
}

u64 wasi_sock_shutdown(struct abi_ctx *c, u32 fd, u32 how) {
    const struct wasi_host *h = wasi_of(c)->host;
    struct wasi_fd *f;
    u32 e = take_socket(c, fd, WASI_RIGHT_SHUTDOWN, &f);
    if (e) return e;
    if (!how || how & ~(u32)(WASI_SHUT_RD | WASI_SHUT_WR)) return WASI_EINVAL;
    return h->shutdown ? wasi_errno_of(h->shutdown(h->self, f->file, how)) : WASI_ENOSYS;
}

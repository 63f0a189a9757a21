/* echo.c: a server through a preopened listener, the first descriptor that is a
 * socket: takes one connection, gives back what it was sent until the other
 * side is done. */
#include <stdio.h>
#include <wasi/api.h>

static int fail(const char *what, int e) {
    printf("%s: %d\n", what, e);
    return 1;
}

static int echo(__wasi_fd_t fd) {
    uint8_t buf[64];
    __wasi_iovec_t in = {buf, sizeof buf};
    __wasi_roflags_t flags;
    __wasi_size_t n, sent;
    int e;
    for (;;) {
        if ((e = __wasi_sock_recv(fd, &in, 1, __WASI_RIFLAGS_RECV_PEEK, &n, &flags))) return fail("peek", e);
        if ((e = __wasi_sock_recv(fd, &in, 1, 0, &n, &flags))) return fail("recv", e);
        if (!n) break;
        __wasi_ciovec_t out = {buf, n};
        if ((e = __wasi_sock_send(fd, &out, 1, 0, &sent))) return fail("send", e);
        if (sent != n) return fail("sent", (int)sent);
    }
    if ((e = __wasi_sock_shutdown(fd, __WASI_SDFLAGS_WR))) return fail("shutdown", e);
    return (e = __wasi_fd_close(fd)) ? fail("close", e) : 0;
}

static __wasi_fd_t listener(void) {
    __wasi_fdstat_t s = {0};
    __wasi_fd_t fd = 3;
    while (!__wasi_fd_fdstat_get(fd, &s) && s.fs_filetype != __WASI_FILETYPE_SOCKET_STREAM) fd++;
    return fd;
}

int main(void) {
    const __wasi_fd_t from = listener();
    __wasi_subscription_t in = {.userdata = 1, .u.tag = __WASI_EVENTTYPE_FD_READ};
    __wasi_event_t out;
    __wasi_size_t n;
    __wasi_fd_t fd;
    int e;
    in.u.u.fd_read.file_descriptor = from;
    if ((e = __wasi_fd_fdstat_set_flags(from, __WASI_FDFLAGS_NONBLOCK))) return fail("nonblock", e);
    if ((e = __wasi_sock_accept(from, 0, &fd)) != __WASI_ERRNO_AGAIN) return fail("accept", e);
    puts("listening");
    fflush(stdout);
    if ((e = __wasi_poll_oneoff(&in, &out, 1, &n)) || out.error) return fail("poll", e ? e : out.error);
    if ((e = __wasi_sock_accept(from, 0, &fd))) return fail("accept", e);
    return echo(fd);
}

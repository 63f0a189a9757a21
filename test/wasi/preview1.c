/* preview1.c: what preview 1 promises call by call, asked without a libc in
 * between: rights, flags, slashes, links, descriptors. Exit status 0 and "ok"
 * when all is as it should be. Needs one preopened directory that it may fill. */
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

static int bad;
#define CHECK(e) ((e) ? (void)0 : (void)(bad++, printf("line %d: %s\n", __LINE__, #e)))
#define GIVES(want, call)                                                                   \
    do {                                                                                    \
        int have_ = (call);                                                                 \
        if (have_ != (want)) bad++, printf("line %d: %s: %d, want %s\n", __LINE__, #call, have_, #want); \
    } while (0)

enum { TOP = 3, OK = __WASI_ERRNO_SUCCESS };
#define R(name) __WASI_RIGHTS_##name

static __wasi_fdstat_t status(__wasi_fd_t fd) {
    __wasi_fdstat_t s = {0};
    GIVES(OK, __wasi_fd_fdstat_get(fd, &s));
    return s;
}

static int open_at(__wasi_fd_t dir, const char *path, __wasi_oflags_t how, __wasi_rights_t rights, __wasi_fd_t *fd) {
    return __wasi_path_open(dir, 0, path, how, rights, 0, 0, fd);
}

static void make(__wasi_fd_t dir, const char *path) {
    __wasi_fd_t fd;
    GIVES(OK, open_at(dir, path, __WASI_OFLAGS_CREAT, R(FD_READ), &fd));
    GIVES(OK, __wasi_fd_close(fd));
}

/* A fresh directory with all the rights that the preopen hands on. */
static __wasi_fd_t enter(const char *name) {
    __wasi_fdstat_t top = status(TOP);
    __wasi_fd_t fd = 0;
    GIVES(OK, __wasi_path_create_directory(TOP, name));
    GIVES(OK, __wasi_path_open(TOP, 0, name, __WASI_OFLAGS_DIRECTORY, top.fs_rights_base, top.fs_rights_inheriting, 0, &fd));
    return fd;
}

static void leave(__wasi_fd_t dir, const char *name) {
    GIVES(OK, __wasi_fd_close(dir));
    GIVES(OK, __wasi_path_remove_directory(TOP, name));
}

static int put(__wasi_fd_t fd, const char *text, __wasi_size_t *n) {
    __wasi_ciovec_t v = {(const uint8_t *)text, strlen(text)};
    return __wasi_fd_write(fd, &v, 1, n);
}
static int get(__wasi_fd_t fd, char *to, __wasi_size_t cap, __wasi_size_t *n) {
    __wasi_iovec_t v = {(uint8_t *)to, cap};
    return __wasi_fd_read(fd, &v, 1, n);
}

static void file_rights(__wasi_fd_t dir) {
    __wasi_fd_t fd;
    __wasi_size_t n;
    char b[8];
    GIVES(OK, open_at(dir, "f", __WASI_OFLAGS_CREAT, R(FD_READ), &fd));
    CHECK(status(fd).fs_rights_base == R(FD_READ));
    GIVES(__WASI_ERRNO_BADF, put(fd, "x", &n));
    GIVES(__WASI_ERRNO_NOTCAPABLE, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, (__wasi_filesize_t *)b));
    GIVES(__WASI_ERRNO_NOTCAPABLE, __wasi_fd_filestat_set_size(fd, 5));
    GIVES(__WASI_ERRNO_NOTCAPABLE, __wasi_fd_allocate(fd, 0, 5));
    GIVES(__WASI_ERRNO_NOTCAPABLE, __wasi_fd_sync(fd));
    GIVES(OK, __wasi_fd_close(fd));
    GIVES(OK, open_at(dir, "f", 0, R(FD_WRITE) | R(FD_READ) | R(FD_SEEK), &fd));
    GIVES(OK, put(fd, "abc", &n));
    GIVES(OK, __wasi_fd_fdstat_set_rights(fd, R(FD_READ) | R(FD_SEEK), 0));
    GIVES(__WASI_ERRNO_BADF, put(fd, "x", &n));
    GIVES(__WASI_ERRNO_NOTCAPABLE, __wasi_fd_fdstat_set_rights(fd, R(FD_READ) | R(FD_WRITE), 0));
    GIVES(OK, __wasi_fd_close(fd));
    GIVES(OK, __wasi_path_unlink_file(dir, "f"));
}

static void dir_rights(__wasi_fd_t dir) {
    __wasi_fdstat_t s = status(dir);
    __wasi_fd_t fd, below;
    __wasi_filesize_t at;
    CHECK(s.fs_filetype == __WASI_FILETYPE_DIRECTORY && !s.fs_flags);
    CHECK(!(s.fs_rights_base & (R(FD_SEEK) | R(FD_WRITE) | R(FD_FILESTAT_SET_SIZE))));
    GIVES(OK, __wasi_path_create_directory(dir, "sub"));
    GIVES(OK, open_at(dir, "sub", __WASI_OFLAGS_DIRECTORY, R(FD_SEEK) | R(FD_READDIR), &below));
    CHECK(status(below).fs_rights_base == R(FD_READDIR)); /* a directory cannot be sought in */
    GIVES(__WASI_ERRNO_BADF, __wasi_fd_seek(below, 0, __WASI_WHENCE_CUR, &at));
    GIVES(__WASI_ERRNO_NOTCAPABLE, __wasi_path_create_directory(below, "x"));
    GIVES(__WASI_ERRNO_NOTCAPABLE, open_at(below, "x", __WASI_OFLAGS_CREAT, 0, &fd));
    GIVES(OK, __wasi_fd_close(below));
    GIVES(__WASI_ERRNO_ISDIR, open_at(dir, "sub", __WASI_OFLAGS_DIRECTORY, R(FD_READ) | R(FD_WRITE), &fd));
    GIVES(OK, __wasi_path_remove_directory(dir, "sub/"));
    make(dir, "f");
    GIVES(OK, open_at(dir, "f", __WASI_OFLAGS_TRUNC, 0, &fd));
    GIVES(OK, __wasi_fd_close(fd));
    s.fs_rights_base &= ~R(PATH_FILESTAT_SET_SIZE);
    s.fs_rights_inheriting &= ~R(FD_WRITE);
    GIVES(OK, __wasi_fd_fdstat_set_rights(dir, s.fs_rights_base, s.fs_rights_inheriting));
    GIVES(__WASI_ERRNO_NOTCAPABLE, open_at(dir, "f", __WASI_OFLAGS_TRUNC, 0, &fd));
    GIVES(__WASI_ERRNO_NOTCAPABLE, open_at(dir, "f", 0, R(FD_WRITE), &fd));
    GIVES(OK, open_at(dir, "f", 0, R(FD_READ), &fd));
    GIVES(__WASI_ERRNO_NOTDIR, open_at(fd, "g", __WASI_OFLAGS_CREAT, 0, &below));
    GIVES(OK, __wasi_fd_close(fd));
    GIVES(OK, __wasi_path_unlink_file(dir, "f"));
}

static void flags(__wasi_fd_t dir) {
    __wasi_rights_t all = R(FD_READ) | R(FD_WRITE) | R(FD_SEEK) | R(FD_FDSTAT_SET_FLAGS);
    __wasi_filesize_t at;
    __wasi_size_t n;
    __wasi_fd_t fd;
    char b[16] = {0};
    GIVES(OK, __wasi_path_open(dir, 0, "log", __WASI_OFLAGS_CREAT, all, 0, __WASI_FDFLAGS_APPEND, &fd));
    CHECK(status(fd).fs_flags == __WASI_FDFLAGS_APPEND);
    GIVES(OK, put(fd, "one", &n));
    GIVES(OK, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    GIVES(OK, put(fd, "two", &n));
    GIVES(OK, __wasi_fd_fdstat_set_flags(fd, 0));
    GIVES(OK, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    GIVES(OK, put(fd, "ONE", &n));
    GIVES(OK, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    GIVES(OK, get(fd, b, sizeof b, &n));
    CHECK(n == 6 && !memcmp(b, "ONEtwo", 6));
    GIVES(__WASI_ERRNO_INVAL, __wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_SYNC));
    GIVES(OK, __wasi_fd_close(fd));
    GIVES(OK, __wasi_path_unlink_file(dir, "log"));
}

static void slashes(__wasi_fd_t dir) {
    __wasi_fd_t fd;
    make(dir, "f");
    GIVES(OK, __wasi_path_create_directory(dir, "d"));
    GIVES(__WASI_ERRNO_NOTDIR, __wasi_path_unlink_file(dir, "f/"));
    GIVES(__WASI_ERRNO_ISDIR, __wasi_path_unlink_file(dir, "d"));
    GIVES(__WASI_ERRNO_ISDIR, __wasi_path_unlink_file(dir, "d/"));
    GIVES(__WASI_ERRNO_NOTDIR, __wasi_path_remove_directory(dir, "f"));
    GIVES(__WASI_ERRNO_NOTDIR, __wasi_path_remove_directory(dir, "f/"));
    GIVES(__WASI_ERRNO_NOENT, __wasi_path_link(dir, 0, "f", dir, "l/"));
    GIVES(__WASI_ERRNO_NOENT, __wasi_path_symlink("f", dir, "l/"));
    GIVES(__WASI_ERRNO_EXIST, __wasi_path_symlink("f", dir, "d/"));
    GIVES(__WASI_ERRNO_NOTDIR, open_at(dir, "f/", 0, 0, &fd));
    GIVES(OK, __wasi_path_rename(dir, "d/", dir, "e"));
    GIVES(OK, __wasi_path_rename(dir, "e", dir, "d/"));
    GIVES(OK, open_at(dir, "d//", 0, 0, &fd));
    GIVES(OK, __wasi_fd_close(fd));
    GIVES(__WASI_ERRNO_NOTCAPABLE, open_at(dir, "d/../../x", 0, 0, &fd));
    GIVES(OK, open_at(dir, "d/.//../d/./../f", 0, 0, &fd));
    GIVES(OK, __wasi_fd_close(fd));
    GIVES(OK, __wasi_path_remove_directory(dir, "d"));
    GIVES(OK, __wasi_path_unlink_file(dir, "f"));
}

static void links(__wasi_fd_t dir) {
    __wasi_filestat_t a, b;
    __wasi_fd_t fd;
    __wasi_size_t n;
    char text[4];
    make(dir, "target");
    GIVES(OK, __wasi_path_symlink("target", dir, "s"));
    GIVES(__WASI_ERRNO_LOOP, open_at(dir, "s", 0, 0, &fd));
    GIVES(__WASI_ERRNO_NOTDIR, __wasi_path_open(dir, 1, "s", __WASI_OFLAGS_DIRECTORY, 0, 0, 0, &fd));
    GIVES(OK, __wasi_path_readlink(dir, "s", (uint8_t *)text, sizeof text, &n));
    CHECK(n == 4 && !memcmp(text, "targ", 4));
    GIVES(OK, __wasi_path_filestat_get(dir, 0, "s", &a));
    GIVES(OK, __wasi_path_filestat_get(dir, 1, "s", &b));
    CHECK(a.filetype == __WASI_FILETYPE_SYMBOLIC_LINK && b.filetype == __WASI_FILETYPE_REGULAR_FILE);
    GIVES(OK, __wasi_path_filestat_set_times(dir, 0, "s", 0, a.mtim - 200, __WASI_FSTFLAGS_MTIM));
    GIVES(OK, __wasi_path_filestat_get(dir, 0, "s", &a));
    GIVES(OK, __wasi_path_filestat_set_times(dir, 1, "s", 0, 12345678900, __WASI_FSTFLAGS_MTIM));
    GIVES(OK, __wasi_path_filestat_get(dir, 0, "target", &b));
    CHECK(b.mtim == 12345678900 && a.mtim != b.mtim);
    GIVES(OK, __wasi_path_link(dir, 0, "target", dir, "hard"));
    GIVES(OK, __wasi_path_filestat_get(dir, 0, "target", &a));
    GIVES(OK, __wasi_path_filestat_get(dir, 0, "hard", &b));
    CHECK(a.ino == b.ino && a.dev == b.dev && a.nlink == 2 && b.nlink == 2);
    GIVES(__WASI_ERRNO_EXIST, __wasi_path_link(dir, 0, "target", dir, "s"));
    GIVES(__WASI_ERRNO_INVAL, __wasi_path_link(dir, 1, "s", dir, "t"));
    GIVES(OK, __wasi_path_unlink_file(dir, "hard"));
    GIVES(OK, __wasi_path_unlink_file(dir, "s"));
    GIVES(OK, __wasi_path_unlink_file(dir, "target"));
}

static void times(__wasi_fd_t dir) {
    __wasi_filestat_t a, b;
    __wasi_fd_t fd;
    GIVES(OK, open_at(dir, "f", __WASI_OFLAGS_CREAT, R(FD_READ) | R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_TIMES), &fd));
    GIVES(OK, __wasi_fd_filestat_get(fd, &a));
    GIVES(OK, __wasi_fd_filestat_set_times(fd, 1, a.mtim - 100, __WASI_FSTFLAGS_MTIM));
    GIVES(OK, __wasi_fd_filestat_get(fd, &b));
    CHECK(b.mtim == a.mtim - 100 && b.atim == a.atim);
    GIVES(__WASI_ERRNO_INVAL, __wasi_fd_filestat_set_times(fd, 1, 2, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW));
    GIVES(OK, __wasi_fd_close(fd));
    GIVES(OK, __wasi_path_unlink_file(dir, "f"));
}

static void descriptors(__wasi_fd_t dir) {
    __wasi_prestat_t p;
    __wasi_fd_t a, b;
    uint8_t name[64];
    GIVES(OK, open_at(dir, "a", __WASI_OFLAGS_CREAT, R(FD_READ), &a));
    GIVES(OK, open_at(dir, "b", __WASI_OFLAGS_CREAT, R(FD_READ) | R(FD_WRITE), &b));
    GIVES(OK, __wasi_fd_renumber(a, b));
    CHECK(status(b).fs_rights_base == R(FD_READ));
    GIVES(__WASI_ERRNO_BADF, __wasi_fd_close(a));
    GIVES(__WASI_ERRNO_BADF, __wasi_fd_renumber(b, a));
    GIVES(OK, __wasi_fd_close(b));
    GIVES(OK, __wasi_path_unlink_file(dir, "a"));
    GIVES(OK, __wasi_path_unlink_file(dir, "b"));
    GIVES(OK, __wasi_fd_prestat_get(TOP, &p));
    GIVES(__WASI_ERRNO_NAMETOOLONG, __wasi_fd_prestat_dir_name(TOP, name, 0));
    GIVES(OK, __wasi_fd_prestat_dir_name(TOP, name, p.u.dir.pr_name_len + 1));
    GIVES(__WASI_ERRNO_BADF, __wasi_fd_prestat_get(dir, &p));
    GIVES(__WASI_ERRNO_NOTSOCK, __wasi_sock_shutdown(1, __WASI_SDFLAGS_RD));
    GIVES(__WASI_ERRNO_BADF, __wasi_sock_shutdown(77, __WASI_SDFLAGS_RD));
    GIVES(__WASI_ERRNO_NOTSOCK, __wasi_sock_accept(1, 0, &a));
    GIVES(__WASI_ERRNO_BADF, __wasi_sock_accept(dir, 0, &a));
}

/* Standard output is ready before the clock; a clock alone fires in time. */
static void polls(void) {
    __wasi_subscription_t in[2] = {{.userdata = 7, .u.tag = __WASI_EVENTTYPE_CLOCK},
                                   {.userdata = 8, .u.tag = __WASI_EVENTTYPE_FD_WRITE}};
    __wasi_event_t out[2];
    __wasi_size_t n;
    in[0].u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    in[0].u.u.clock.timeout = 5000000000;
    in[1].u.u.fd_write.file_descriptor = 1;
    GIVES(OK, __wasi_poll_oneoff(in, out, 2, &n));
    CHECK(n == 1 && out[0].userdata == 8 && !out[0].error && out[0].type == __WASI_EVENTTYPE_FD_WRITE);
    in[0].u.u.clock.timeout = 2000000;
    GIVES(OK, __wasi_poll_oneoff(in, out, 1, &n));
    CHECK(n == 1 && out[0].userdata == 7 && !out[0].error && out[0].type == __WASI_EVENTTYPE_CLOCK);
    in[1].u.u.fd_write.file_descriptor = 99;
    GIVES(OK, __wasi_poll_oneoff(in + 1, out, 1, &n));
    CHECK(n == 1 && out[0].error == __WASI_ERRNO_BADF);
}

int main(void) {
    static void (*const parts[])(__wasi_fd_t) = {file_rights, dir_rights, flags, slashes, links, times, descriptors};
    for (unsigned k = 0; k < sizeof parts / sizeof *parts; k++) {
        __wasi_fd_t dir = enter("part");
        parts[k](dir);
        leave(dir, "part");
    }
    polls();
    puts(bad ? "bad" : "ok");
    return bad != 0;
}

/* public.c: what the programs of the public WASI test suite expect of preview 1,
 * asked in our own words, one check for each of them. The check is chosen by the
 * module's file name (argv[0]): public.txt lists the names and how each is run.
 * Exit status 0 and nothing printed when all is as it should be. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

static int bad;
#define CHECK(e) ((e) ? (void)0 : (void)(bad++, fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, #e, errno)))
#define IS(want, call) one_of(__LINE__, #call, (call), (want), (want), (want))
#define EITHER(a, b, call) one_of(__LINE__, #call, (call), (a), (b), (b))
#define ANY3(a, b, c, call) one_of(__LINE__, #call, (call), (a), (b), (c))
#define E(name) __WASI_ERRNO_##name
#define R(name) __WASI_RIGHTS_##name
enum { OK = E(SUCCESS), TOP = 3, FOLLOW = __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW };
enum { CREAT = __WASI_OFLAGS_CREAT, DIRECTORY = __WASI_OFLAGS_DIRECTORY, EXCL = __WASI_OFLAGS_EXCL, TRUNC = __WASI_OFLAGS_TRUNC };

static __wasi_fd_t dir; /* where the check works: opened below the preopen, or the preopen again */
static int argc;
static char **argv;

static void one_of(int line, const char *call, int have, int a, int b, int c) {
    if (have == a || have == b || have == c) return;
    bad++;
    fprintf(stderr, "line %d: %s: %d, want %d, %d or %d\n", line, call, have, a, b, c);
}

/* Shorter words for the calls. */

static int open_as(__wasi_fd_t d, int look, const char *path, int how, __wasi_rights_t rights, int flags, __wasi_fd_t *fd) {
    int e = __wasi_path_open(d, look, path, how, rights, 0, flags, fd);
    if (!e) CHECK(*fd > 2);
    return e;
}
static int look_up(int look, const char *path, int how) {
    __wasi_fd_t fd;
    int e = open_as(dir, look, path, how, 0, 0, &fd);
    if (!e) IS(OK, __wasi_fd_close(fd));
    return e;
}
static __wasi_fd_t create(const char *path, __wasi_rights_t rights) {
    __wasi_fd_t fd = 0;
    IS(OK, open_as(dir, 0, path, CREAT, rights, 0, &fd));
    return fd;
}
static void touch(const char *path) { IS(OK, __wasi_fd_close(create(path, 0))); }
static int mkdir_(const char *path) { return __wasi_path_create_directory(dir, path); }
static int rmdir_(const char *path) { return __wasi_path_remove_directory(dir, path); }
static int unlink_(const char *path) { return __wasi_path_unlink_file(dir, path); }
static int symlink_(const char *to, const char *path) { return __wasi_path_symlink(to, dir, path); }
static int link_(const char *from, const char *to) { return __wasi_path_link(dir, 0, from, dir, to); }
static int rename_(const char *from, const char *to) { return __wasi_path_rename(dir, from, dir, to); }
static int fill(__wasi_fd_t fd, int byte, unsigned n) {
    unsigned char b[100];
    __wasi_ciovec_t v = {memset(b, byte, sizeof b), n};
    __wasi_size_t done = 0;
    int e = __wasi_fd_write(fd, &v, 1, &done);
    if (!e) CHECK(done == n);
    return e;
}
/* Reads n bytes, which must all be byte. */
static int take(__wasi_fd_t fd, int byte, unsigned n) {
    unsigned char b[100];
    __wasi_iovec_t v = {b, sizeof b};
    __wasi_size_t done = 0;
    int e = __wasi_fd_read(fd, &v, 1, &done);
    if (e) return e;
    CHECK(done == n);
    for (unsigned k = 0; k < done; k++) CHECK(b[k] == byte);
    return e;
}
static __wasi_fdstat_t status(__wasi_fd_t fd) {
    __wasi_fdstat_t s = {0};
    IS(OK, __wasi_fd_fdstat_get(fd, &s));
    return s;
}
static __wasi_filestat_t stat_of(__wasi_fd_t fd) {
    __wasi_filestat_t s = {0};
    IS(OK, __wasi_fd_filestat_get(fd, &s));
    return s;
}
static __wasi_filestat_t stat_at(int look, const char *path) {
    __wasi_filestat_t s = {0};
    IS(OK, __wasi_path_filestat_get(dir, look, path, &s));
    return s;
}
static __wasi_filesize_t seek(__wasi_fd_t fd, __wasi_filedelta_t by, int whence) {
    __wasi_filesize_t at = 0;
    IS(OK, __wasi_fd_seek(fd, by, whence, &at));
    return at;
}

/* The rights that the suite's programs ask for below their scratch directory. */
static const __wasi_rights_t dir_base =
    R(FD_FILESTAT_GET) | R(FD_READDIR) | R(PATH_CREATE_FILE) | R(PATH_CREATE_DIRECTORY) | R(PATH_REMOVE_DIRECTORY) |
    R(PATH_OPEN) | R(PATH_UNLINK_FILE) | R(PATH_LINK_SOURCE) | R(PATH_LINK_TARGET) | R(PATH_READLINK) | R(PATH_RENAME_SOURCE) |
    R(PATH_RENAME_TARGET) | R(PATH_FILESTAT_GET) | R(PATH_FILESTAT_SET_SIZE) | R(PATH_FILESTAT_SET_TIMES) | R(PATH_SYMLINK);
static const __wasi_rights_t dir_inherit =
    R(FD_READ) | R(FD_WRITE) | R(FD_READDIR) | R(FD_FILESTAT_GET) | R(FD_SEEK) | R(PATH_LINK_SOURCE) | R(PATH_LINK_TARGET) |
    R(PATH_OPEN) | R(PATH_UNLINK_FILE) | R(PATH_FILESTAT_GET) | R(FD_FDSTAT_SET_FLAGS) | R(FD_SYNC) | R(FD_TELL) | R(FD_ADVISE) |
    R(FD_ALLOCATE) | R(FD_FILESTAT_SET_SIZE) | R(FD_FILESTAT_SET_TIMES);

/* --- of the programs in Rust --- */

static void big_random_buf(void) {
    unsigned char b[1024] = {0};
    unsigned any = 0;
    IS(OK, __wasi_random_get(b, sizeof b));
    for (unsigned k = 0; k < sizeof b; k++) any |= b[k];
    CHECK(any);
}

static void clock_time_get(void) {
    __wasi_timestamp_t a = 0, b = 0;
    IS(OK, __wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &a));
    for (int k = 0; k < 1000; k++) {
        IS(OK, __wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &b));
        CHECK(a <= b);
        a = b;
    }
}

static void close_preopen(void) {
    __wasi_fdstat_t s;
    CHECK(dir > TOP);
    IS(OK, __wasi_fd_close(TOP));
    CHECK(status(dir).fs_filetype == __WASI_FILETYPE_DIRECTORY);
    IS(E(BADF), __wasi_fd_fdstat_get(TOP, &s));
}

/* Removed and made again while nothing holds it. */
static void dangling_fd(void) {
    touch("f");
    IS(OK, look_up(0, "f", 0));
    IS(OK, unlink_("f"));
    touch("f");
    IS(OK, unlink_("f"));
    IS(OK, mkdir_("d"));
    IS(OK, look_up(0, "d", DIRECTORY));
    IS(OK, rmdir_("d"));
    IS(OK, mkdir_("d"));
    IS(OK, rmdir_("d"));
}

static void dangling_symlink(void) {
    IS(OK, symlink_("target", "s"));
    EITHER(E(NOTDIR), E(LOOP), look_up(0, "s", DIRECTORY));
    IS(E(LOOP), look_up(0, "s", 0));
    IS(OK, unlink_("s"));
}

static void dir_fd_op_failures(void) {
    unsigned char b[128] = {0};
    __wasi_iovec_t in = {b, sizeof b};
    __wasi_ciovec_t out = {b, sizeof b};
    __wasi_prestat_t p = {0};
    __wasi_filesize_t at;
    __wasi_size_t n;
    CHECK(stat_of(dir).filetype == __WASI_FILETYPE_DIRECTORY);
    IS(OK, __wasi_fd_prestat_get(TOP, &p));
    EITHER(E(INVAL), E(NAMETOOLONG), __wasi_fd_prestat_dir_name(TOP, b, 0));
    IS(OK, __wasi_fd_prestat_dir_name(TOP, b, p.u.dir.pr_name_len + 1));
    ANY3(E(ISDIR), E(BADF), E(NOTCAPABLE), __wasi_fd_read(dir, &in, 1, &n));
    ANY3(E(ISDIR), E(BADF), E(NOTCAPABLE), __wasi_fd_pread(dir, &in, 1, 0, &n));
    ANY3(E(ISDIR), E(BADF), E(NOTCAPABLE), __wasi_fd_write(dir, &out, 1, &n));
    ANY3(E(ISDIR), E(BADF), E(NOTCAPABLE), __wasi_fd_pwrite(dir, &out, 1, 0, &n));
    for (int whence = 0; whence < 3; whence++) ANY3(E(ISDIR), E(BADF), E(NOTCAPABLE), __wasi_fd_seek(dir, 0, whence, &at));
    ANY3(E(ISDIR), E(BADF), E(NOTCAPABLE), __wasi_fd_tell(dir, &at));
    ANY3(E(ISDIR), E(BADF), E(NOTCAPABLE), __wasi_fd_allocate(dir, 0, 1));
    ANY3(E(ISDIR), E(INVAL), E(NOTCAPABLE), __wasi_fd_filestat_set_size(dir, 0));
}

static void directory_seek(void) {
    __wasi_fd_t fd = 0;
    __wasi_filesize_t at;
    IS(OK, mkdir_("d"));
    IS(OK, open_as(dir, 0, "d", DIRECTORY, R(FD_SEEK), 0, &fd));
    ANY3(E(ISDIR), E(NOTCAPABLE), E(BADF), __wasi_fd_seek(fd, 0, __WASI_WHENCE_CUR, &at));
    CHECK(status(fd).fs_filetype == __WASI_FILETYPE_DIRECTORY && !(status(fd).fs_rights_base & R(FD_SEEK)));
    IS(OK, __wasi_fd_close(fd));
    IS(OK, rmdir_("d"));
}

static const __wasi_rights_t sizes = R(FD_READ) | R(FD_WRITE) | R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_SIZE) | R(FD_ALLOCATE);

static void fd_advise(void) {
    __wasi_fd_t fd = create("f", sizes | R(FD_ADVISE));
    CHECK(stat_of(fd).size == 0);
    IS(OK, __wasi_fd_filestat_set_size(fd, 100));
    CHECK(stat_of(fd).size == 100);
    IS(OK, __wasi_fd_advise(fd, 10, 50, __WASI_ADVICE_NORMAL));
    CHECK(stat_of(fd).size == 100);
    IS(OK, __wasi_fd_allocate(fd, 100, 100));
    CHECK(stat_of(fd).size == 200);
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

static void fd_fdstat_set_rights(void) {
    __wasi_rights_t moves = R(FD_READ) | R(FD_WRITE), all = moves | R(FD_SEEK) | R(FD_TELL);
    __wasi_fdstat_t d = status(dir);
    IS(OK, __wasi_fd_fdstat_set_rights(dir, d.fs_rights_base, d.fs_rights_inheriting));
    __wasi_fd_t fd = create("f", all);
    IS(OK, fill(fd, 7, 4));
    seek(fd, 0, __WASI_WHENCE_SET);
    IS(OK, take(fd, 7, 4));
    __wasi_fdstat_t s = status(fd);
    IS(OK, __wasi_fd_fdstat_set_rights(fd, s.fs_rights_base & ~moves, s.fs_rights_inheriting));
    s = status(fd);
    CHECK(!(s.fs_rights_base & moves) && s.fs_rights_base & R(FD_SEEK));
    EITHER(E(BADF), E(NOTCAPABLE), take(fd, 0, 0));
    EITHER(E(BADF), E(NOTCAPABLE), fill(fd, 0, 1));
    IS(E(NOTCAPABLE), __wasi_fd_fdstat_set_rights(fd, s.fs_rights_base | all, s.fs_rights_inheriting | all));
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

static void fd_filestat_get(void) {
    for (__wasi_fd_t fd = 0; fd < 3; fd++) {
        __wasi_filestat_t s = stat_of(fd);
        CHECK(!s.size && !s.atim && !s.mtim && !s.ctim);
    }
}

static void fd_filestat_set(void) {
    __wasi_fd_t fd = create("f", sizes | R(FD_FILESTAT_SET_TIMES));
    CHECK(stat_of(fd).size == 0);
    IS(OK, __wasi_fd_filestat_set_size(fd, 100));
    __wasi_filestat_t a = stat_of(fd);
    CHECK(a.size == 100);
    IS(OK, __wasi_fd_filestat_set_times(fd, a.mtim - 100, a.mtim - 100, __WASI_FSTFLAGS_MTIM));
    __wasi_filestat_t b = stat_of(fd);
    CHECK(b.size == 100 && b.mtim == a.mtim - 100 && b.atim == a.atim);
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

static void fd_flags_set(void) {
    __wasi_rights_t all = R(FD_READ) | R(FD_WRITE) | R(FD_SEEK) | R(FD_TELL) | R(FD_FDSTAT_SET_FLAGS);
    __wasi_fd_t fd = 0;
    IS(OK, open_as(dir, 0, "f", CREAT, all, __WASI_FDFLAGS_APPEND, &fd));
    for (int k = 0; k < 2; k++) { /* goes to the end, wherever it stands */
        seek(fd, 0, __WASI_WHENCE_SET);
        IS(OK, fill(fd, k, 100));
        seek(fd, k * 100, __WASI_WHENCE_SET);
        IS(OK, take(fd, k, 100));
    }
    IS(OK, __wasi_fd_fdstat_set_flags(fd, 0));
    seek(fd, 0, __WASI_WHENCE_SET);
    IS(OK, fill(fd, 2, 100));
    seek(fd, 0, __WASI_WHENCE_SET);
    IS(OK, take(fd, 2, 100));
    IS(OK, __wasi_fd_close(fd));
    CHECK(stat_at(0, "f").size == 200);
    IS(OK, unlink_("f"));
}

/* Whole entries of one call. */
struct listing {
    struct entry {
        __wasi_dirent_t d;
        char name[64];
    } list[16];
    unsigned n;
    int last; /* nothing follows */
};
enum { LISTING = 256 };

static void list(__wasi_fd_t fd, __wasi_dircookie_t from, struct listing *l) {
    unsigned char b[LISTING];
    __wasi_size_t used = 0;
    IS(OK, __wasi_fd_readdir(fd, b, sizeof b, from, &used));
    CHECK(used <= sizeof b);
    *l = (struct listing){.last = used < sizeof b};
    for (unsigned at = 0; at + sizeof(__wasi_dirent_t) <= used && l->n < 16; l->n++) {
        struct entry *e = &l->list[l->n];
        memcpy(&e->d, b + at, sizeof e->d);
        at += sizeof e->d;
        if (at + e->d.d_namlen > used || e->d.d_namlen >= sizeof e->name) break;
        memcpy(e->name, b + at, e->d.d_namlen);
        at += e->d.d_namlen;
    }
}
static const struct entry *entry_of(const struct listing *l, const char *name) {
    static const struct entry none;
    for (unsigned k = 0; k < l->n; k++)
        if (!strcmp(l->list[k].name, name)) return &l->list[k];
    CHECK(!name);
    return &none;
}

static void fd_readdir(void) {
    struct listing l, rest;
    list(dir, 0, &l);
    CHECK(l.last && l.n == 2);
    CHECK(entry_of(&l, ".")->d.d_type == __WASI_FILETYPE_DIRECTORY && entry_of(&l, ".")->d.d_ino == stat_of(dir).ino);
    CHECK(entry_of(&l, "..")->d.d_type == __WASI_FILETYPE_DIRECTORY);
    touch("file");
    list(dir, 0, &l);
    CHECK(l.last && l.n == 3);
    CHECK(entry_of(&l, "file")->d.d_type == __WASI_FILETYPE_REGULAR_FILE && entry_of(&l, "file")->d.d_ino == stat_at(0, "file").ino);
    list(dir, l.list[1].d.d_next, &rest);
    CHECK(rest.last && rest.n == 1 && !strcmp(rest.list[0].name, l.list[2].name));
    IS(OK, unlink_("file"));
    unsigned total = 0;
    char name[16];
    for (int k = 0; k < 1000; k++) {
        snprintf(name, sizeof name, "file.%d", k);
        touch(name);
    }
    __wasi_dircookie_t from = 0;
    do {
        list(dir, from, &l);
        total += l.n;
        if (l.n) from = l.list[l.n - 1].d.d_next;
    } while (!l.last && l.n);
    CHECK(total == 1002);
    for (int k = 0; k < 1000; k++) {
        snprintf(name, sizeof name, "file.%d", k);
        IS(OK, unlink_(name));
    }
}

static void file_allocate(void) {
    static const unsigned steps[][3] = {{0, 100, 100}, {10, 10, 100}, {90, 20, 110}};
    __wasi_fd_t fd = create("f", sizes);
    for (int k = 0; k < 3; k++) {
        IS(OK, __wasi_fd_allocate(fd, steps[k][0], steps[k][1]));
        CHECK(stat_of(fd).size == steps[k][2]);
    }
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

static void file_pread_pwrite(void) {
    unsigned char b[4] = {0, 1, 2, 3}, got[4] = {9, 9, 9, 9};
    __wasi_ciovec_t out[2] = {{b, 2}, {b + 2, 2}};
    __wasi_iovec_t in[2] = {{got, 2}, {got + 2, 2}};
    __wasi_size_t n = 0;
    __wasi_fd_t fd = create("f", R(FD_READ) | R(FD_SEEK) | R(FD_WRITE));
    IS(OK, __wasi_fd_pwrite(fd, out, 2, 0, &n));
    CHECK(n == 4);
    IS(OK, __wasi_fd_pread(fd, in, 2, 0, &n));
    CHECK(n == 4 && !memcmp(b, got, 4));
    IS(OK, __wasi_fd_pread(fd, in, 2, 2, &n));
    CHECK(n == 2 && !memcmp(got, "\2\3\2\3", 4));
    IS(OK, __wasi_fd_pread(fd, in, 2, 4, &n));
    CHECK(n == 0);
    out[0] = (__wasi_ciovec_t){(const unsigned char *)"\1", 2};
    IS(OK, __wasi_fd_pwrite(fd, out, 1, 2, &n));
    CHECK(n == 2);
    IS(OK, __wasi_fd_pread(fd, in, 2, 0, &n));
    CHECK(n == 4 && !memcmp(got, "\0\1\1\0", 4));
    CHECK(seek(fd, 0, __WASI_WHENCE_CUR) == 0); /* none of them moved it */
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

static void file_seek_tell(void) {
    __wasi_filesize_t at = 1;
    __wasi_fd_t fd = create("f", R(FD_READ) | R(FD_WRITE) | R(FD_SEEK) | R(FD_TELL));
    IS(OK, __wasi_fd_tell(fd, &at));
    CHECK(at == 0);
    IS(OK, fill(fd, 0, 100));
    IS(OK, __wasi_fd_tell(fd, &at));
    CHECK(at == 100 && seek(fd, -50, __WASI_WHENCE_CUR) == 50 && seek(fd, 0, __WASI_WHENCE_SET) == 0);
    CHECK(seek(fd, 1000, __WASI_WHENCE_CUR) == 1000);
    IS(E(INVAL), __wasi_fd_seek(fd, -2000, __WASI_WHENCE_CUR, &at));
    seek(fd, 0, __WASI_WHENCE_SET);
    IS(OK, take(fd, 0, 100));
    IS(OK, __wasi_fd_tell(fd, &at));
    CHECK(at == 100);
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

static void file_truncation(void) {
    __wasi_fd_t fd = create("f", R(FD_WRITE));
    IS(OK, fill(fd, 'x', 31));
    IS(OK, __wasi_fd_close(fd));
    IS(OK, open_as(dir, 0, "f", CREAT | TRUNC, R(FD_WRITE) | R(FD_READ), 0, &fd));
    IS(OK, take(fd, 0, 0));
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

static void file_unbuffered_write(void) {
    __wasi_fd_t out = 0, in = create("f", R(FD_READ));
    IS(OK, open_as(dir, 0, "f", 0, R(FD_WRITE), 0, &out));
    IS(OK, fill(out, 1, 1));
    IS(OK, take(in, 1, 1));
    IS(OK, __wasi_fd_close(out));
    IS(OK, __wasi_fd_close(in));
    IS(OK, unlink_("f"));
}

static void fstflags_validate(void) {
    __wasi_fd_t fd = create("f", R(FD_READ) | R(FD_FILESTAT_SET_TIMES));
    IS(E(INVAL), __wasi_fd_filestat_set_times(fd, 100, 200, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW));
    IS(E(INVAL), __wasi_fd_filestat_set_times(fd, 100, 200, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW));
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

/* A path with its length: wasi-libc's own takes a string. */
int32_t path_open_raw(int32_t, int32_t, int32_t, int32_t, int32_t, int64_t, int64_t, int32_t, int32_t)
    __attribute__((import_module("wasi_snapshot_preview1"), import_name("path_open")));

static void interesting_paths(void) {
    static const struct {
        const char *path;
        int a, b;
    } cases[] = {
        {"/dir/nested/file", E(PERM), E(NOTCAPABLE)},
        {"dir/.//nested/../../dir/nested/../nested///./file", OK, OK},
        {"dir/nested/file/", E(NOTDIR), E(NOENT)}, {"dir/nested/file///", E(NOTDIR), E(NOENT)},
        {"dir/nested/", OK, OK}, {"dir/nested///", OK, OK},
        {"dir/nested/../../../up/dir/nested/file", E(PERM), E(NOTCAPABLE)},
    };
    static const char zero[] = "dir/nested/file";
    __wasi_fd_t fd;
    IS(OK, mkdir_("dir"));
    IS(OK, mkdir_("dir/nested"));
    touch("dir/nested/file");
    for (unsigned k = 0; k < sizeof cases / sizeof *cases; k++) EITHER(cases[k].a, cases[k].b, look_up(0, cases[k].path, 0));
    ANY3(E(INVAL), E(ILSEQ), E(NOENT), path_open_raw((int)dir, 0, (int)zero, sizeof zero, 0, 0, 0, 0, (int)&fd));
    IS(OK, unlink_("dir/nested/file"));
    IS(OK, rmdir_("dir/nested"));
    IS(OK, rmdir_("dir"));
}

static void isatty_(void) {
    __wasi_fd_t fd = create("f", 0);
    CHECK(!isatty((int)fd));
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

static void nofollow_errors(void) {
    IS(OK, mkdir_("target"));
    IS(OK, symlink_("target", "s"));
    EITHER(E(LOOP), E(NOTDIR), look_up(0, "s", DIRECTORY));
    EITHER(E(LOOP), E(ACCES), look_up(0, "s", 0));
    IS(OK, look_up(FOLLOW, "s", DIRECTORY));
    IS(OK, unlink_("s"));
    IS(OK, rmdir_("target"));
    touch("target");
    IS(OK, symlink_("target", "s"));
    EITHER(E(LOOP), E(NOTDIR), look_up(0, "s", DIRECTORY));
    IS(E(LOOP), look_up(0, "s", 0));
    IS(E(NOTDIR), look_up(FOLLOW, "s", DIRECTORY));
    IS(OK, unlink_("target"));
    IS(OK, unlink_("s"));
}

static void overwrite_preopen(void) {
    __wasi_filestat_t a = stat_of(dir), b;
    __wasi_fdstat_t s;
    __wasi_prestat_t p;
    CHECK(dir > TOP);
    IS(OK, __wasi_fd_renumber(dir, TOP));
    b = stat_of(TOP);
    CHECK(a.dev == b.dev && a.ino == b.ino);
    IS(E(BADF), __wasi_fd_fdstat_get(dir, &s));
    IS(E(BADF), __wasi_fd_prestat_get(TOP, &p));
    IS(OK, __wasi_fd_close(TOP));
}

static void path_exists(void) {
    static const struct {
        const char *path;
        int look, type;
    } cases[] = {
        {"d", 0, __WASI_FILETYPE_DIRECTORY}, {"d", FOLLOW, __WASI_FILETYPE_DIRECTORY},
        {"d/file", 0, __WASI_FILETYPE_REGULAR_FILE}, {"d/file", FOLLOW, __WASI_FILETYPE_REGULAR_FILE},
        {"s1", 0, __WASI_FILETYPE_SYMBOLIC_LINK}, {"s1", FOLLOW, __WASI_FILETYPE_REGULAR_FILE},
        {"s2", 0, __WASI_FILETYPE_SYMBOLIC_LINK}, {"s2", FOLLOW, __WASI_FILETYPE_DIRECTORY},
    };
    IS(OK, mkdir_("d"));
    touch("d/file");
    IS(OK, symlink_("d/file", "s1"));
    IS(OK, symlink_("d", "s2"));
    for (unsigned k = 0; k < sizeof cases / sizeof *cases; k++) CHECK(stat_at(cases[k].look, cases[k].path).filetype == cases[k].type);
    IS(OK, unlink_("s1"));
    IS(OK, unlink_("s2"));
    IS(OK, unlink_("d/file"));
    IS(OK, rmdir_("d"));
}

static int set_mtime(int look, const char *path, __wasi_timestamp_t t, int how) {
    return __wasi_path_filestat_set_times(dir, look, path, 0, t, (__wasi_fstflags_t)how);
}

static void path_filestat(void) {
    int flags = __WASI_FDFLAGS_APPEND | __WASI_FDFLAGS_SYNC;
    __wasi_fd_t fd = 0;
    CHECK(status(dir).fs_rights_base & R(PATH_FILESTAT_GET));
    IS(OK, open_as(dir, 0, "f", CREAT, R(FD_READ) | R(FD_WRITE) | R(PATH_FILESTAT_GET), flags, &fd));
    CHECK((status(fd).fs_flags & flags) == flags);
    __wasi_filestat_t s = stat_at(0, "f");
    CHECK(s.size == 0);
    IS(OK, set_mtime(0, "f", s.mtim - 100, __WASI_FSTFLAGS_MTIM));
    CHECK(stat_at(0, "f").mtim == s.mtim - 100);
    IS(E(INVAL), set_mtime(0, "f", s.mtim, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW));
    CHECK(stat_at(0, "f").mtim == s.mtim - 100);
    IS(E(INVAL), set_mtime(0, "f", 0, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW));
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

static const __wasi_rights_t link_rights =
    R(FD_READ) | R(PATH_LINK_SOURCE) | R(PATH_LINK_TARGET) | R(FD_FILESTAT_GET) | R(PATH_OPEN) | R(PATH_UNLINK_FILE);

static __wasi_fd_t open_linked(__wasi_fd_t d, const char *path, int how) {
    __wasi_fd_t fd = 0;
    IS(OK, __wasi_path_open(d, 0, path, how, link_rights, link_rights, 0, &fd));
    return fd;
}

/* Two descriptors of one file. */
static void alike(__wasi_fd_t a, __wasi_fd_t b) {
    __wasi_filestat_t x = stat_of(a), y = stat_of(b);
    __wasi_fdstat_t p = status(a), q = status(b);
    CHECK(x.dev == y.dev && x.ino == y.ino && x.atim == y.atim && x.ctim == y.ctim && x.mtim == y.mtim);
    CHECK(x.size == y.size && x.nlink == y.nlink && x.filetype == y.filetype);
    CHECK(p.fs_flags == q.fs_flags && p.fs_filetype == q.fs_filetype);
    CHECK(p.fs_rights_base == q.fs_rights_base && p.fs_rights_inheriting == q.fs_rights_inheriting);
}

static void link_alike(__wasi_fd_t file, __wasi_fd_t in) {
    IS(OK, __wasi_path_link(dir, 0, "file", in, "link"));
    __wasi_fd_t fd = open_linked(in, "link", 0);
    alike(file, fd);
    IS(OK, __wasi_fd_close(fd));
    IS(OK, __wasi_path_unlink_file(in, "link"));
}

static void link_to_links(void) {
    static const char *const targets[] = {"target", "s"}; /* dangling, then a loop */
    for (int k = 0; k < 2; k++) {
        IS(OK, symlink_(targets[k], "s"));
        IS(OK, link_("s", "link"));
        IS(OK, unlink_("s"));
        IS(OK, unlink_("link"));
    }
    IS(OK, symlink_("target", "s"));
    IS(E(EXIST), link_("file", "s"));
    EITHER(E(INVAL), E(NOENT), __wasi_path_link(dir, FOLLOW, "s", dir, "link"));
    IS(OK, unlink_("s"));
}

static void path_link(void) {
    __wasi_fd_t file = open_linked(dir, "file", CREAT), sub;
    link_alike(file, dir);
    IS(OK, mkdir_("sub"));
    sub = open_linked(dir, "sub", DIRECTORY);
    link_alike(file, sub);
    IS(OK, __wasi_fd_close(file));
    IS(OK, __wasi_fd_close(sub));
    touch("link");
    IS(E(EXIST), link_("file", "link"));
    IS(OK, unlink_("link"));
    IS(E(EXIST), link_("file", "file"));
    IS(E(EXIST), link_("file", "sub"));
    EITHER(E(PERM), E(ACCES), link_("sub", "link"));
    IS(E(NOENT), link_("file", "link/"));
    IS(OK, rmdir_("sub"));
    link_to_links();
    IS(OK, unlink_("file"));
}

static void path_open_create_existing(void) {
    touch("f");
    IS(E(EXIST), look_up(0, "f", CREAT | EXCL));
    IS(OK, unlink_("f"));
}

static void path_open_dirfd_not_dir(void) {
    __wasi_fd_t below, fd = create("f", 0);
    EITHER(E(NOTDIR), E(NOTCAPABLE), open_as(fd, 0, "foo", CREAT, 0, 0, &below));
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

static void path_open_missing(void) { IS(E(NOENT), look_up(0, "f", 0)); }

static void path_open_nonblock(void) {
    __wasi_fd_t fd;
    IS(OK, open_as(dir, 0, ".", 0, 0, __WASI_FDFLAGS_NONBLOCK, &fd));
}

static void path_open_preopen(void) {
    const __wasi_rights_t base = (dir_base & ~R(PATH_FILESTAT_SET_SIZE)) | R(FD_FILESTAT_SET_TIMES);
    const __wasi_rights_t inherit =
        base | R(FD_DATASYNC) | R(FD_READ) | R(FD_SEEK) | R(FD_FDSTAT_SET_FLAGS) | R(FD_SYNC) | R(FD_TELL) | R(FD_WRITE) |
        R(FD_ADVISE) | R(FD_ALLOCATE) | R(FD_FILESTAT_SET_SIZE) | R(POLL_FD_READWRITE);
    __wasi_fdstat_t s = status(TOP);
    __wasi_prestat_t p = {.tag = 1};
    __wasi_fd_t fd;
    IS(OK, __wasi_fd_prestat_get(TOP, &p));
    CHECK(p.tag == __WASI_PREOPENTYPE_DIR);
    CHECK((s.fs_rights_base & base) == base && (s.fs_rights_inheriting & inherit) == inherit);
    IS(OK, __wasi_path_open(TOP, 0, ".", 0, s.fs_rights_base, s.fs_rights_inheriting, 0, &fd));
    IS(OK, open_as(TOP, 0, ".", 0, 0, 0, &fd));
    IS(OK, open_as(TOP, 0, ".", DIRECTORY, 0, 0, &fd));
    IS(OK, open_as(TOP, 0, ".", DIRECTORY, R(FD_READ), 0, &fd));
    IS(E(ISDIR), open_as(TOP, 0, ".", DIRECTORY, R(FD_READ) | R(FD_WRITE), 0, &fd));
}

static void path_open_read_without_rights(void) {
    __wasi_fdstat_t s = status(dir);
    __wasi_fd_t fd = 0;
    touch("f");
    IS(OK, __wasi_fd_fdstat_set_rights(dir, s.fs_rights_base & ~R(FD_READ), s.fs_rights_inheriting & ~R(FD_READ)));
    IS(OK, open_as(dir, 0, "f", 0, 0, 0, &fd));
    CHECK(!((status(fd).fs_rights_base | status(fd).fs_rights_inheriting) & R(FD_READ)));
    IS(E(BADF), take(fd, 0, 0));
    IS(OK, __wasi_fd_close(fd));
    IS(E(NOTCAPABLE), open_as(dir, 0, "f", 0, R(FD_READ), 0, &fd));
    IS(OK, unlink_("f"));
}

static void path_open_read_write(void) {
    __wasi_fd_t fd = 0;
    touch("f");
    IS(OK, open_as(dir, 0, "f", 0, R(FD_READ), 0, &fd));
    CHECK((status(fd).fs_rights_base & (R(FD_READ) | R(FD_WRITE))) == R(FD_READ));
    IS(OK, take(fd, 0, 0));
    ANY3(E(BADF), E(NOTCAPABLE), E(ACCES), fill(fd, 1, 50));
    IS(OK, __wasi_fd_close(fd));
    IS(OK, open_as(dir, 0, "f", 0, R(FD_WRITE), 0, &fd));
    CHECK((status(fd).fs_rights_base & (R(FD_READ) | R(FD_WRITE))) == R(FD_WRITE));
    ANY3(E(BADF), E(NOTCAPABLE), E(ACCES), take(fd, 0, 0));
    IS(OK, fill(fd, 1, 50));
    IS(OK, __wasi_fd_close(fd));
    IS(OK, open_as(dir, 0, "f", 0, R(FD_READ) | R(FD_WRITE) | R(FD_FILESTAT_GET), 0, &fd));
    IS(OK, take(fd, 1, 50));
    IS(OK, fill(fd, 2, 25));
    CHECK(stat_of(fd).size == 75);
    IS(OK, __wasi_fd_close(fd));
    IS(OK, unlink_("f"));
}

/* From is gone, to is there. */
static void renamed(int how) {
    IS(OK, rename_("source", "target"));
    IS(E(NOENT), look_up(0, "source", how));
    IS(OK, look_up(0, "target", how));
    IS(OK, how == DIRECTORY ? rmdir_("target") : unlink_("target"));
}

static void path_rename(void) {
    IS(OK, mkdir_("source"));
    renamed(DIRECTORY);
    IS(OK, mkdir_("source"));
    IS(OK, mkdir_("target"));
    renamed(DIRECTORY);
    IS(OK, mkdir_("source"));
    IS(OK, mkdir_("target"));
    touch("target/file");
    IS(E(NOTEMPTY), rename_("source", "target"));
    IS(E(NOTDIR), rename_("source", "target/file"));
    IS(OK, unlink_("target/file"));
    IS(OK, rmdir_("source"));
    IS(OK, rmdir_("target"));
    touch("source");
    renamed(0);
    touch("source");
    touch("target");
    renamed(0);
    touch("source");
    IS(OK, mkdir_("target"));
    IS(E(ISDIR), rename_("source", "target"));
    IS(OK, rmdir_("target"));
    IS(OK, unlink_("source"));
}

static void path_rename_dir_trailing_slashes(void) {
    IS(OK, mkdir_("source"));
    IS(OK, rename_("source/", "target"));
    IS(OK, rename_("target", "source/"));
    IS(OK, rename_("source/", "target/"));
    IS(OK, rename_("target", "source"));
    IS(OK, rmdir_("source"));
}

static void path_symlink_trailing_slashes(void) {
    IS(E(NOENT), symlink_("source", "target/"));
    IS(OK, symlink_("source", "target"));
    IS(OK, unlink_("target"));
    IS(OK, mkdir_("target"));
    IS(E(EXIST), symlink_("source", "target/"));
    IS(E(EXIST), symlink_("source", "target"));
    IS(OK, rmdir_("target"));
    touch("target");
    EITHER(E(NOTDIR), E(EXIST), symlink_("source", "target/"));
    IS(E(EXIST), symlink_("source", "target"));
    IS(OK, unlink_("target"));
}

static __wasi_subscription_t clock_in(__wasi_timestamp_t ns, __wasi_userdata_t user) {
    __wasi_subscription_t s = {.userdata = user, .u.tag = __WASI_EVENTTYPE_CLOCK};
    s.u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    s.u.u.clock.timeout = ns;
    return s;
}
static __wasi_subscription_t on_fd(__wasi_fd_t fd, int type, __wasi_userdata_t user) {
    __wasi_subscription_t s = {.userdata = user, .u.tag = (unsigned char)type};
    s.u.u.fd_read.file_descriptor = fd;
    return s;
}

static void poll_oneoff_stdio(void) {
    enum { CLOCK = 0x12345678, READ = 0x76543210, WAIT = 200000000 };
    __wasi_subscription_t in[3] = {clock_in(WAIT, CLOCK), on_fd(0, __WASI_EVENTTYPE_FD_READ, READ)};
    __wasi_event_t out[3];
    __wasi_size_t n = 0;
    unsigned written = 0;
    IS(OK, __wasi_poll_oneoff(in, out, 2, &n));
    CHECK(n >= 1 && n <= 2);
    for (unsigned k = 0; k < n; k++) {
        CHECK(!out[k].error);
        CHECK(out[k].userdata == (out[k].type == __WASI_EVENTTYPE_CLOCK ? CLOCK : READ));
    }
    in[1] = on_fd(1, __WASI_EVENTTYPE_FD_WRITE, 1);
    in[2] = on_fd(2, __WASI_EVENTTYPE_FD_WRITE, 2);
    IS(OK, __wasi_poll_oneoff(in, out, 3, &n));
    for (unsigned k = 0; k < n; k++) {
        CHECK(!out[k].error && out[k].type == __WASI_EVENTTYPE_FD_WRITE);
        written |= (unsigned)out[k].userdata;
    }
    CHECK(written == 3);
}

static void readlink_(void) {
    unsigned char b[10] = {0};
    __wasi_size_t n = 0;
    touch("target");
    IS(OK, symlink_("target", "s"));
    IS(OK, __wasi_path_readlink(dir, "s", b, sizeof b, &n));
    CHECK(n == 6 && !memcmp(b, "target\0\0\0\0", 10));
    memset(b, 0, sizeof b);
    IS(OK, __wasi_path_readlink(dir, "s", b, 4, &n));
    CHECK(n == 4 && !memcmp(b, "targ\0", 5));
    IS(OK, unlink_("target"));
    IS(OK, unlink_("s"));
}

static void remove_directory_trailing_slashes(void) {
    IS(OK, mkdir_("d"));
    IS(OK, rmdir_("d"));
    IS(OK, mkdir_("d"));
    IS(OK, rmdir_("d/"));
    touch("f");
    IS(E(NOTDIR), rmdir_("f"));
    IS(E(NOTDIR), rmdir_("f/"));
    IS(OK, unlink_("f"));
}

static void remove_nonempty_directory(void) {
    IS(OK, mkdir_("d"));
    IS(OK, mkdir_("d/nested"));
    IS(E(NOTEMPTY), rmdir_("d"));
    IS(OK, rmdir_("d/nested"));
    IS(OK, rmdir_("d"));
}

static void renumber(void) {
    __wasi_fd_t from = create("f1", R(FD_READ) | R(FD_WRITE)), to = create("f2", R(FD_READ) | R(FD_WRITE));
    __wasi_fdstat_t a = status(from), b;
    CHECK(dir > TOP);
    IS(OK, __wasi_fd_renumber(from, to));
    IS(E(BADF), __wasi_fd_close(from));
    b = status(to);
    CHECK(a.fs_filetype == b.fs_filetype && a.fs_flags == b.fs_flags);
    CHECK(a.fs_rights_base == b.fs_rights_base && a.fs_rights_inheriting == b.fs_rights_inheriting);
    IS(E(BADF), __wasi_fd_renumber(to, from));
    IS(OK, __wasi_fd_close(to));
    IS(OK, unlink_("f1"));
    IS(OK, unlink_("f2"));
}

static void sched_yield_(void) { IS(OK, __wasi_sched_yield()); }

/* The three streams move away, one after the other; their numbers are used again. */
static void stdio(void) {
    __wasi_fdstat_t s;
    for (__wasi_fd_t from = 0; from < 3; from++) {
        __wasi_fd_t to = 0;
        IS(OK, __wasi_path_open(dir, 0, "f", CREAT, 0, 0, 0, &to));
        IS(OK, __wasi_fd_renumber(from, to));
        IS(OK, __wasi_fd_fdstat_get(to, &s));
        IS(E(BADF), __wasi_fd_fdstat_get(from, &s));
        IS(OK, unlink_("f"));
    }
}

static void symlink_create(void) {
    touch("target");
    IS(OK, symlink_("target", "s"));
    IS(OK, look_up(FOLLOW, "s", 0));
    IS(OK, unlink_("s"));
    IS(OK, unlink_("target"));
    IS(OK, mkdir_("target"));
    IS(OK, symlink_("target", "s"));
    IS(OK, look_up(FOLLOW, "s", DIRECTORY));
    IS(OK, unlink_("s"));
    IS(OK, rmdir_("target"));
    CHECK(symlink_("/", "s") != OK);
}

static void symlink_filestat(void) {
    CHECK(status(dir).fs_rights_base & R(PATH_FILESTAT_GET));
    touch("f");
    __wasi_filestat_t file = stat_at(0, "f"), s;
    CHECK(file.size == 0);
    IS(OK, symlink_("f", "s"));
    s = stat_at(0, "s");
    IS(OK, set_mtime(0, "s", s.mtim - 200, __WASI_FSTFLAGS_MTIM));
    CHECK(stat_at(0, "s").mtim == s.mtim - 200 && stat_at(0, "f").mtim == file.mtim && stat_at(FOLLOW, "s").mtim == file.mtim);
    IS(OK, set_mtime(FOLLOW, "s", s.mtim, __WASI_FSTFLAGS_MTIM));
    CHECK(stat_at(0, "f").mtim == s.mtim);
    IS(OK, unlink_("s"));
    IS(OK, unlink_("f"));
}

static void symlink_loop(void) {
    IS(OK, symlink_("s", "s"));
    IS(E(LOOP), look_up(0, "s", 0));
    IS(E(LOOP), look_up(FOLLOW, "s", 0));
    IS(OK, unlink_("s"));
}

static void truncation_rights(void) {
    __wasi_fdstat_t s = status(dir);
    touch("f");
    CHECK(s.fs_filetype == __WASI_FILETYPE_DIRECTORY && !s.fs_flags && !(s.fs_rights_base & R(FD_FILESTAT_SET_SIZE)));
    CHECK(s.fs_rights_base & R(PATH_FILESTAT_SET_SIZE) && s.fs_rights_inheriting & R(FD_FILESTAT_SET_SIZE));
    IS(OK, look_up(0, "f", TRUNC));
    s.fs_rights_inheriting &= ~R(FD_FILESTAT_SET_SIZE);
    IS(OK, __wasi_fd_fdstat_set_rights(dir, s.fs_rights_base, s.fs_rights_inheriting));
    IS(OK, look_up(0, "f", TRUNC));
    s.fs_rights_base &= ~R(PATH_FILESTAT_SET_SIZE);
    IS(OK, __wasi_fd_fdstat_set_rights(dir, s.fs_rights_base, s.fs_rights_inheriting));
    CHECK(!(status(dir).fs_rights_base & R(PATH_FILESTAT_SET_SIZE)));
    EITHER(E(PERM), E(NOTCAPABLE), look_up(0, "f", TRUNC));
    IS(OK, unlink_("f"));
}

static void unlink_file_trailing_slashes(void) {
    IS(OK, mkdir_("d"));
    IS(E(ISDIR), unlink_("d"));
    IS(E(ISDIR), unlink_("d/"));
    IS(OK, rmdir_("d"));
    touch("f");
    IS(E(NOTDIR), unlink_("f/"));
    IS(OK, unlink_("f"));
}

/* --- of the programs in C --- */

static void resolution(clockid_t id) {
    struct timespec t;
    CHECK(!clock_getres(id, &t) && (t.tv_sec || t.tv_nsec));
}
static void getres_monotonic(void) { resolution(CLOCK_MONOTONIC); }
static void getres_realtime(void) { resolution(CLOCK_REALTIME); }

/* From one call to the next it goes on. */
static void gettime_monotonic(void) {
    struct timespec a, b;
    for (int k = 0; k < 100000; k++) {
        CHECK(!clock_gettime(CLOCK_MONOTONIC, &a) && !clock_gettime(CLOCK_MONOTONIC, &b));
        CHECK(a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec));
    }
}
static void gettime_realtime(void) {
    struct timespec t;
    CHECK(!clock_gettime(CLOCK_REALTIME, &t) && t.tv_sec > 1700000000);
}

static void fdopendir_with_access(void) {
    struct dirent *e;
    struct stat s;
    int fd = open("data/listed", O_RDONLY | O_DIRECTORY);
    unsigned seen = 0;
    ino_t inos[2] = {0};
    DIR *d = fdopendir(fd);
    CHECK(fd != -1 && d);
    while (d && (e = readdir(d))) {
        if (e->d_name[0] == '.') continue;
        unsigned k = (unsigned)e->d_name[5] - '0';
        CHECK(!strncmp(e->d_name, "file-", 5) && k < 2);
        seen |= 1u << k % 2;
        inos[k % 2] = e->d_ino;
        CHECK(!fstatat(fd, e->d_name, &s, AT_SYMLINK_NOFOLLOW) && s.st_ino == e->d_ino);
    }
    CHECK(seen == 3 && inos[0] != inos[1]);
    if (d) closedir(d);
}

static void fopen_with_access(void) {
    FILE *f = fopen("data/file", "r");
    CHECK(f && !fclose(f));
}

/* wasi-libc looks for a preopened directory, and finds none. */
static void fopen_with_no_access(void) {
    CHECK(!fopen("data/file", "r"));
    CHECK(errno == ENOTCAPABLE);
}

static void lseek_(void) {
    char b[4];
    FILE *f = fopen("data/digits", "r");
    int fd = f ? fileno(f) : -1;
    CHECK(f && fread(b, 1, 4, f) == 4);
    if (!f) return;
    fflush(f);
    CHECK(lseek(fd, 0, SEEK_CUR) == 4);
    CHECK(fread(b, 1, 1, f) == 1 && b[0] == '4');
    fflush(f);
    CHECK(lseek(fd, 0, SEEK_CUR) == 5 && lseek(fd, 0, SEEK_SET) == 0 && lseek(fd, 0, SEEK_END) == 8);
    fclose(f);
}

static void pread_with_access(void) {
    char b[16];
    int fd = open("data/digits", O_RDONLY);
    CHECK(fd > 0 && pread(fd, b, 3, 4) == 3 && !memcmp(b, "456", 3) && !close(fd));
}

static void pwrite_with_access(void) {
    static const char path[] = "data/written";
    char b[32];
    CHECK(access(path, F_OK));
    int fd = open(path, O_WRONLY | O_CREAT);
    CHECK(fd > 0 && pwrite(fd, "a long sentence", 15, 0) == 15 && pwrite(fd, "LONG", 4, 2) == 4 && !close(fd));
    fd = open(path, O_RDONLY);
    CHECK(fd > 0 && read(fd, b, sizeof b) == 15 && !memcmp(b, "a LONG sentence", 15) && !close(fd));
    CHECK(!remove(path));
}

static void pwrite_with_append(void) {
    int fd = open("data/appended", O_CREAT | O_TRUNC | O_WRONLY | O_APPEND);
    CHECK(fd != -1 && write(fd, "ab", 2) == 2 && lseek(fd, 0, SEEK_SET) == 0 && write(fd, "cd", 2) == 2);
    CHECK(lseek(fd, 0, SEEK_CUR) == 4 && pwrite(fd, "xyz", 3, 0) == 3 && lseek(fd, 0, SEEK_CUR) == 4);
    off_t end = lseek(fd, 0, SEEK_END);
    CHECK(end == 4 || end == 7); /* POSIX writes where it is told to, Linux appends */
    CHECK(!close(fd) && !remove("data/appended"));
}

static void shutdown_invalid(void) {
    CHECK(shutdown(3, SHUT_RD) && errno == EBADF);
}
static void shutdown_not_sock(void) {
    CHECK(shutdown(STDOUT_FILENO, SHUT_RD) && errno == ENOTSOCK);
}

static void stat_dev_ino(void) {
    struct stat a, b;
    int x = open("data/file", O_RDONLY), y = open("data/digits", O_RDONLY);
    CHECK(x != -1 && y != -1 && !fstat(x, &a) && !fstat(y, &b));
    CHECK(a.st_dev == b.st_dev && a.st_ino != b.st_ino);
}

/* --- of the programs in AssemblyScript --- */

static void arguments(void) {
    static const char *const want[] = {"first", "the \"second\" arg", "3"};
    CHECK(argc == 4);
    for (int k = 1; k < argc && k < 4; k++) CHECK(!strcmp(argv[k], want[k - 1]));
}
static void arguments_count(void) {
    __wasi_size_t n = 0, bytes = 0;
    IS(OK, __wasi_args_sizes_get(&n, &bytes));
    CHECK(n == (__wasi_size_t)argc && argc == 4);
}
static void arguments_none(void) {
    __wasi_size_t n = 0, bytes = 0;
    IS(OK, __wasi_args_sizes_get(&n, &bytes));
    CHECK(n == 1);
}
static void variables(void) {
    static const char *const want[] = {"a=text", "b=escap \" ing", "c=new\nline"};
    __wasi_size_t n = 0, bytes = 0;
    unsigned char *list[3], texts[100];
    unsigned seen = 0;
    IS(OK, __wasi_environ_sizes_get(&n, &bytes));
    CHECK(n == 3 && bytes <= sizeof texts);
    if (bad) return;
    IS(OK, __wasi_environ_get(list, texts));
    for (unsigned k = 0; k < n; k++)
        for (unsigned j = 0; j < 3; j++) seen |= (unsigned)!strcmp((char *)list[k], want[j]) << j;
    CHECK(seen == 7);
}
static void variables_none(void) {
    __wasi_size_t n = 9, bytes = 9;
    IS(OK, __wasi_environ_sizes_get(&n, &bytes));
    CHECK(n == 0 && bytes == 0);
}
static void write_invalid(void) {
    __wasi_size_t n;
    IS(E(BADF), __wasi_fd_write(-31337, NULL, 0, &n));
}
static void write_stdout(void) {
    __wasi_ciovec_t v = {(const unsigned char *)"hello", 5};
    __wasi_size_t n = 0;
    IS(OK, __wasi_fd_write(1, &v, 1, &n));
    CHECK(n == 5);
}
static void exit_failure(void) { __wasi_proc_exit(33); }
static void exit_success(void) { __wasi_proc_exit(0); }
static void random_some(void) {
    unsigned char b[32];
    IS(OK, __wasi_random_get(b, sizeof b));
}
static void random_none(void) {
    unsigned char b[1] = {7};
    IS(OK, __wasi_random_get(b, 0));
    CHECK(b[0] == 7);
}

/* --- which --- */

enum place { NOWHERE, PREOPEN, SCRATCH }; /* where dir is: not opened, the preopen once more, a fresh directory */

static const struct check {
    const char *name;
    void (*run)(void);
    enum place place;
} checks[] = {
#define X(name, place) {#name, name, place},
#define Y(name, f, place) {name, f, place},
    X(big_random_buf, NOWHERE) X(clock_time_get, NOWHERE) X(close_preopen, PREOPEN) X(dangling_fd, PREOPEN) X(dangling_symlink, PREOPEN)
    X(dir_fd_op_failures, PREOPEN) X(directory_seek, PREOPEN) X(fd_advise, PREOPEN) X(fd_fdstat_set_rights, SCRATCH)
    X(fd_filestat_get, NOWHERE) X(fd_filestat_set, PREOPEN) X(fd_flags_set, PREOPEN) X(fd_readdir, SCRATCH) X(file_allocate, SCRATCH)
    X(file_pread_pwrite, SCRATCH) X(file_seek_tell, SCRATCH) X(file_truncation, SCRATCH) X(file_unbuffered_write, SCRATCH)
    X(fstflags_validate, PREOPEN) X(interesting_paths, SCRATCH) Y("isatty", isatty_, SCRATCH) X(nofollow_errors, SCRATCH)
    X(overwrite_preopen, SCRATCH) X(path_exists, SCRATCH) X(path_filestat, SCRATCH) X(path_link, SCRATCH)
    X(path_open_create_existing, SCRATCH) X(path_open_dirfd_not_dir, SCRATCH) X(path_open_missing, SCRATCH) X(path_open_nonblock, PREOPEN)
    X(path_open_preopen, NOWHERE) X(path_open_read_without_rights, SCRATCH) X(path_open_read_write, PREOPEN) X(path_rename, SCRATCH)
    X(path_rename_dir_trailing_slashes, SCRATCH) X(path_symlink_trailing_slashes, SCRATCH) X(poll_oneoff_stdio, NOWHERE)
    Y("readlink", readlink_, SCRATCH) X(remove_directory_trailing_slashes, PREOPEN) X(remove_nonempty_directory, SCRATCH) X(renumber, SCRATCH)
    Y("sched_yield", sched_yield_, NOWHERE) X(stdio, SCRATCH) X(symlink_create, SCRATCH) X(symlink_filestat, SCRATCH) X(symlink_loop, SCRATCH)
    X(truncation_rights, SCRATCH) X(unlink_file_trailing_slashes, SCRATCH)
    Y("clock_getres-monotonic", getres_monotonic, NOWHERE) Y("clock_getres-realtime", getres_realtime, NOWHERE)
    Y("clock_gettime-monotonic", gettime_monotonic, NOWHERE) Y("clock_gettime-realtime", gettime_realtime, NOWHERE)
    Y("fdopendir-with-access", fdopendir_with_access, NOWHERE) Y("fopen-with-access", fopen_with_access, NOWHERE)
    Y("fopen-with-no-access", fopen_with_no_access, NOWHERE) Y("lseek", lseek_, NOWHERE) Y("pread-with-access", pread_with_access, NOWHERE)
    Y("pwrite-with-access", pwrite_with_access, NOWHERE) Y("pwrite-with-append", pwrite_with_append, NOWHERE)
    Y("sock_shutdown-invalid_fd", shutdown_invalid, NOWHERE) Y("sock_shutdown-not_sock", shutdown_not_sock, NOWHERE)
    Y("stat-dev-ino", stat_dev_ino, NOWHERE)
    Y("args_get-multiple-arguments", arguments, NOWHERE) Y("args_sizes_get-multiple-arguments", arguments_count, NOWHERE)
    Y("args_sizes_get-no-arguments", arguments_none, NOWHERE) Y("environ_get-multiple-variables", variables, NOWHERE)
    Y("environ_sizes_get-multiple-variables", variables, NOWHERE) Y("environ_sizes_get-no-variables", variables_none, NOWHERE)
    Y("fd_write-to-invalid-fd", write_invalid, NOWHERE) Y("fd_write-to-stdout", write_stdout, NOWHERE)
    Y("proc_exit-failure", exit_failure, NOWHERE) Y("proc_exit-success", exit_success, NOWHERE)
    Y("random_get-non-zero-length", random_some, NOWHERE) Y("random_get-zero-length", random_none, NOWHERE)
};

/* Opens dir; what it was named, to be removed after, or NULL. */
static const char *go_to(enum place place) {
    __wasi_fdstat_t s;
    if (place == NOWHERE) return NULL;
    if (place == PREOPEN) {
        s = status(TOP);
        IS(OK, __wasi_path_open(TOP, 0, ".", DIRECTORY, s.fs_rights_base, s.fs_rights_inheriting, 0, &dir));
        return NULL;
    }
    IS(OK, __wasi_path_create_directory(TOP, "scratch.dir"));
    IS(OK, __wasi_path_open(TOP, 0, "scratch.dir", DIRECTORY, dir_base, dir_inherit, 0, &dir));
    return "scratch.dir";
}

int main(int count, char **words) {
    const char *slash = strrchr(words[0], '/'), *name = slash ? slash + 1 : words[0];
    size_t n = strcspn(name, ".");
    argc = count;
    argv = words;
    for (unsigned k = 0; k < sizeof checks / sizeof *checks; k++) {
        const struct check *c = &checks[k];
        if (strlen(c->name) != n || strncmp(c->name, name, n)) continue;
        const char *made = go_to(c->place);
        c->run();
        /* Where the preopen itself is gone, so is the way to it. */
        if (made && c->run != overwrite_preopen) IS(OK, __wasi_path_remove_directory(TOP, made));
        return bad != 0;
    }
    fprintf(stderr, "%s: no such check\n", name);
    return 2;
}

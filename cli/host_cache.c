/* host_cache.c: see host_cache.h.
 *
 * I1 a file's name is its key in hexadecimal digits and ".code"; what is being written is
 *    "new-PID-N". Files with other names are not ours: they are never removed.
 * I2 a file's time is when it was last used.
 * I3 files are read, not mapped: who makes one shorter meanwhile would make us fault. */
#include "cli/host_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"

enum { NAME_DIGITS = 2 * RT_KEY_BYTES, NAME_ROOM = NAME_DIGITS + 8, LEAST = 16 << 10 /* 0.5 ms to compile */ };
static const char suffix[] = ".code", unfinished[] = "new-";

static void name_of(const u8 *key, char out[NAME_ROOM]) {
    for (u32 k = 0; k < RT_KEY_BYTES; k++) snprintf(out + 2 * k, 3, "%02x", key[k]);
    strcpy(out + NAME_DIGITS, suffix);
}

static bool is_ours(const char *name) {
    if (!strncmp(name, unfinished, sizeof unfinished - 1)) return true;
    return strspn(name, "0123456789abcdef") == NAME_DIGITS && !strcmp(name + NAME_DIGITS, suffix);
}

/* ---- reading ---- */

static bool read_whole(int fd, u8 *p, size_t n) {
    for (ssize_t got; n; p += got, n -= (size_t)got)
        if ((got = read(fd, p, n)) <= 0) return false;
    return true;
}

static struct bytes find(void *self, const u8 *key) {
    struct host_cache *c = self;
    struct bytes none = {NULL, 0};
    struct stat st;
    char name[NAME_ROOM];
    name_of(key, name);
    int fd = openat(c->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return none;
    bool fits = !fstat(fd, &st) && S_ISREG(st.st_mode) && (u64)st.st_size <= c->limit;
    size_t n = fits ? (size_t)st.st_size : 0;
    u8 *p = n ? malloc(n) : NULL;
    bool whole = p && read_whole(fd, p, n);
    if (whole) futimens(fd, NULL); /* I2 */
    close(fd);
    if (whole) return (struct bytes){p, n};
    free(p);
    return none;
}

static void done(void *self, struct bytes found) { free((void *)(uptr)found.p); }

/* ---- what is too much goes ---- */

struct file {
    char name[NAME_ROOM];
    struct timespec used;
    u64 bytes;
};

static int older_first(const void *a, const void *b) {
    const struct timespec *x = &((const struct file *)a)->used, *y = &((const struct file *)b)->used;
    if (x->tv_sec != y->tv_sec) return x->tv_sec < y->tv_sec ? -1 : 1;
    return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

/* All files that are ours: allocated; NULL: no memory, or none. */
static struct file *list(const struct host_cache *c, size_t *count) {
    struct file *files = NULL;
    struct stat st;
    size_t n = 0, room = 0;
    int fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!is_ours(e->d_name) || strlen(e->d_name) >= NAME_ROOM || fstatat(c->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW)) continue;
        if (n == room) {
            struct file *more = realloc(files, (room = 2 * room + 64) * sizeof *files);
            if (!more) break;
            files = more;
        }
        strcpy(files[n].name, e->d_name);
        files[n].used = st.st_mtim;
        files[n++].bytes = (u64)st.st_size;
    }
    if (d) closedir(d);
    *count = n;
    return files;
}

static void trim(const struct host_cache *c) {
    size_t n;
    u64 bytes = 0;
    struct file *files = list(c, &n);
    for (size_t k = 0; k < n; k++) bytes += files[k].bytes;
    if (bytes > c->limit) qsort(files, n, sizeof *files, older_first);
    for (size_t k = 0; k < n && bytes > c->limit; k++) {
        unlinkat(c->dir, files[k].name, 0);
        bytes -= files[k].bytes;
    }
    free(files);
}

/* ---- writing ---- */

static bool write_whole(int fd, struct bytes b) {
    for (ssize_t put; b.n; b.p += put, b.n -= (size_t)put)
        if ((put = write(fd, b.p, b.n)) <= 0) return false;
    return true;
}

static void keep(void *self, const u8 *key, struct bytes code) {
    static u32 count; /* atomic */
    struct host_cache *c = self;
    char name[NAME_ROOM], fresh[NAME_ROOM];
    if (code.n > c->limit) return;
    name_of(key, name);
    snprintf(fresh, sizeof fresh, "%s%d-%u", unfinished, (int)getpid(), __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED));
    unlinkat(c->dir, fresh, 0); /* of a process that died */
    int fd = openat(c->dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return;
    bool whole = write_whole(fd, code);
    if (close(fd) || !whole || renameat(c->dir, fresh, c->dir, name)) unlinkat(c->dir, fresh, 0);
    else trim(c);
}

/* ---- the directory ---- */

bool host_cache_open(struct host_cache *c, const char *dir, u64 limit) {
    mkdir(dir, 0700);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    *c = (struct host_cache){.cache = {LEAST, find, done, keep, c}, .dir = fd, .limit = limit};
    return true;
}

bool host_cache_open_default(struct host_cache *c) {
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char path[4096];
    bool given = base && base[0] == '/'; /* XDG Base Directory Specification: others are ignored */
    if (!given && (!home || home[0] != '/')) return false;
    int n = snprintf(path, sizeof path, "%s%s", given ? base : home, given ? "" : "/.cache");
    if (n < 0 || (size_t)n + sizeof "/whelk" > sizeof path) return false;
    mkdir(path, 0700);
    strcpy(path + n, "/whelk");
    return host_cache_open(c, path, HOST_CACHE_LIMIT);
}

void host_cache_close(struct host_cache *c) { close(c->dir); }

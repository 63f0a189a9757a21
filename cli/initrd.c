/* initrd.c: the cpio "newc" format: a header of 110 bytes of ASCII hex, the
 * name with its zero, the content; name and content are padded to 4 bytes.
 * I1 the archive is the same for the same files: times are zero, names sorted.
 * I2 every entry has its own inode number (hard links are stored as copies). */
#include "cli/initrd.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/cli.h"

static void put(struct initrd *r, const void *p, size_t n) {
    if (n && fwrite(p, 1, n, r->to) != n) r->failed = true;
}

static void pad(struct initrd *r, size_t n) { put(r, "\0\0\0", (4 - n % 4) % 4); }

static void entry(struct initrd *r, const char *name, u32 mode, struct bytes content) {
    while (*name == '/') name++;
    size_t length = strlen(name) + 1;
    char head[111];
    int n = snprintf(head, sizeof(head), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", r->next_ino++,
                     mode, 0, 0, 1, 0, (u32)content.n, 0, 0, 0, 0, (u32)length, 0);
    assert(n == 110);
    put(r, head, 110);
    put(r, name, length);
    pad(r, 110 + length);
    put(r, content.p, content.n);
    pad(r, content.n);
}

void initrd_begin(struct initrd *r, FILE *to) {
    *r = (struct initrd){.to = to, .next_ino = 1};
}

bool initrd_add_bytes(struct initrd *r, const char *name, u32 mode, struct bytes content) {
    if (content.n > UINT32_MAX) return fail("%s: over 4 GiB, which an initrd cannot hold", name), false;
    entry(r, name, mode, content);
    return true;
}

bool initrd_add_dir(struct initrd *r, const char *name) {
    return initrd_add_bytes(r, name, S_IFDIR | 0755, (struct bytes){NULL, 0});
}

bool initrd_add_file(struct initrd *r, const char *name, const char *host_path, u32 permissions) {
    struct bytes content = file_read(host_path);
    if (!content.p) return false;
    bool ok = initrd_add_bytes(r, name, S_IFREG | permissions, content);
    free((void *)content.p);
    return ok;
}

static bool add_link(struct initrd *r, const char *name, const char *host_path) {
    char target[4096];
    ssize_t n = readlink(host_path, target, sizeof(target));
    if (n < 0) return fail("%s: %s", host_path, strerror(errno)), false;
    return initrd_add_bytes(r, name, S_IFLNK | 0777, (struct bytes){(u8 *)target, (size_t)n});
}

static bool add_child(struct initrd *r, const char *name, const char *host_path) {
    struct stat st;
    if (lstat(host_path, &st)) return fail("%s: %s", host_path, strerror(errno)), false;
    if (S_ISDIR(st.st_mode)) return initrd_add_dir(r, name) && initrd_add_tree(r, name, host_path);
    if (S_ISLNK(st.st_mode)) return add_link(r, name, host_path);
    if (S_ISREG(st.st_mode)) return initrd_add_file(r, name, host_path, st.st_mode & 07777);
    fprintf(stderr, "whelk: %s: left out (not a file, folder or link)\n", host_path);
    return true;
}

bool initrd_add_tree(struct initrd *r, const char *name, const char *host_path) {
    struct dirent **names;
    int count = scandir(host_path, &names, NULL, alphasort);
    if (count < 0) return fail("%s: %s", host_path, strerror(errno)), false;
    bool ok = true;
    for (int i = 0; i < count; i++) {
        const char *base = names[i]->d_name;
        char *child, *host;
        if (ok && strcmp(base, ".") && strcmp(base, "..")) {
            if (asprintf(&child, "%s/%s", name, base) < 0 || asprintf(&host, "%s/%s", host_path, base) < 0) need(NULL);
            ok = add_child(r, child, host);
            free(child);
            free(host);
        }
        free(names[i]);
    }
    free(names);
    return ok;
}

bool initrd_end(struct initrd *r) {
    entry(r, "TRAILER!!!", 0, (struct bytes){NULL, 0});
    if (fflush(r->to) || r->failed) return fail("writing the initrd: %s", strerror(errno)), false;
    return true;
}

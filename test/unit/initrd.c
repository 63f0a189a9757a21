/* initrd.c: archives that cannot become the tree of names: what the log says of
 * each. The program's own file is the last entry, bin/PROGRAM, and the root may
 * have anything in its way. */
#include <stdio.h>
#include <string.h>

#include "fs/tmpfs.h"
#include "test/fs/kernel.h"
#include "test/lib/test.h"

struct made {
    const char *name;
    u32 mode;
    const char *content; /* of a link: where it leads */
};

static struct inode *roots[8]; /* each stays, half filled */
static size_t root_count;

static size_t put(u8 *to, size_t at, const char *p, size_t n) {
    memcpy(to + at, p, n);
    for (at += n; at % 4; at++) to[at] = 0;
    return at;
}

static size_t put_entry(u8 *to, size_t at, struct made e) {
    char head[111];
    snprintf(head, sizeof head, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, e.mode, 0, 0, 1, 0,
             (u32)strlen(e.content), 0, 0, 0, 0, (u32)strlen(e.name) + 1, 0);
    memcpy(to + at, head, 110);
    at = put(to, at + 110, e.name, strlen(e.name) + 1);
    return put(to, at, e.content, strlen(e.content));
}

/* What vfs_init says of the entry, then of bin/app. */
static enum err unpack(struct made e) {
    static u8 archive[4096];
    size_t n = put_entry(archive, 0, e);
    n = put_entry(archive, n, (struct made){"bin/app", LINUX_S_IFREG | 0755, "a program"});
    n = put_entry(archive, n, (struct made){"TRAILER!!!", 0, ""});
    fs_kernel_said[0] = 0;
    enum err err = vfs_init((struct bytes){archive, n});
    roots[root_count++] = vfs_root;
    vfs_root = NULL;
    return err;
}

int main(void) {
    EQUAL(unpack((struct made){"bin", LINUX_S_IFDIR | 0755, ""}), ERR_OK);
    EQUAL_TEXT(fs_kernel_said, "");
    EQUAL(unpack((struct made){"bin", LINUX_S_IFREG | 0644, "text"}), ERR_INVALID);
    EQUAL_TEXT(fs_kernel_said, "initrd: bin/app: cannot be made: errno 20; a part of its path is a file of the root, not a folder");
    EQUAL(unpack((struct made){"bin", LINUX_S_IFLNK | 0777, "nowhere/bin"}), ERR_INVALID);
    EQUAL_TEXT(fs_kernel_said, "initrd: bin/app: cannot be made: errno 2; a part of its path is a link of the root that leads nowhere");
    EQUAL(unpack((struct made){"tmp", LINUX_S_IFLNK | 0777, "/var"}), ERR_INVALID);
    EQUAL_TEXT(fs_kernel_said, "initrd: tmp: cannot be made: errno 17; its place is taken");
    size_t pages = fs_kernel_pages;
    fs_kernel_pages = 0;
    EQUAL(unpack((struct made){"bin", LINUX_S_IFDIR | 0755, ""}), ERR_NOMEM);
    EQUAL_TEXT(fs_kernel_said, "initrd: bin/app: cannot be made: errno 28; give the VM more memory (-m) or a smaller root");
    fs_kernel_pages = pages;
    return test_end("initrd");
}

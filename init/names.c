/* names.c: what a program's resolver reads. Made anew at each open, since DHCP
 * may answer later; a file of the root's own is left as it is. */
#include "base/fmt.h"
#include "base/mem.h"
#include "fs/vfs.h"
#include "init/init.h"
#include "kern/log.h"
#include "net/net.h"

static size_t make_resolv(void *arg, char *out, size_t cap) {
    struct net_config c;
    net_config(&c);
    if (!c.dns) return fmt(out, cap, "# no name server is known\n");
    return fmt(out, cap, "nameserver %u.%u.%u.%u\n", c.dns >> 24, c.dns >> 16 & 255, c.dns >> 8 & 255, c.dns & 255);
}

static size_t make_hosts(void *arg, char *out, size_t cap) { return fmt(out, cap, "127.0.0.1 localhost\n"); }

static void add(const char *path, vfs_make *make) {
    i64 r = vfs_add_generated(path, make, NULL);
    if (r < 0 && r != -LINUX_EEXIST) log_warn("%s: cannot be made (errno %d)", path, (int)-r);
}

void names_init(void) {
    vfs_mkdir((struct vfs_at){.path = "/etc"}, 0755); /* is there already, or add says what is wrong */
    add("/etc/resolv.conf", make_resolv);
    add("/etc/hosts", make_hosts);
}

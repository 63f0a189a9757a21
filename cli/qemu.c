#include "cli/qemu.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/forward.h"
#include "cli/kvm.h"

static const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *text(const char *format, ...) {
    char *out;
    va_list args;
    va_start(args, format);
    if (vasprintf(&out, format, args) < 0) need(NULL);
    va_end(args);
    return out;
}

static void add2(struct words *argv, const char *a, const char *b) {
    words_add(argv, a);
    words_add(argv, b);
}

static bool has_comma(const char *what, const char *value) {
    if (!strchr(value, ',')) return false;
    return usage("%s %s: no comma, please: QEMU's options are split there", what, value), true;
}

/* A size like 64M; at least 16M, so that what boots can also say something. */
bool memory_ok(const char *value) {
    char *end;
    unsigned long long n = strtoull(value, &end, 10);
    u64 unit = *end == 'G' || *end == 'g' ? 1024 : 1;
    bool ok = end != value && n < 1 << 20 && (!*end || (strchr("MmGg", *end) && !end[1])) && n * unit >= 16;
    if (!ok) usage("-m %s: a size in MiB, or with M or G, of at least 16M", value);
    return ok;
}

static const char *accel_choose(const char *want) {
    if (!strcmp(want, "kvm") || !strcmp(want, "tcg")) return want;
    if (!strcmp(want, "icount")) return "tcg";
    if (strcmp(want, "auto")) return usage("--accel %s: auto, kvm, tcg or icount", want), NULL;
    return kvm_probe() == KVM_REAL ? "kvm" : "tcg";
}

/* Appends ",hostfwd=..." to guest_ip ("": the one that QEMU's DHCP gives out). */
static const char *add_port(const char *netdev, const char *spec, const char *guest_ip) {
    struct forward f;
    if (!forward_parse(spec, &f)) return NULL;
    return text("%s,hostfwd=%s:%s:%u-%s:%u", netdev, f.udp ? "udp" : "tcp", f.address, f.host, guest_ip, f.guest);
}

/* A fixed address moves QEMU's network to where it lies, and the ports' target. */
static const char *fixed_network(const char *ip, const char **guest_ip) {
    *guest_ip = "";
    if (!ip || *ip < '0' || *ip > '9') return "user,id=net0";
    *guest_ip = text("%.*s", (int)strcspn(ip, "/"), ip);
    const char *gateway = strstr(ip, ",gw=");
    return text("user,id=net0,net=%.*s%s%.*s", (int)strcspn(ip, ","), ip, gateway ? ",host=" : "",
                gateway ? (int)strcspn(gateway + 4, ",") : 0, gateway ? gateway + 4 : "");
}

/* The machines: what to pass to -M, and the word that ends its virtio devices. */
static const struct machine {
    const char *name, *machine, *bus, *net;
} machines[] = {
    {"microvm", "microvm,acpi=off,pit=off,pic=off,isa-serial=on,rtc=on", "device", ""},
    {"q35", "q35,vmport=off,usb=off", "pci", ",romfile="}, /* no PXE */
};

static const struct machine *machine_find(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(machines); i++)
        if (!strcmp(machines[i].name, name)) return &machines[i];
    return usage("--machine %s: microvm or q35", name), NULL;
}

/* An interface of this host in place of QEMU's own network. */
static const char *tap_network(const struct vm_options *o) {
    if (has_comma("--tap", o->tap)) return NULL;
    if (o->ports.count) return usage("-p needs QEMU's own network; with --tap the guest has an address of its own"), NULL;
    return text("tap,id=net0,ifname=%s,script=no,downscript=no", o->tap);
}

static bool add_network(struct words *argv, const struct vm_options *o, const struct machine *m) {
    const char *guest_ip = "", *netdev = o->tap ? tap_network(o) : fixed_network(o->ip, &guest_ip);
    for (u32 i = 0; netdev && i < o->ports.count; i++) netdev = add_port(netdev, o->ports.items[i], guest_ip);
    if (!netdev) return false;
    add2(argv, "-netdev", netdev);
    add2(argv, "-device", text("virtio-net-%s,netdev=net0%s", m->bus, m->net));
    if (!o->dump) return true;
    if (has_comma("--dump", o->dump)) return false;
    add2(argv, "-object", text("filter-dump,id=dump0,netdev=net0,maxlen=65536,file=%s", o->dump));
    return true;
}

/* One word of --ip: an address, after its key; the first has /BITS. */
static bool ip_word_ok(const char *word, bool first) {
    struct in_addr a;
    char address[INET_ADDRSTRLEN], *end;
    const char *at = first ? word : !strncmp(word, "gw=", 3) ? word + 3 : !strncmp(word, "dns=", 4) ? word + 4 : NULL;
    const char *slash = at && first ? strchr(at, '/') : NULL;
    size_t n = slash ? (size_t)(slash - at) : at ? strlen(at) : 0;
    if (!n || n >= sizeof(address) || (first && !slash)) return false;
    memcpy(address, at, n);
    address[n] = 0;
    unsigned long bits = slash ? strtoul(slash + 1, &end, 10) : 0;
    return inet_pton(AF_INET, address, &a) == 1 && (!first || (end != slash + 1 && !*end && bits >= 1 && bits <= 32));
}

bool ip_ok(const char *ip) {
    char *copy = need(strdup(ip)), *rest = copy;
    bool ok = true, first = true;
    if (!strcmp(ip, "dhcp") || !strcmp(ip, "off")) return true;
    for (char *word; ok && (word = strsep(&rest, ",")); first = false) ok = ip_word_ok(word, first);
    free(copy);
    if (!ok) usage("--ip %s: write ADDRESS/BITS[,gw=ADDRESS][,dns=ADDRESS], dhcp or off", ip);
    return ok;
}

const char *command_line(const struct vm_options *o) {
    bool fixed = o->ip && strcmp(o->ip, "dhcp");
    return text("%s%s%s%s", fixed ? "ip=" : "", fixed ? o->ip : "", fixed && o->append ? " " : "",
                o->append ? o->append : "");
}

/* The kernel: --kernel, the environment's, or that file beside this command. */
const char *find_kernel(const char *want, const char *variable, const char *beside) {
    char self[4000];
    const char *path = want ? want : getenv(variable);
    if (!path) {
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        self[n > 0 ? n : 0] = 0;
        char *slash = strrchr(self, '/');
        path = text("%.*s/%s", (int)(slash ? slash - self : 0), self, beside);
    }
    if (!access(path, R_OK)) return path;
    return fail("%s: no kernel there: build it (make), or name one by --kernel", path), NULL;
}

int qemu_args(struct words *argv, const struct vm_options *o, const char *initrd, int control_fd, int monitor_fd) {
    const char *accel, *kernel;
    const struct machine *m = machine_find(o->machine);
    if (!m) return EXIT_USAGE;
    if (!memory_ok(o->memory) || (o->ip && !ip_ok(o->ip)) || has_comma("--cpu", o->cpu)) return EXIT_USAGE;
    if (!(accel = accel_choose(o->accel))) return EXIT_USAGE;
    if (!(kernel = find_kernel(o->kernel, QEMU_KERNEL))) return EXIT_RUN;
    words_add(argv, "qemu-system-x86_64");
    add2(argv, "-M", m->machine);
    add2(argv, "-accel", accel);
    if (!strcmp(o->accel, "icount")) add2(argv, "-icount", "shift=0,sleep=off");
    add2(argv, "-cpu", o->cpu);
    add2(argv, "-m", o->memory);
    words_add(argv, "-nodefaults");
    words_add(argv, "-no-user-config");
    words_add(argv, "-no-reboot");
    add2(argv, "-display", "none");
    add2(argv, "-serial", "stdio");
    add2(argv, "-global", "virtio-mmio.force-legacy=false");
    add2(argv, "-device", "isa-debug-exit,iobase=0x501,iosize=4");
    add2(argv, "-device", "pvpanic,ioport=0x505"); /* plat/vm/power.c */
    add2(argv, "-action", "panic=pause");
    add2(argv, "-device", text("virtio-rng-%s", m->bus));
    add2(argv, "-chardev", text("socket,id=ctl,fd=%d", control_fd));
    add2(argv, "-device", text("virtio-serial-%s", m->bus));
    add2(argv, "-device", "virtserialport,chardev=ctl,name=whelk.ctl");
    add2(argv, "-chardev", text("socket,id=monitor,fd=%d", monitor_fd));
    add2(argv, "-mon", "chardev=monitor,mode=control");
    if (o->qmp) add2(argv, "-qmp", text("unix:%s,server=on,wait=off", o->qmp));
    if (!add_network(argv, o, m)) return EXIT_USAGE;
    add2(argv, "-kernel", kernel);
    add2(argv, "-initrd", initrd);
    add2(argv, "-append", command_line(o));
    argv->items = need(realloc(argv->items, (argv->count + 1) * sizeof(*argv->items)));
    argv->items[argv->count] = NULL;
    return EXIT_OK;
}

/* The kernel ends the VM through isa-debug-exit; the codes are plat/vm/power.c's. */
int qemu_status(int wait_status) {
    static const u8 large[] = {126, 127, 129, 130, 132, 134, 135, 136, 137, 139, 141, 143, 131, 133};
    if (!WIFEXITED(wait_status)) return EXIT_RUN;
    int status = WEXITSTATUS(wait_status), n = status >> 1;
    if (!(status & 1)) return EXIT_RUN;
    if (n == 0x10) return EXIT_OK;
    if (n >= 0x12 && n < 0x12 + (int)ARRAY_LEN(large)) return large[n - 0x12];
    return n > 0x20 ? n - 0x20 : EXIT_RUN;
}

bool qemu_panicked(int wait_status) { return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == (0x11 << 1 | 1); }

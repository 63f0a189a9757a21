/* program.c: starting the program: its file, its stack, its first thread.
 *
 * I1 everything is read and checked before the first mapping is made. */
#include "sys/program.h"

#include "arch/x86_64/cpu.h"
#include "base/assert.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "fs/dev.h"
#include "fs/vfs.h"
#include "kern/heap.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/page.h"
#include "kern/random.h"
#include "kern/vm.h"
#include "sys/elf64.h"
#include "sys/mm.h"
#include "sys/process.h"
#include "sys/stack.h"

#define STACK_TOP (VM_USER_END - 0xf000)
#define STACK_BYTES (8ull << 20)
#define PIE_BASE ALIGN_DOWN(VM_USER_END / 3 * 2, PAGE_SIZE) /* where Linux has it */
/* As a shell says it. */
enum { CANNOT_RUN = 126, NOT_FOUND = 127, STRINGS_MAX = 128 << 10 };

static const struct program_ops ops = {.syscall = program_syscall, .fault = signal_fault, .leave = signal_leave};

char *program_text(const char *path, size_t *n) {
    struct file *f;
    if (vfs_open((struct vfs_at){.path = path}, LINUX_O_RDONLY, 0, &f) < 0) return NULL;
    char *text = kmalloc(STRINGS_MAX + 1);
    i64 got = text ? file_read(f, text, STRINGS_MAX) : -1;
    file_put(f);
    if (got < 0 || got == STRINGS_MAX) {
        kfree(text);
        return NULL;
    }
    text[got] = 0;
    *n = (size_t)got;
    return text;
}

struct loaded {
    struct elf_table table;
    struct elf_image image;
    u64 base; /* added to every address */
};

static i64 read_exact(struct file *f, void *buf, size_t n, u64 at) {
    i64 r = file_pread(f, buf, n, at);
    return r < 0 ? r : (size_t)r == n ? 0 : -LINUX_EIO;
}

/* Reads and checks the headers. */
static bool inspect(struct file *f, const char *path, struct loaded *l) {
    static u8 head[ELF_HEADER], entries[ELF_ENTRIES_MAX * ELF_ENTRY];
    struct file_stat st;
    struct elf_fault why = {0, "unreadable", "check the file"};
    enum err e = file_stat(f, &st) < 0 ? ERR_IO : ERR_OK;
    if (!e && read_exact(f, head, MIN((u64)sizeof head, st.size), 0) < 0) e = ERR_IO;
    if (!e) e = elf_header((struct bytes){head, MIN((u64)sizeof head, st.size)}, st.size, &l->table, &why);
    if (!e && read_exact(f, entries, l->table.count * ELF_ENTRY, l->table.offset) < 0) e = ERR_IO;
    if (!e) e = elf_image(&l->table, (struct bytes){entries, l->table.count * ELF_ENTRY}, st.size, &l->image, &why);
    if (e) log_error("program: %s: offset 0x%llx: %s; %s", path, (unsigned long long)why.offset, why.what, why.remedy);
    return !e;
}

static u64 random_pages(u64 count) {
    u64 v = 0;
    if (random_ready()) random_bytes(&v, sizeof v);
    return v % count * PAGE_SIZE;
}

static i64 map_segment(struct file *f, const struct elf_segment *s, u64 base) {
    u64 skew = s->va % PAGE_SIZE;
    struct mm_source source = {f->inode, s->offset - skew, s->bytes ? s->bytes + skew : 0};
    return mm_map(base + s->va - skew, s->memory + skew, s->prot, MM_PRIVATE | MM_FIXED_NOREPLACE, source, process.exe);
}

/* 0, or the status to end with. */
static int load(const char *path, struct loaded *l) {
    struct file *f;
    i64 r = vfs_open((struct vfs_at){.path = path}, LINUX_O_RDONLY, 0, &f);
    if (r < 0) {
        log_error("program: %s: cannot be opened (errno %d); is it in the root directory given to whelk run?", path, (int)-r);
        return r == -LINUX_ENOENT ? NOT_FOUND : CANNOT_RUN;
    }
    bool ok = f->ops->seekable && inspect(f, path, l);
    if (!f->ops->seekable) log_error("program: %s: not a regular file", path);
    l->base = ok && l->table.relocatable ? PIE_BASE - l->image.low + random_pages(1 << 20) : 0;
    for (u32 i = 0; ok && i < l->image.count; i++)
        if ((r = map_segment(f, &l->image.segments[i], l->base)) < 0) {
            log_error("program: %s: segment %u cannot be mapped (errno %d)", path, i, (int)-r);
            ok = false;
        }
    file_put(f);
    if (ok) mm_set_break(l->base + l->image.high);
    return ok ? 0 : CANNOT_RUN;
}

static bool open_console(void) {
    for (u64 fd = 0; fd < 3; fd++) {
        struct file *f = console_open(LINUX_O_RDWR);
        if (!f || fd_install(f, fd, false) != (i64)fd) return false;
    }
    return true;
}

/* The stack is written from the init thread; its pages come by faults. */
static u64 make_stack(const struct loaded *l, struct bytes argv, struct bytes env) {
    struct mm_source zeros = {0};
    i64 r = mm_map(STACK_TOP - STACK_BYTES, STACK_BYTES, MM_READ | MM_WRITE, MM_PRIVATE | MM_ANONYMOUS | MM_FIXED, zeros, "[stack]");
    if (r < 0) return 0;
    struct stack_facts facts = {
        .headers = l->image.headers ? l->base + l->image.headers : 0,
        .header_count = l->table.count,
        .entry = l->base + l->table.entry,
        .hwcap = cpuid(1, 0).d,
    };
    random_bytes(facts.random, sizeof facts.random);
    return stack_build(STACK_TOP, argv, env, &facts);
}

/* Everything runs in ring 0, with the kernel's own selectors. */
static void take_segments(struct trap_frame *f) {
    u16 cs, ss;
    __asm__("mov %%cs, %0; mov %%ss, %1" : "=r"(cs), "=r"(ss));
    f->cs = cs;
    f->ss = ss;
}

/* 0, or the status to end with. */
static int start(struct bytes argv, struct bytes env) {
    const char *path = (const char *)argv.p;
    struct loaded l = {0};
    struct task *t;
    size_t n = strlen(path);
    if (n >= sizeof process.exe) return NOT_FOUND;
    memcpy(process.exe, path, n + 1);
    int status = load(path, &l);
    if (status) return status;
    u64 sp = make_stack(&l, argv, env);
    struct trap_frame frame = {.vector = TRAP_SYSCALL_FULL, .rip = l.base + l.table.entry, .rsp = sp, .rflags = RFLAGS_IF | 2};
    take_segments(&frame);
    bool fixed = !machine_fixes_code() || mm_fix_code();
    if (!sp || !fixed || !open_console() || task_new(&frame, 0, &t) < 0) {
        log_error("program: %s: not enough memory to start it; give the VM more (-m)", path);
        return CANNOT_RUN;
    }
    log_info("program: %s starts", path);
    machine_seal();
    log_debug("boot: program at cycle %lu", (unsigned long)rdtsc());
    thread_start(t->thread);
    return 0;
}

int sys_start(void) {
    size_t argc_bytes = 0, env_bytes = 0;
    char *argv = program_text("/.whelk/argv", &argc_bytes), *env = program_text("/.whelk/env", &env_bytes);
    if (!argv || !argc_bytes || !argv[0]) {
        log_error("program: none to run: the initrd has no /.whelk/argv; start it with whelk run --root DIR PROGRAM");
        return NOT_FOUND;
    }
    struct inode *root;
    program_set_ops(&ops);
    mm_init();
    proc_init((struct bytes){(u8 *)argv, argc_bytes}, (struct bytes){(u8 *)(env ? env : ""), env_bytes});
    if (vfs_walk((struct vfs_at){.path = "/"}, &root) < 0) return CANNOT_RUN;
    process.cwd = root;
    int status = start((struct bytes){(u8 *)argv, argc_bytes}, (struct bytes){(u8 *)(env ? env : ""), env_bytes});
    if (status) return status; /* argv and env stay: /proc/self shows them */
    wait_event(&process.ended, process.exiting, WAIT_FOREVER);
    log_info("program: %s ended with status %d", process.exe, process.status);
    return process.status;
}

int sys_status(void) { return process.exiting ? process.status : 0; }

bool sys_terminate(void) {
    bool handled = process.actions[SIGNAL_TERM].handler > 1; /* not the default, not ignored */
    if (handled && !process.exiting) signal_process(SIGNAL_TERM);
    return handled;
}

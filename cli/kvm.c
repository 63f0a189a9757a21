#include "cli/kvm.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOPS = 4000, /* two instructions each: 2 us on a processor, 8 ms when each takes 2,500 cycles */
    LIMIT_US = 2000,
    GUEST_BYTES = 4096,
};

/* addps xmm0, xmm0; mov cx, LOOPS; 1: dec cx; jnz 1b; hlt (16-bit code)
 * A processor adds vectors; an emulator of instructions, which need not be slow
 * in a loop, knows hardly any vector arithmetic and gives up on a kernel later. */
static const u8 code[] = {0x0f, 0x58, 0xc0, 0xb9, LOOPS & 0xff, LOOPS >> 8, 0x49, 0x75, 0xfd, 0xf4};
enum { CR4_OSFXSR = 1 << 9 };

struct probe {
    int kvm, vm, cpu;
    u8 *memory;
    struct kvm_run *run;
    size_t run_size;
};

static bool start(struct probe *p) {
    struct kvm_sregs s;
    struct kvm_regs r = {.rip = 0x1000, .rflags = 2};
    if ((p->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC)) < 0) return false;
    if ((p->vm = ioctl(p->kvm, KVM_CREATE_VM, 0)) < 0) return false;
    struct kvm_userspace_memory_region region = {
        .guest_phys_addr = 0x1000, .memory_size = GUEST_BYTES, .userspace_addr = (u64)(uptr)p->memory};
    if (ioctl(p->vm, KVM_SET_USER_MEMORY_REGION, &region)) return false;
    if ((p->cpu = ioctl(p->vm, KVM_CREATE_VCPU, 0)) < 0) return false;
    int size = ioctl(p->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(*p->run)) return false;
    p->run_size = (size_t)size;
    p->run = mmap(NULL, p->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, p->cpu, 0);
    if (p->run == MAP_FAILED || ioctl(p->cpu, KVM_GET_SREGS, &s)) return false;
    s.cs.base = s.cs.selector = 0;
    s.cr4 |= CR4_OSFXSR;
    return !ioctl(p->cpu, KVM_SET_SREGS, &s) && !ioctl(p->cpu, KVM_SET_REGS, &r);
}

static i64 now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (i64)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The best of three: the first run also pays for page faults. */
static enum kvm_state measure(struct probe *p) {
    i64 best = 1 << 30;
    for (int i = 0; i < 3; i++) {
        struct kvm_regs r = {.rip = 0x1000, .rflags = 2};
        i64 begin = now_us();
        if (ioctl(p->cpu, KVM_SET_REGS, &r) || ioctl(p->cpu, KVM_RUN, 0)) return KVM_ABSENT;
        if (p->run->exit_reason != KVM_EXIT_HLT) return KVM_SLOW;
        i64 took = now_us() - begin;
        if (took < best) best = took;
    }
    return best < LIMIT_US ? KVM_REAL : KVM_SLOW;
}

enum kvm_state kvm_probe(void) {
    struct probe p = {-1, -1, -1, NULL, MAP_FAILED, 0};
    p.memory = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p.memory == MAP_FAILED) return KVM_ABSENT;
    memcpy(p.memory, code, sizeof(code));
    enum kvm_state state = start(&p) ? measure(&p) : KVM_ABSENT;
    if (p.run != MAP_FAILED) munmap(p.run, p.run_size);
    if (p.cpu >= 0) close(p.cpu);
    if (p.vm >= 0) close(p.vm);
    if (p.kvm >= 0) close(p.kvm);
    munmap(p.memory, GUEST_BYTES);
    return state;
}

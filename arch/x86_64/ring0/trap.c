/* trap.c: the tables that lead into entry.S.
 *
 * I1 NMI, double fault and machine check have IST stacks of their own and end
 *    the kernel there; all other vectors share one and leave it at once. */
#include "arch/x86_64/trap.h"

#include "arch/x86_64/cpu.h"

enum { KERNEL_CS = 8, KERNEL_SS = 16, TSS_SELECTOR = 24 };
enum { IST_TRAP = 1, IST_NMI = 2, IST_DOUBLE_FAULT = 3 };
enum { GATE_INTERRUPT = 0x8e };
enum { EFER_SCE = 1 };
/* What a system call clears: TF, IF, DF, NT, AC. */
enum { SYSCALL_CLEARS = 1 << 8 | 1 << 9 | 1 << 10 | 1 << 14 | 1 << 18 };

struct gate {
    u16 low, selector;
    u8 ist, type;
    u16 middle;
    u32 high, zero;
};
struct tss {
    u32 reserved;
    u64 rsp[3], reserved2, ist[7], reserved3;
    u16 reserved4, io_map;
} __attribute__((packed));
struct table {
    u16 limit;
    u64 base;
} __attribute__((packed));

static struct gate idt[256];
static struct tss tss;
static u64 gdt[5] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0, 0};

extern const char trap_stubs[], syscall_entry[];
extern char trap_stack_top[], nmi_stack_top[], double_fault_stack_top[];

static u8 ist_of(unsigned vector) {
    if (vector == TRAP_NMI || vector == TRAP_MACHINE_CHECK) return IST_NMI;
    return vector == TRAP_DOUBLE_FAULT ? IST_DOUBLE_FAULT : IST_TRAP;
}

static void load_gdt(void) {
    u64 base = (u64)&tss, limit = sizeof tss - 1;
    gdt[3] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[4] = base >> 32;
    struct table t = {sizeof gdt - 1, (u64)gdt};
    __asm__ volatile(
        "lgdt %0\n pushq %1\n leaq 1f(%%rip), %%rax\n pushq %%rax\n lretq\n"
        "1: mov %2, %%ds\n mov %2, %%es\n mov %2, %%ss\n ltr %w3"
        : : "m"(t), "i"(KERNEL_CS), "r"(KERNEL_SS), "r"(TSS_SELECTOR) : "rax", "memory");
}

static void load_idt(void) {
    for (unsigned i = 0; i < 256; i++) {
        u64 at = (u64)trap_stubs + i * 16;
        idt[i] = (struct gate){.low = (u16)at, .selector = KERNEL_CS, .ist = ist_of(i),
                               .type = GATE_INTERRUPT, .middle = (u16)(at >> 16), .high = (u32)(at >> 32)};
    }
    struct table t = {sizeof idt - 1, (u64)idt};
    __asm__ volatile("lidt %0" : : "m"(t));
}

void trap_init(void) {
    tss.ist[IST_TRAP - 1] = (u64)trap_stack_top;
    tss.ist[IST_NMI - 1] = (u64)nmi_stack_top;
    tss.ist[IST_DOUBLE_FAULT - 1] = (u64)double_fault_stack_top;
    tss.io_map = sizeof tss;
    load_gdt();
    load_idt();
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
    wrmsr(MSR_STAR, (u64)KERNEL_CS << 32 | (u64)KERNEL_CS << 48);
    wrmsr(MSR_LSTAR, (u64)syscall_entry);
    wrmsr(MSR_SFMASK, SYSCALL_CLEARS);
}

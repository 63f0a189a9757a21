/* kernel.c: the floor that everything else stands on. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "base/mem.h"
#include "init/init.h"
#include "kern/bootinfo.h"
#include "kern/bootparse.h"
#include "kern/heap.h"
#include "kern/interrupt.h"
#include "kern/lock.h"
#include "kern/memory.h"
#include "kern/park.h"
#include "kern/program.h"
#include "kern/random.h"
#include "kern/sched.h"
#include "kern/thread.h"
#include "kern/time.h"
#include "kern/vm.h"
#include "kern/vm_walk.h"
#include "kern/wait.h"
#include "test/lib/test.h"

#define MS 1000000ull

static void sleep_ms(u64 ms) { thread_sleep_until(time_mono_ns() + ms * MS); }

/* A busy host takes the CPU away for as long as it likes, so no time is long enough for
 * others to get somewhere: what they reach is waited for; or each has its turns until it waits. */
#define AWAIT(e) for (u64 limit = time_mono_ns() + 60000 * MS; !(e) && time_mono_ns() < limit;) sleep_ms(5)
static void settle(void) {
    for (u32 i = 0; i < 100; i++) thread_yield();
}

/* --- memory --- */

static void test_pages(void) {
    size_t before = pages_recount();
    EQUAL(before, pages_free());
    phys p[64];
    for (unsigned i = 0; i < 64; i++) p[i] = page_alloc(i % 5);
    for (unsigned i = 0; i < 64; i++) {
        CHECK(p[i].v && p[i].v % (PAGE_SIZE << (i % 5)) == 0);
        memset(phys_to_virt(p[i]), (int)i, PAGE_SIZE << (i % 5));
    }
    for (unsigned i = 0; i < 64; i++) {
        CHECK(*(u8 *)phys_to_virt(p[i]) == i);
        page_free(p[i], i % 5);
    }
    EQUAL(pages_recount(), before);
    EQUAL(page_alloc(40).v, 0);
}

static void test_objects(void) {
    static const size_t sizes[] = {1, 16, 17, 100, 768, 1345, 2016, 2017, 4096, 5000, 65536, 100000, 300000, 3000000};
    size_t before = pages_recount();
    u8 *p[ARRAY_LEN(sizes)];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
            p[i] = kmalloc(sizes[i]);
            CHECK(p[i] && (uptr)p[i] % 16 == 0);
            memset(p[i], (int)i, sizes[i]);
        }
        for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
            CHECK(p[i][0] == i && p[i][sizes[i] - 1] == i);
            kfree(p[i]);
        }
    }
    /* The run list of the windows may hold on to a slab or two. */
    CHECK(before - pages_recount() <= 2);
    CHECK(!kmalloc((size_t)1 << 40));
    CHECK(before - pages_recount() <= 2);
}

static void test_windows(void) {
    size_t before = pages_recount(), tables = vm_recount_tables();
    u8 *w = vm_reserve(8ull << 30);
    CHECK(w);
    EQUAL(pages_recount(), before); /* a reservation costs nothing */
    EQUAL(vm_commit(w + (1 << 20), 65536, VM_READ | VM_WRITE), ERR_OK);
    w[(1 << 20) + 5] = 1;
    EQUAL(vm_commit(w + (4ull << 30), 4ull << 30, VM_READ | VM_WRITE), ERR_NOMEM);
    CHECK(!vm_lookup((uptr)w + (4ull << 30), NULL, NULL));
    EQUAL(vm_commit(w, 4096, VM_WRITE | VM_EXEC), ERR_INVALID);
    vm_release(w, 8ull << 30);
    CHECK(before - pages_recount() <= 1);
    EQUAL(vm_recount_tables(), tables);
}

static void test_write_or_run(void) {
    u8 *a = vm_reserve(PAGE_SIZE), *b = vm_reserve(PAGE_SIZE);
    phys p = page_alloc_zeroed();
    u32 prot;
    uptr direct = (uptr)phys_to_virt(p);
    EQUAL(vm_map((uptr)a, p, VM_READ | VM_WRITE), ERR_OK);
    EQUAL(vm_map((uptr)b, p, VM_READ | VM_EXEC), ERR_INVALID);
    EQUAL(vm_map((uptr)b, p, VM_READ), ERR_OK);
    EQUAL(vm_protect((uptr)b, VM_READ | VM_EXEC), ERR_INVALID);
    EQUAL(vm_unmap((uptr)a).v, p.v);
    EQUAL(vm_protect((uptr)b, VM_READ | VM_EXEC), ERR_OK);
    CHECK(vm_lookup(direct, NULL, &prot) && !(prot & VM_WRITE));
    EQUAL(vm_map((uptr)a, p, VM_READ | VM_WRITE), ERR_INVALID);
    EQUAL(vm_unmap((uptr)b).v, p.v);
    CHECK(vm_lookup(direct, NULL, &prot) && (prot & VM_WRITE));
    EQUAL(vm_map(0, p, VM_READ), ERR_INVALID);
    EQUAL(vm_map(DIRECT_MAP, p, VM_READ), ERR_INVALID);
    page_free(p, 0);
    vm_release(a, PAGE_SIZE);
    vm_release(b, PAGE_SIZE);
}

/* Every mapping there is, against every other of the same page. */
struct walk {
    u8 *seen; /* 1: writable somewhere, 2: executable somewhere */
    u32 pages, both, null;
};
static void visit(void *arg, uptr va, phys p, u32 prot) {
    struct walk *w = arg;
    if (va < VM_USER_START) w->null++;
    if (p.v / PAGE_SIZE >= w->pages) {
        if (prot & VM_EXEC) w->both++; /* devices never run */
        return;
    }
    u8 *s = &w->seen[p.v / PAGE_SIZE];
    *s |= (prot & VM_WRITE ? 1 : 0) | (prot & VM_EXEC ? 2 : 0);
    if (*s == 3) w->both++;
}
static void test_walk(void) {
    struct walk w = {.pages = (u32)(page_highest() / PAGE_SIZE)};
    w.seen = kzalloc(w.pages);
    CHECK(vm_walk(visit, &w) > 3);
    EQUAL(w.both, 0);
    EQUAL(w.null, 0);
#ifndef WHELK_PROCESS
    CHECK(read_cr0() >> 16 & 1); /* WP */
#endif
    kfree(w.seen);
}

/* --- the command line --- */

static void test_command_line(void) {
    static const char *const bad[] = {"", "4K", "4K@", "4K@0x", "4K@0x1000", "4K@0x1000:", "@0x1000:5", "0@0x1000:5",
                                      "2M@0x1000:5", "4K@0xffffffffffffffff:5", "4K@0x1ffffffffffffffff:5",
                                      "4K@0x1000:99999999999", "-1@0x1000:5"};
    u64 size, base;
    u32 gsi;
    CHECK(boot_parse_mmio("4K@0xc0001000:5", &size, &base, &gsi));
    CHECK(size == 4096 && base == 0xc0001000 && gsi == 5);
    CHECK(boot_parse_mmio("512@0xfeb00000:12", &size, &base, &gsi) && size == 512 && gsi == 12);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) CHECK(!boot_parse_mmio(bad[i], &size, &base, &gsi));
    const char *kept = bootinfo.command_line;
    char v[8];
    bootinfo.command_line = "ip=dhcp  quiet name=\"a b\" long=123456789 ipv=6";
    CHECK(option("ip=", v, sizeof v));
    EQUAL_TEXT(v, "dhcp");
    CHECK(option("quiet", v, sizeof v) && !v[0]);
    CHECK(option("name", v, sizeof v));
    EQUAL_TEXT(v, "a b");
    CHECK(!option("long", v, sizeof v));
    CHECK(!option("i", v, sizeof v));
    CHECK(!option("b", v, sizeof v));
    bootinfo.command_line = kept;
}

/* --- faults --- */

static void test_copies(void) {
    char text[16];
    CHECK(!user_read(text, 0, 1));
    CHECK(!user_read(text, VM_USER_START, 1));
    CHECK(!user_read(text, VM_USER_END - 1, 2));
    CHECK(!user_read(text, (uptr)text, 1)); /* the kernel's half is not the program's */
    CHECK(!user_write(VM_USER_START, text, 4));
    phys p = page_alloc_zeroed();
    EQUAL(vm_map(VM_USER_START, p, VM_READ | VM_WRITE), ERR_OK);
    CHECK(user_write(VM_USER_START + PAGE_SIZE - 6, "whelk", 6));
    EQUAL(user_read_string(text, VM_USER_START + PAGE_SIZE - 6, sizeof text), 5);
    EQUAL_TEXT(text, "whelk");
    EQUAL(user_read_string(text, VM_USER_START + PAGE_SIZE - 6, 3), -2);
    CHECK(user_write(VM_USER_START + PAGE_SIZE - 1, "x", 1));
    EQUAL(user_read_string(text, VM_USER_START + PAGE_SIZE - 1, sizeof text), -1);
    CHECK(!user_read(text, VM_USER_START + PAGE_SIZE - 2, 3));
    EQUAL(vm_unmap(VM_USER_START).v, p.v);
    page_free(p, 0);
}

static uptr expect_at; /* where a fault is expected, or 0 */
static u32 expected_faults;
static bool expecting(struct trap_frame *f, uptr address) {
    if (f->vector != TRAP_PAGE || address != expect_at) return false;
    expected_faults++;
    f->rip = f->rbx; /* fault_at left a way out there */
    return true;
}

static bool faults_at(uptr at) {
    u32 before = expected_faults;
    expect_at = at;
    trap_engine_handler *old = trap_set_engine_handler(expecting);
    __asm__ volatile("leaq 1f(%%rip), %%rbx\n movb (%0), %%al\n1:" : : "r"(at) : "rbx", "rax", "memory");
    trap_set_engine_handler(old);
    return expected_faults == before + 1;
}

static void test_guards(void) {
    struct thread *t = thread_current();
    uptr low = (uptr)t->stack - KERNEL_STACK;
    CHECK(faults_at(0));
    CHECK(faults_at(8));
    CHECK(faults_at(4095));
    CHECK(faults_at(low - 1));
    CHECK(faults_at((uptr)t->stack));
    CHECK(!faults_at(low));
    extern char stacks_start[], boot_stack_top[];
    CHECK(faults_at((uptr)stacks_start));
    CHECK(faults_at((uptr)boot_stack_top));
#ifndef WHELK_PROCESS
    extern char trap_stack_top[], nmi_stack_top[], double_fault_stack_top[];
    CHECK(faults_at((uptr)trap_stack_top));
    CHECK(faults_at((uptr)nmi_stack_top));
    CHECK(!faults_at((uptr)double_fault_stack_top - 8));
#endif
}

/* --- threads and time --- */

static struct timer red_timer;
static volatile u32 red_ticks;
static void red_tick(struct timer *t) {
    red_ticks++;
    timer_arm(t, time_mono_ns() + MS / 10);
}

/* A leaf function below whose rsp live values lie, as the ABI lets programs do;
 * rounds until enough ticks have come. On a stack of its own, as a program. */
static u64 red_zone_damage(void *stack_top, u32 ticks) {
    u64 damage = 0;
    u32 until = red_ticks + ticks;
    __asm__ volatile(
        "movq %%rsp, %%rbx\n movq %2, %%rsp\n"
        "1: movq $0x5a5a, %%rax\n movq %%rax, -8(%%rsp)\n movq %%rax, -64(%%rsp)\n movq %%rax, -128(%%rsp)\n"
        "movl $200, %%ecx\n2: subl $1, %%ecx\n jnz 2b\n"
        "cmpq %%rax, -8(%%rsp)\n jne 3f\n cmpq %%rax, -64(%%rsp)\n jne 3f\n cmpq %%rax, -128(%%rsp)\n jne 3f\n"
        "jmp 4f\n3: incq %0\n4: cmpl %3, %1\n jb 1b\n movq %%rbx, %%rsp"
        : "+r"(damage), "+m"(red_ticks) : "r"(stack_top), "r"(until) : "rax", "rbx", "rcx", "memory", "cc");
    return damage;
}

static void test_red_zone(void) {
    u8 *stack = kmalloc(16384);
    red_timer.fn = red_tick;
    timer_arm(&red_timer, time_mono_ns());
    EQUAL(red_zone_damage(stack + 8192, 500), 0);
    CHECK(red_ticks >= 500);
    timer_cancel(&red_timer);
    kfree(stack);
}

static volatile u64 spun[2];
static volatile bool stop;
static void spin(void *arg) {
    while (!stop) spun[(uptr)arg]++;
}
static void test_preemption(void) {
    EQUAL(thread_create("spin", spin, (void *)0, NULL), ERR_OK);
    EQUAL(thread_create("spin", spin, (void *)1, NULL), ERR_OK);
    AWAIT(spun[0] && spun[1]);
    CHECK(spun[0] && spun[1]);
    stop = true;
    u64 least = UINT64_MAX;
    for (u32 i = 0; i < 5; i++) {
        u64 before = time_mono_ns();
        sleep_ms(5);
        least = MIN(least, time_mono_ns() - before);
    }
    CHECK(least >= 5 * MS && least < 500 * MS);
}

/* Both threads keep a value in xmm7 and the upper half of ymm7 over many switches. */
static volatile u32 vector_errors, vector_done;
static void vectors(void *arg) {
    u64 want[4] = {(u64)arg, ~(u64)arg, (u64)arg * 3, (u64)arg * 7}, have[4];
    bool avx = cpuid(1, 0).c >> 28 & 1;
    for (int i = 0; i < 200; i++) {
        memcpy(have, want, sizeof have);
        if (avx) __asm__ volatile("vmovdqu %0, %%ymm7" : : "m"(want));
        else __asm__ volatile("movdqu %0, %%xmm7" : : "m"(want));
        thread_yield();
        if (avx) __asm__ volatile("vmovdqu %%ymm7, %0" : "=m"(have));
        else __asm__ volatile("movdqu %%xmm7, %0" : "=m"(have));
        if (memcmp(have, want, sizeof have)) vector_errors++;
    }
    vector_done++;
}
static void test_vectors(void) {
    for (uptr i = 1; i <= 3; i++) EQUAL(thread_create("vectors", vectors, (void *)(i * 0x1234567), NULL), ERR_OK);
    AWAIT(vector_done == 3);
    EQUAL(vector_done, 3);
    EQUAL(vector_errors, 0);
}

static struct waitq queue = WAITQ_INIT(queue);
static struct mutex mutex = MUTEX_INIT(mutex);
static volatile u32 turn, counted;
static void pingpong(void *arg) {
    for (u32 i = 0; i < 100; i++) {
        wait_event(&queue, turn % 2 == (uptr)arg, WAIT_FOREVER);
        mutex_lock(&mutex);
        u32 c = counted;
        if (i % 10 == 0) thread_yield();
        counted = c + 1;
        mutex_unlock(&mutex);
        turn++;
        wait_wake_all(&queue);
    }
}
static void test_waits(void) {
    struct waitq none = WAITQ_INIT(none);
    u64 start = time_mono_ns();
    CHECK(!wait_event(&none, false, start + 3 * MS));
    CHECK(time_mono_ns() - start >= 3 * MS);
    EQUAL(thread_create("ping", pingpong, (void *)0, NULL), ERR_OK);
    EQUAL(thread_create("pong", pingpong, (void *)1, NULL), ERR_OK);
    CHECK(wait_event(&queue, turn == 200, time_mono_ns() + 60000 * MS));
    EQUAL(counted, 200);
}

/* Sleepers on one word: woken in the order in which they came. */
static u64 word = 7;
static volatile u32 parked, order[3];
static void park_one(void *arg) {
    static const u32 never;
    if (park_wait(&word, 7, 8, WAIT_FOREVER, &never) == PARK_WOKEN) order[parked++] = (u32)(uptr)arg;
}
static void test_park(void) {
    u32 stopped = 1, never = 0, other = 7;
    EQUAL(park_wait(&word, 8, 8, WAIT_FOREVER, &never), PARK_NOT_EQUAL);
    EQUAL(park_wait(&word, 7, 4, time_mono_ns() + 3 * MS, &never), PARK_TIMED_OUT);
    EQUAL(park_wait(&word, 7, 8, WAIT_FOREVER, &stopped), PARK_STOPPED);
    for (uptr k = 1; k <= 3; k++) {
        EQUAL(thread_create("parked", park_one, (void *)k, NULL), ERR_OK);
        settle();
    }
    EQUAL(park_wake(&other, 9), 0); /* another address */
    for (u32 k = 1; k <= 3; k++) {
        EQUAL(park_wake(&word, 1), 1);
        settle();
        EQUAL(parked, k);
        EQUAL(order[k - 1], k);
    }
    EQUAL(park_wake(&word, 9), 0);
}

static void test_threads_leave_nothing(void) {
    size_t before[2];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20; i++) {
            stop = true;
            EQUAL(thread_create("brief", spin, NULL, NULL), ERR_OK);
        }
        settle();
        before[round] = pages_recount();
    }
    EQUAL(before[0], before[1]);
}

static void test_clock(void) {
    u64 a = time_mono_ns(), wall = time_wall_ns();
    CHECK(time_mono_ns() >= a);
    CHECK(wall > 1700000000ull * 1000 * MS); /* after 2023 */
}

int vm_test(void) {
    test_pages();
    test_objects();
    test_windows();
    test_write_or_run();
    test_walk();
    test_command_line();
    test_copies();
    test_guards();
    test_red_zone();
    test_preemption();
    test_vectors();
    test_waits();
    test_park();
    test_threads_leave_nothing();
    test_clock();
    return test_end("kernel");
}

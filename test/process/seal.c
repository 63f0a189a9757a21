/* seal.c: what the kernel may do before and after it is sealed. Every system call
 * of Linux from 0 to 460 is issued by the kernel's own code: with arguments that
 * mean nothing, then those of the filter's table with good ones, and with one
 * argument wrong. */
#include "arch/process/host.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/switch.h"
#include "base/mem.h"
#include "init/init.h"
#include "kern/interrupt.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "kern/time.h"
#include "kern/vm.h"
#include "plat/process/process.h"
#include "test/lib/test.h"

enum { LAST_CALL = 460, ALLOWED_MOST = 16, MAPS_MOST = 65536, SPIN_NS = 20000000 };

static u64 refused_last;
static u32 refused_count;
static bool on_refused(u64 number) {
    refused_last = number;
    refused_count++;
    return true;
}

/* Linux asks no filter about uretprobe and uprobe (335, 336; 6.11 and later), and
 * answers where there is no probe: the one by SIGILL, the other by an error. */
enum { URETPROBE = 335, UPROBE = 336 };
static u64 issued;
static bool on_illegal(struct trap_frame *f, uptr address) {
    return f->vector == TRAP_ILLEGAL && issued == URETPROBE && on_refused(issued);
}

static bool is_refused(u64 n, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
    u32 before = refused_count;
    issued = n;
    i64 r = host_call(n, a, b, c, d, e, f);
    if (n == UPROBE && r < 0) return true;
    return refused_count == before + 1 && refused_last == n;
}
#define REFUSED(...) HOST_PICK_REFUSED(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define HOST_PICK_REFUSED(n, a, b, c, d, e, f, ...) is_refused(n, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(f))

/* --- before --- */

static char maps[MAPS_MOST];

static size_t read_maps(void) {
    size_t n = 0;
    i64 fd = host(HOST_OPEN, "/proc/self/maps", 0, 0), got;
    while (fd >= 0 && n < sizeof maps - 1 && (got = host(HOST_READ, fd, maps + n, sizeof maps - 1 - n)) > 0) n += (size_t)got;
    host(HOST_CLOSE, fd);
    return n;
}

/* "START-END rwxs ...": no mapping writes and runs, here or by another name. */
static void test_maps(void) {
    u32 lines = 0, both = 0, run = 0;
    size_t n = read_maps();
    for (size_t at = 0; at < n; lines++) {
        while (maps[at] != ' ') at++;
        both += maps[at + 2] == 'w' && maps[at + 3] == 'x';
        run += maps[at + 3] == 'x';
        while (at < n && maps[at++] != '\n') continue;
    }
    CHECK(lines > 5 && n < sizeof maps - 1);
    EQUAL(both, 0);
    CHECK(run >= 2 && run <= 4); /* the kernel's text, code; what Linux gave: vdso, vsyscall */
}

static void test_code(void) {
    const u8 ret = 0xc3;
    void *exec;
    EQUAL(machine_code_place(&ret, 1, &exec), ERR_OK);
    void *write = (void *)(CODE_WRITE + ((u64)exec - CODE_RUN));
    ((void (*)(void))exec)();
    EQUAL(*(u8 *)exec, 0xc3);
    EQUAL(((u8 *)exec)[1], 0xcc);
    EQUAL(((u8 *)exec)[PAGE_SIZE - 1], 0xcc);
    CHECK(!user_copy(write, exec, 0));
    CHECK(user_copy(write, "x", 1)); /* shut */
    CHECK(user_copy(exec, "x", 1));  /* never was open */
    machine_code_free(exec, 1);
}

/* --- after --- */

/* Arguments that are all ones fit no check; rt_sigreturn, which has none, is
 * proven by every signal that follows. */
static void test_numbers(void) {
    u32 let_through = 1;
    for (u64 n = 0; n <= LAST_CALL; n++)
        if (n != HOST_SIGRETURN && !is_refused(n, -1ull, -1ull, -1ull, -1ull, -1ull, -1ull)) {
            log_error("system call %u was let through", (u32)n);
            let_through++;
        }
    EQUAL(let_through, 1);
    CHECK(process_allowed() > 5 && process_allowed() <= ALLOWED_MOST);
    /* Zeros: what a careless caller passes. */
    for (u64 n = 0; n <= LAST_CALL; n++)
        if (n != HOST_SIGRETURN && n != HOST_EXIT_GROUP && n != HOST_PPOLL && n != HOST_MUNMAP && n != HOST_MPROTECT &&
            n != HOST_TIMER_SETTIME)
            CHECK(is_refused(n, 0, 0, 0, 0, 0, 0));
    CHECK(REFUSED(HOST_WRITE | 0x40000000, 1, "", 0)); /* by the x32 name */
}

static void test_arguments(void) {
    const struct host_timespec now = {0, 0};
    u64 at = (u64)vm_reserve(PAGE_SIZE), fd = (u64)process_memory.fd, rw = HOST_PROT_READ | HOST_PROT_WRITE;
    u64 flags = HOST_MAP_SHARED | HOST_MAP_FIXED | HOST_MAP_POPULATE;
    CHECK(host(HOST_MMAP, at, PAGE_SIZE, rw, flags, fd, 0) == (i64)at);
    CHECK(REFUSED(HOST_MMAP, at, PAGE_SIZE, rw | HOST_PROT_EXEC, flags, fd, 0));
    CHECK(REFUSED(HOST_MMAP, at, PAGE_SIZE, rw, HOST_MAP_PRIVATE | HOST_MAP_FIXED | HOST_MAP_ANONYMOUS, -1, 0));
    CHECK(REFUSED(HOST_MMAP, at, PAGE_SIZE, rw, flags, 1, 0));
    CHECK(REFUSED(HOST_MMAP, CODE_RUN, PAGE_SIZE, rw, flags, fd, 0));
    EQUAL(host(HOST_MPROTECT, at, PAGE_SIZE, 0), 0);
    CHECK(REFUSED(HOST_MPROTECT, at, PAGE_SIZE, HOST_PROT_READ | HOST_PROT_EXEC));
    CHECK(REFUSED(HOST_MPROTECT, CODE_RUN, PAGE_SIZE, rw));
    CHECK(REFUSED(HOST_MPROTECT, (u64)test_arguments & ~4095ull, PAGE_SIZE, rw));
    EQUAL(host(HOST_MUNMAP, at, PAGE_SIZE), 0);
    CHECK(REFUSED(HOST_MUNMAP, CODE_WRITE, PAGE_SIZE));
    CHECK(REFUSED(HOST_MREMAP, CODE_RUN, 0, PAGE_SIZE, 1)); /* a third mapping of code */
    EQUAL(host(HOST_WRITE, 1, "", 0), 0);
    CHECK(REFUSED(HOST_WRITE, 2, "", 0));
    CHECK(REFUSED(HOST_WRITE, 1ull << 32 | 1, "", 0));
    EQUAL(host(HOST_PPOLL, NULL, 0, &now, NULL, 0), 0);
    CHECK(REFUSED(HOST_PPOLL, NULL, PROCESS_WATCHED + 1, &now, NULL, 0));
    CHECK(REFUSED(HOST_PPOLL, NULL, 0, &now, &now, 8));
    CHECK(REFUSED(HOST_TIMER_SETTIME, process_alarm + 1, 0, &now, NULL));
    CHECK(REFUSED(HOST_EXIT_GROUP, 256));
    CHECK(REFUSED(HOST_KILL, process_id, HOST_SIGTERM)); /* SIGSTOP is let through after "crash=stop" */
    CHECK(REFUSED(HOST_KILL, process_id + 1, HOST_SIGSTOP));
    CHECK(REFUSED(HOST_KILL, -process_id, HOST_SIGSTOP));
    CHECK(process_stops() || REFUSED(HOST_KILL, process_id, HOST_SIGSTOP));
}

/* Time goes on: an alarm is a signal, and its return the one call without a check. */
static u32 ticks;
static void tick(struct timer *t) { ticks++; }
static void test_interrupts(void) {
    struct timer t = {.fn = tick};
    u64 until = time_mono_ns() + SPIN_NS;
    timer_arm(&t, time_mono_ns() + SPIN_NS / 10);
    while (time_mono_ns() < until) continue;
    EQUAL(ticks, 1);
}

static void test_run_no_more(void) {
    phys p = page_alloc_zeroed();
    u8 *at = vm_reserve(PAGE_SIZE);
    EQUAL(vm_map((uptr)at, p, VM_READ | VM_EXEC), ERR_NOMEM);
    EQUAL(vm_map((uptr)at, p, VM_READ), ERR_OK);
    EQUAL(vm_protect((uptr)at, VM_READ | VM_EXEC), ERR_NOMEM);
    EQUAL(vm_unmap((uptr)at).v, p.v);
    page_free(p, 0);
}

int vm_test(void) {
    test_maps();
    test_code();
    machine_seal();
    process_on_refused = on_refused;
    trap_set_engine_handler(on_illegal);
    test_numbers();
    test_arguments();
    test_interrupts();
    test_run_no_more();
    test_code();
    return test_end("seal");
}

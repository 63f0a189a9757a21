/* seal.c: what the running kernel may ask of the host: a seccomp filter, made
 * from the table below. What it refuses ends the kernel by a panic that names it.
 *
 * I1 nothing is opened, executed or cloned after the filter has closed; no
 *    mapping becomes executable; descriptors and structures are those of boot.
 * I2 the filter holds a whole argument (64 bits) to its check, or leaves it free
 *    on purpose: buffers, addresses within the program's and kernel's windows. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "base/assert.h"
#include "base/mem.h"
#include "kern/bootinfo.h"
#include "kern/log.h"
#include "kern/machine.h"
#include "plat/process/process.h"

enum { CHECKS_MAX = 4, VALUES = 4, PROGRAM_MAX = 256 };
enum { PR_SET_NO_NEW_PRIVS = 38, SECCOMP_SET_MODE_FILTER = 1, LAST_DESCRIPTOR = 255 };
enum { F_SETFL = 4, F_SETOWN = 8, ARCH_SET_FS = 0x1002 };
enum { MAP_FLAGS = HOST_MAP_SHARED | HOST_MAP_FIXED | HOST_MAP_POPULATE };

enum test { NO_TEST, ONE_OF, BELOW, ONLY_BITS };
struct check {
    u8 argument;
    enum test test;
    u64 value[VALUES]; /* ONE_OF: the last is repeated */
};
struct rule {
    u16 call;
    struct check checks[CHECKS_MAX];
};

/* --- the filter's machine: classic BPF (linux/filter.h, linux/seccomp.h) --- */

enum { LOAD = 0x20, EQUAL = 0x15, ABOVE = 0x25, AT_LEAST = 0x35, ANY_BIT = 0x45, GO = 0x05, RETURN = 0x06 };
enum { DATA_CALL = 0, DATA_ARCH = 4, DATA_ARGUMENTS = 16 };
#define ARCH_X86_64 0xc000003eu
#define RETURN_KILL 0x80000000u
#define RETURN_TRAP 0x00030000u
#define RETURN_ALLOW 0x7fff0000u

struct instruction {
    u16 code;
    u8 yes, no;
    u32 k;
};
static struct instruction program[PROGRAM_MAX];
static u16 length;
static u32 allowed;

bool process_sealed;
bool (*process_on_refused)(u64 number);

static void emit(u16 code, u32 k, u8 yes, u8 no) {
    assert(length < PROGRAM_MAX);
    program[length++] = (struct instruction){code, yes, no, k};
}

static void load_half(const struct check *c, bool high) {
    emit(LOAD, DATA_ARGUMENTS + 8u * c->argument + (high ? 4 : 0), 0, 0);
}

static void refuse(void) { emit(RETURN, RETURN_TRAP, 0, 0); }

/* Each falls through if the argument passes, and returns otherwise. */
static void emit_one_of(const struct check *c) {
    u32 n = 1;
    while (n < VALUES && c->value[n] != c->value[n - 1]) n++;
    for (u32 i = 0; i < n; i++) { /* equal in both halves: past the refusal */
        u8 left = (u8)(4 * (n - 1 - i) + 1);
        load_half(c, true);
        emit(EQUAL, (u32)(c->value[i] >> 32), 0, 2);
        load_half(c, false);
        emit(EQUAL, (u32)c->value[i], left, 0);
    }
    refuse();
}

static void emit_below(const struct check *c) {
    u32 high = (u32)(c->value[0] >> 32), low = (u32)c->value[0];
    load_half(c, true);
    emit(ABOVE, high, 3, 0);
    emit(EQUAL, high, 0, 3); /* less: passes */
    load_half(c, false);
    emit(AT_LEAST, low, 0, 1);
    refuse();
}

static void emit_only_bits(const struct check *c) {
    load_half(c, true);
    emit(ANY_BIT, ~(u32)(c->value[0] >> 32), 2, 0);
    load_half(c, false);
    emit(ANY_BIT, ~(u32)c->value[0], 0, 1);
    refuse();
}

static void emit_check(const struct check *c) {
    switch (c->test) {
    case NO_TEST: break;
    case ONE_OF: emit_one_of(c); break;
    case BELOW: emit_below(c); break;
    case ONLY_BITS: emit_only_bits(c); break;
    }
}

static void emit_rule(const struct rule *r) {
    emit(LOAD, DATA_CALL, 0, 0);
    u16 at = length;
    emit(EQUAL, r->call, 0, 0);
    for (u32 i = 0; i < CHECKS_MAX; i++) emit_check(&r->checks[i]);
    emit(RETURN, RETURN_ALLOW, 0, 0);
    assert(length - at - 1 < 256);
    program[at].no = (u8)(length - at - 1);
    allowed++;
}

/* --- what is allowed --- */

#define IS(i, v) {(i), ONE_OF, {(v), (v), (v), (v)}}
#define IS_2(i, a, b) {(i), ONE_OF, {(a), (b), (b), (b)}}
#define IS_4(i, a, b, c, d) {(i), ONE_OF, {(a), (b), (c), (d)}}
#define IN(i, end) {(i), BELOW, {(end)}}
#define BITS(i, mask) {(i), ONLY_BITS, {(mask)}}

static void emit_rules(void) {
    const struct process_files *f = &process_files;
    const u64 net = f->net >= 0 ? (u64)f->net : 1, port = f->port >= 0 ? (u64)f->port : net;
    const u64 rw = HOST_PROT_READ | HOST_PROT_WRITE;
    const struct rule always[] = {
        {HOST_WRITE, {IS_4(0, 1, net, port, port)}},
        {HOST_MMAP, {IN(0, WINDOWS_END), BITS(2, rw), IS(3, MAP_FLAGS), IS(4, (u64)process_memory.fd)}},
        {HOST_MPROTECT, {IN(0, CODE_WRITE + CODE_MAX), BITS(2, rw)}},
        {HOST_MUNMAP, {IN(0, WINDOWS_END)}},
        {HOST_SIGRETURN, {{0}}},
        {HOST_TIMER_SETTIME, {IS(0, process_alarm), IS(1, 0), IS(3, 0)}},
        {HOST_EXIT_GROUP, {IN(0, 256)}},
        {HOST_PPOLL, {IN(1, PROCESS_WATCHED + 1), IS(3, 0)}},
    };
    const struct rule devices[] = {{HOST_READ, {IS_2(0, net, port)}}};
    const struct rule clients[] = {
        {HOST_ACCEPT4, {IS(0, (u64)f->listener), IS(1, 0), IS(2, 0), IS(3, PROCESS_ACCEPT_FLAGS)}},
        {HOST_FCNTL, {IS(0, port), IS_2(1, F_SETFL, F_SETOWN), IS_2(2, PROCESS_FILE_FLAGS, (u64)process_id)}},
    };
    const struct rule closing[] = {{HOST_CLOSE, {IS(0, port)}}};
    const struct rule segments[] = {{HOST_ARCH_PRCTL, {IS(0, ARCH_SET_FS), IN(1, PROGRAM_END)}}};
    for (u32 i = 0; i < ARRAY_LEN(always); i++) emit_rule(&always[i]);
    if (f->net >= 0 || f->port >= 0) emit_rule(&devices[0]);
    if (f->port >= 0) emit_rule(&closing[0]);
    for (u32 i = 0; f->listener >= 0 && i < ARRAY_LEN(clients); i++) emit_rule(&clients[i]);
    const struct rule stop = {HOST_KILL, {IS(0, (u64)process_id), IS(1, HOST_SIGSTOP)}};
    if (process_stops()) emit_rule(&stop);
    if (!process_cpu.fsgsbase) emit_rule(&segments[0]);
}

/* --- closing --- */

/* Descriptors that came with us and are nobody's. */
static void close_others(void) {
    const struct process_files *f = &process_files;
    for (i32 fd = 0; fd <= LAST_DESCRIPTOR; fd++)
        if (fd != 1 && fd != 2 && fd != f->net && fd != f->port && fd != f->listener && fd != process_memory.fd)
            host(HOST_CLOSE, fd);
}

void machine_seal(void) {
    char value[8];
    if (process_sealed) return;
    if (option("unsealed", value, sizeof value)) {
        log_warn("seal: this process may do what its user may (\"unsealed\")");
        return;
    }
    close_others();
    emit(LOAD, DATA_ARCH, 0, 0);
    emit(EQUAL, ARCH_X86_64, 1, 0);
    emit(RETURN, RETURN_KILL, 0, 0);
    emit_rules();
    refuse();
    const struct {
        u64 length;
        const struct instruction *program;
    } filter = {length, program};
    i64 e = host(HOST_PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (e >= 0) e = host(HOST_SECCOMP, SECCOMP_SET_MODE_FILTER, 0, &filter);
    if (e < 0) panic("seal: the filter cannot be set (errno %d)", (int)-e);
    process_sealed = true;
    log_debug("seal: %u system calls of the host are left", allowed);
}

bool machine_fixes_code(void) {
    char value[8];
    return !option("unsealed", value, sizeof value);
}

u32 process_allowed(void) { return allowed; }

bool process_refused(struct host_context *c) {
    if (!process_on_refused || !process_on_refused(c->rax)) return false;
    c->rax = (u64)-1;
    return true;
}

/* host.h: the system calls of Linux that this process makes, by number
 * (asm/unistd_64.h) and with the numbers of their structures. No libc: it would
 * have signals, threads and an FS base of its own. */
#ifndef WHELK_ARCH_PROCESS_HOST_H
#define WHELK_ARCH_PROCESS_HOST_H

#include "base/types.h"

/* The result, or -errno. */
i64 host_call(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
#define HOST_PICK(n, a, b, c, d, e, f, ...) host_call(n, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(f))
#define host(...) HOST_PICK(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

enum {
    HOST_READ = 0, HOST_WRITE = 1, HOST_OPEN = 2, HOST_CLOSE = 3, HOST_FSTAT = 5, HOST_MMAP = 9, HOST_MPROTECT = 10,
    HOST_MUNMAP = 11, HOST_SIGACTION = 13, HOST_SIGRETURN = 15, HOST_IOCTL = 16, HOST_MREMAP = 25, HOST_MADVISE = 28, HOST_GETPID = 39,
    HOST_SOCKET = 41, HOST_CONNECT = 42, HOST_BIND = 49, HOST_LISTEN = 50, HOST_KILL = 62, HOST_FCNTL = 72, HOST_FTRUNCATE = 77,
    HOST_SIGALTSTACK = 131, HOST_PRCTL = 157, HOST_ARCH_PRCTL = 158, HOST_TIMER_CREATE = 222, HOST_TIMER_SETTIME = 223,
    HOST_CLOCK_GETTIME = 228, HOST_EXIT_GROUP = 231, HOST_PPOLL = 271, HOST_ACCEPT4 = 288, HOST_SECCOMP = 317,
    HOST_GETRANDOM = 318, HOST_MEMFD_CREATE = 319,
};
enum { HOST_EINTR = 4, HOST_EAGAIN = 11, HOST_ENOMEM = 12 };
enum { HOST_PROT_READ = 1, HOST_PROT_WRITE = 2, HOST_PROT_EXEC = 4 };
enum { HOST_MAP_SHARED = 1, HOST_MAP_PRIVATE = 2, HOST_MAP_FIXED = 0x10, HOST_MAP_ANONYMOUS = 0x20,
       HOST_MAP_NORESERVE = 0x4000, HOST_MAP_POPULATE = 0x8000 };
enum { HOST_SIGILL = 4, HOST_SIGTRAP = 5, HOST_SIGBUS = 7, HOST_SIGFPE = 8, HOST_SIGSEGV = 11, HOST_SIGALRM = 14,
       HOST_SIGTERM = 15, HOST_SIGSTOP = 19, HOST_SIGIO = 29, HOST_SIGSYS = 31 };

struct host_timespec {
    i64 seconds, nanoseconds;
};

/* What a signal interrupted: struct ucontext of Linux, up to the mask. */
struct host_context {
    u64 flags, link, stack_base;
    u32 stack_flags, pad;
    u64 stack_size;
    u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    u16 cs, gs, fs, ss;
    u64 error, vector, mask, fault;
};

/* The bits of process_cpu.pending; also the order in which they are taken. */
enum process_interrupt { PROCESS_TIMER, PROCESS_DEVICE, PROCESS_BUTTON, PROCESS_INTERRUPTS };

/* plat/process: has the alarm really come? It may ring early. */
bool process_alarm_due(void);
/* plat/process: this Linux has no Syscall User Dispatch. */
_Noreturn void process_no_dispatch(void);
/* plat/process: a system call that the filter refuses. false: it is a bug. */
bool process_refused(struct host_context *c);

#endif

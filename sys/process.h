/* process.h: the one program, its threads, and what a system call works with.
 *
 * Errors: functions of sys/ return results >= 0 or negated LINUX_E* numbers.
 * Threads: system calls run on the calling thread's kernel stack, preemptible,
 *   and may block. User addresses are touched only through user_read and
 *   user_write, never with a spin lock or a mutex of fs/ held. */
#ifndef WHELK_SYS_PROCESS_H
#define WHELK_SYS_PROCESS_H

#include "arch/x86_64/trap.h"
#include "base/list.h"
#include "base/types.h"
#include "fs/file.h"
#include "kern/lock.h"
#include "kern/program.h"
#include "kern/thread.h"
#include "kern/wait.h"

enum { FD_MAX = 1024, SIGNAL_MAX = 64 };

enum linux_signal {
    SIGNAL_ILL = 4, SIGNAL_TRAP = 5, SIGNAL_ABRT = 6, SIGNAL_BUS = 7, SIGNAL_FPE = 8,
    SIGNAL_KILL = 9, SIGNAL_SEGV = 11, SIGNAL_PIPE = 13, SIGNAL_TERM = 15, SIGNAL_CHLD = 17, SIGNAL_CONT = 18,
    SIGNAL_STOP = 19, SIGNAL_TSTP = 20, SIGNAL_TTIN = 21, SIGNAL_TTOU = 22, SIGNAL_URG = 23,
    SIGNAL_WINCH = 28,
};

/* struct kernel_sigaction of x86-64. */
struct signal_action {
    u64 handler; /* 0 default, 1 ignore */
    u64 flags;
    u64 restorer;
    u64 mask;
};

struct process {
    /* under files_lock */
    struct mutex files_lock;
    struct file *files[FD_MAX];
    u64 cloexec[FD_MAX / 64];
    /* under lock */
    struct mutex lock;
    struct list tasks;
    u32 task_count;
    struct inode *cwd; /* counted */
    u32 umask;
    struct signal_action actions[SIGNAL_MAX + 1];
    u64 pending; /* of the process: whoever comes first takes one */
    bool exiting;
    int status; /* as machine_exit takes it; valid when exiting */
    /* fixed after start */
    char exe[LINUX_PATH_MAX];
    struct waitq ended; /* woken when exiting is set */
};
extern struct process process;

/* A thread of the program. */
struct task {
    struct list node; /* in process.tasks */
    struct thread *thread;
    u32 tid;
    /* owner thread only */
    struct trap_frame start; /* where it begins */
    u64 clear_tid;           /* set_tid_address; 0: none */
    u64 robust_list, robust_length;
    u64 mask;         /* blocked signals */
    u64 mask_saved;   /* by sigsuspend, ppoll: put back on return */
    bool mask_restore;
    u64 altstack, altstack_size;
    u32 altstack_flags;
    /* atomic */
    u64 pending;
    u64 waits_for; /* rt_sigtimedwait: blocked or not */
    bool ended;
};

struct task *task_current(void); /* the caller is a thread of the program */
/* A task that starts at *start with the FS base; not running yet. */
i64 task_new(const struct trap_frame *start, u64 fs_base, struct task **out);
/* The calling thread ends. With the last one the program ends with status. */
_Noreturn void task_end(int status);
/* Every thread of the program is made to end; the VM ends with status. */
void process_end(int status);

struct call {
    u64 a[6];
    struct trap_frame *frame;
};

/* Descriptors. */
struct file *fd_file(u64 fd); /* counted; NULL: EBADF, as an O_PATH one is */
struct file *fd_any(u64 fd);  /* O_PATH ones too: for what works on them (open(2)) */
i64 fd_install(struct file *f, u64 lowest, bool cloexec); /* takes the reference, also on failure */
i64 fd_close(u64 fd);
i64 fd_replace(u64 fd, struct file *f, bool cloexec); /* dup2: takes the reference */
bool fd_cloexec(u64 fd);
void fd_set_cloexec(u64 fd, bool on);
void fd_close_all(void);

/* Memory moved between a call's buffers in the program and the kernel. */
struct iovec {
    u64 base, length;
};
enum { IOVEC_MAX = 1024 };
#define LINUX_PROGRAM_END ((1ull << 47) - 4096) /* what is above is refused before anything else is looked at */
struct vector {
    struct iovec *v; /* kmalloc'ed unless one */
    struct iovec one;
    u32 count, at;
    u64 within; /* of v[at] */
    u64 left;   /* bytes in all */
};
i64 vector_read(struct vector *v, u64 user, u64 count); /* -EINVAL, -EFAULT, -ENOMEM */
void vector_single(struct vector *v, u64 base, u64 length);
void vector_free(struct vector *v);
/* Up to n bytes onwards from where the vector is; -EFAULT. */
i64 vector_gather(struct vector *v, void *to, size_t n);
i64 vector_scatter(struct vector *v, const void *from, size_t n);

/* A kernel buffer for one step of a transfer. */
enum { BOUNCE_MAX = 65536 };
struct bounce {
    u8 *p;
    size_t cap;
    u8 small[256];
};
bool bounce_begin(struct bounce *b, size_t want);
void bounce_end(struct bounce *b);

/* A path argument, kmalloc'ed: kfree it. */
i64 path_read(u64 user, char **out);

/* Signals. */
void signal_action_set(int s); /* process.actions[s] is new; process.lock is held */
void signal_task(struct task *t, int signal);
void signal_process(int signal);
int signal_take(u64 set); /* 0: none of them is pending */
bool signal_waiting(void); /* something to deliver to the calling thread */
void signal_mask(u64 mask);
/* Until the call returns: sigsuspend, ppoll, epoll_pwait. -EINVAL, -EFAULT. */
i64 signal_mask_for_call(u64 user_mask, u64 size);
void signal_leave(struct trap_frame *frame);
void signal_fault(struct trap_frame *frame, uptr address);

/* Times: absolute deadlines of time_mono_ns. */
struct timespec {
    i64 sec, nsec;
};
i64 timespec_read(u64 user, u64 *ns); /* -EINVAL, -EFAULT */
struct timespec timespec_of(u64 ns);
/* NULL pointer: WAIT_FOREVER. */
i64 deadline_read(u64 user_relative, u64 *deadline);
u64 deadline_after(u64 ns);

i64 futex_wake_address(u64 address, u32 count);
struct file *socket_file(struct file *f); /* f if it is a socket, else NULL */

/* Says once per distinct text that something asked for has no effect here. */
void refuse_once(const char *what, u64 detail);

#endif

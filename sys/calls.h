/* calls.h: the system calls that exist. The prototypes, the dispatch table and
 * the list in the documentation derive from it: X(number, name). */
#ifndef WHELK_SYS_CALLS_H
#define WHELK_SYS_CALLS_H

#include "sys/process.h"

/* clang-format off */
#define LINUX_CALLS(X)                                                                      \
    /* call_io.c */                                                                         \
    X(0, read) X(1, write) X(17, pread64) X(18, pwrite64) X(19, readv) X(20, writev)        \
    X(295, preadv) X(296, pwritev) X(8, lseek) X(40, sendfile)                              \
    /* call_fd.c */                                                                         \
    X(3, close) X(5, fstat) X(16, ioctl) X(22, pipe) X(293, pipe2) X(32, dup) X(33, dup2)   \
    X(292, dup3) X(72, fcntl) X(74, fsync) X(75, fdatasync) X(77, ftruncate)                \
    X(217, getdents64) X(284, eventfd) X(290, eventfd2) X(436, close_range)                 \
    /* call_path.c */                                                                       \
    X(2, open) X(257, openat) X(85, creat) X(4, stat) X(6, lstat) X(262, newfstatat)        \
    X(332, statx) X(21, access) X(269, faccessat) X(439, faccessat2) X(76, truncate)        \
    X(79, getcwd) X(80, chdir) X(81, fchdir)                                                \
    /* call_name.c */                                                                       \
    X(83, mkdir) X(258, mkdirat) X(84, rmdir) X(87, unlink) X(263, unlinkat)                \
    X(82, rename) X(264, renameat) X(316, renameat2) X(86, link) X(265, linkat)             \
    X(88, symlink) X(266, symlinkat) X(89, readlink) X(267, readlinkat) X(90, chmod)        \
    X(91, fchmod) X(268, fchmodat) X(95, umask) X(280, utimensat) X(137, statfs)            \
    X(138, fstatfs)                                                                         \
    /* call_poll.c */                                                                       \
    X(7, poll) X(271, ppoll) X(23, select) X(270, pselect6) X(213, epoll_create)            \
    X(291, epoll_create1) X(233, epoll_ctl) X(232, epoll_wait) X(281, epoll_pwait)          \
    /* call_memory.c */                                                                     \
    X(9, mmap) X(10, mprotect) X(11, munmap) X(12, brk) X(25, mremap) X(28, madvise)        \
    X(26, msync) X(27, mincore)                                                             \
    /* call_thread.c */                                                                     \
    X(56, clone) X(57, fork) X(58, vfork) X(59, execve) X(322, execveat) X(435, clone3)     \
    X(60, exit) X(231, exit_group) X(39, getpid) X(186, gettid) X(110, getppid)             \
    X(218, set_tid_address) X(273, set_robust_list) X(158, arch_prctl) X(24, sched_yield)   \
    X(204, sched_getaffinity) X(61, wait4) X(157, prctl) X(334, rseq)                       \
    /* futex.c */                                                                           \
    X(202, futex)                                                                           \
    /* call_signal.c */                                                                     \
    X(13, rt_sigaction) X(14, rt_sigprocmask) X(15, rt_sigreturn) X(127, rt_sigpending)     \
    X(130, rt_sigsuspend) X(131, sigaltstack) X(62, kill) X(200, tkill) X(234, tgkill)      \
    X(34, pause)                                                                            \
    /* call_time.c */                                                                       \
    X(35, nanosleep) X(230, clock_nanosleep) X(228, clock_gettime) X(229, clock_getres)     \
    X(96, gettimeofday) X(201, time) X(100, times)                                          \
    /* call_system.c */                                                                     \
    X(63, uname) X(99, sysinfo) X(318, getrandom) X(97, getrlimit) X(302, prlimit64)        \
    X(98, getrusage) X(102, getuid) X(104, getgid) X(107, geteuid) X(108, getegid)          \
    X(111, getpgrp) X(124, getsid) X(121, getpgid) X(112, setsid) X(309, getcpu)            \
    X(115, getgroups)                                                                       \
    /* call_socket.c, call_message.c */                                                     \
    X(41, socket) X(49, bind) X(50, listen) X(43, accept) X(288, accept4) X(42, connect)    \
    X(48, shutdown) X(51, getsockname) X(52, getpeername) X(54, setsockopt)                 \
    X(55, getsockopt) X(44, sendto) X(45, recvfrom) X(46, sendmsg) X(47, recvmsg)           \
    X(53, socketpair)                                                                       \
    /* call_timer.c */                                                                      \
    X(37, alarm) X(36, getitimer) X(38, setitimer) X(283, timerfd_create)                   \
    X(286, timerfd_settime) X(287, timerfd_gettime)                                         \
    /* call_lock.c */                                                                       \
    X(73, flock)                                                                            \
    /* call_file.c */                                                                       \
    X(285, fallocate) X(221, fadvise64) X(187, readahead) X(162, sync) X(306, syncfs)       \
    X(319, memfd_create) X(132, utime) X(235, utimes) X(261, futimesat) X(149, mlock)       \
    X(150, munlock) X(151, mlockall) X(152, munlockall) X(325, mlock2) X(160, setrlimit)    \
    /* call_user.c */                                                                       \
    X(105, setuid) X(106, setgid) X(113, setreuid) X(114, setregid) X(117, setresuid)       \
    X(119, setresgid) X(118, getresuid) X(120, getresgid) X(122, setfsuid)                  \
    X(123, setfsgid) X(116, setgroups) X(92, chown) X(93, fchown) X(94, lchown)             \
    X(260, fchownat) X(140, getpriority) X(141, setpriority) X(142, sched_setparam)         \
    X(143, sched_getparam) X(144, sched_setscheduler) X(145, sched_getscheduler)            \
    X(146, sched_get_priority_max) X(147, sched_get_priority_min)                           \
    X(148, sched_rr_get_interval) X(203, sched_setaffinity) X(109, setpgid)                 \
    X(164, settimeofday) X(227, clock_settime) X(170, sethostname) X(171, setdomainname)    \
    X(135, personality) X(324, membarrier) X(247, waitid)                                   \
    /* call_signal.c */                                                                     \
    X(128, rt_sigtimedwait)
/* clang-format on */

/* Two files as descriptors, written to user as two ints: pipe2, socketpair. Takes both. */
i64 install_pair(struct file *pair[2], bool cloexec, u64 user);

/* Between call_fd.c and call_lock.c: fcntl's record locks. */
enum { FCNTL_GETLK = 5, FCNTL_SETLK = 6, FCNTL_SETLKW = 7 };
i64 lock_record(struct file *f, u64 command, u64 user);

#define X(number, name) i64 call_##name(const struct call *c);
LINUX_CALLS(X)
#undef X

#endif

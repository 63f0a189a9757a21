/* partial.h: what is missing of the system calls that exist: one line for each
 * that does less than Linux's. doc/linux-abi.md is made from this, calls.h and
 * names.h by tools/linux-abi; tidy checks that it is current.
 *
 * LINUX_CALLS_REFUSED: there by name only, so that the refusal has its own words. */
#ifndef WHELK_SYS_PARTIAL_H
#define WHELK_SYS_PARTIAL_H

/* clang-format off */
#define LINUX_CALLS_PARTIAL(X) \
    X(open, "no O_DIRECT, O_TMPFILE, O_ASYNC") X(openat, "as open") \
    X(mmap, "no MAP_SHARED of files; never writable and executable (EACCES); MAP_POPULATE and MAP_NORESERVE are hints; no MAP_LOCKED, MAP_HUGETLB, MAP_GROWSDOWN") \
    X(mprotect, "never writable and executable (EACCES)") X(mremap, "MREMAP_MAYMOVE only") \
    X(madvise, "DONTNEED and FREE take effect, other advice is checked only") X(msync, "there are no shared mappings of files to write back") \
    X(mlock2, "MLOCK_ONFAULT has nothing to do") X(mlockall, "pages still come when touched; none ever goes") \
    X(ioctl, "FIONREAD, FIONBIO, FIOCLEX, FIONCLEX; terminals answer ENOTTY") \
    X(fcntl, "no locks of open files (F_OFD_*), leases, signals, pipe sizes, seals") \
    X(flock, "at most 128 held at once") X(fallocate, "mode 0 only, and space is not set aside: a later write can meet ENOSPC") \
    X(memfd_create, "no seals, no huge pages") X(renameat2, "RENAME_NOREPLACE only") \
    X(clone, "threads only, as pthread_create asks for them") \
    X(prctl, "PR_SET_NAME, PR_GET_NAME") X(arch_prctl, "FS only: GS is the kernel's") \
    X(wait4, "there are no children: ECHILD") X(waitid, "there are no children: ECHILD") \
    X(futex, "WAIT, WAKE, their BITSET forms, REQUEUE, CMP_REQUEUE; no priority inheritance, no WAKE_OP") \
    X(rt_sigaction, "no job control: SIGSTOP and its kin do nothing; real-time signals do not queue") \
    X(rt_sigtimedwait, "the siginfo says SI_TKILL of this process") X(kill, "the one process only (1, 0, -1)") \
    X(setitimer, "ITIMER_REAL only") X(getitimer, "ITIMER_REAL only") \
    X(timerfd_create, "no alarm clocks") \
    X(getrlimit, "fixed") X(prlimit64, "a change is refused (EPERM)") X(setrlimit, "a change is refused (EPERM)") \
    X(getrusage, "time of the calling thread only") X(times, "user time only") X(sysinfo, "no loads") \
    X(setuid, "root stays root: others are EPERM") X(setgid, "as setuid") X(setreuid, "as setuid") X(setregid, "as setuid") \
    X(setresuid, "as setuid") X(setresgid, "as setuid") X(setfsuid, "as setuid") X(setfsgid, "as setuid") \
    X(setgroups, "the group of root only") X(chown, "to root only") X(fchown, "to root only") X(lchown, "to root only") X(fchownat, "to root only") \
    X(setpriority, "0 only") X(sched_setscheduler, "SCHED_OTHER only") X(sched_setparam, "priority 0 only") \
    X(sched_setaffinity, "one CPU") X(sched_getaffinity, "one CPU") X(getcpu, "one CPU") \
    X(setpgid, "one process, one group: EPERM") X(setsid, "EPERM: process 1 leads already") X(settimeofday, "EPERM") X(clock_settime, "EPERM") \
    X(sethostname, "EPERM") X(setdomainname, "EPERM") X(personality, "the plain one only") X(membarrier, "offers no command") \
    X(clock_gettime, "no clocks of other processes or threads") \
    X(socket, "AF_INET: streams, datagrams, raw ICMP; AF_UNIX: streams") X(socketpair, "AF_UNIX streams") X(setsockopt, "the options that net/socket.h lists") X(getsockopt, "the options that net/socket.h lists") \
    X(sendmsg, "no control data") X(recvmsg, "no control data; no MSG_OOB, MSG_ERRQUEUE") X(sendto, "no MSG_OOB, MSG_ZEROCOPY") X(recvfrom, "no MSG_OOB, MSG_ERRQUEUE") \
    X(sendfile, "from regular files") X(statfs, "always the one tree in memory") X(fstatfs, "always the one tree in memory") \
    X(epoll_ctl, "no EPOLLWAKEUP")
#define LINUX_CALLS_REFUSED(X) \
    X(fork, "one process") X(vfork, "one process") X(execve, "one program") X(execveat, "one program") \
    X(clone3, "libcs then use clone") X(rseq, "libcs do without")
/* clang-format on */

#endif

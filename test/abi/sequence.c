/* sequence.c: sequences of system calls, made of a seed: files, pipes, sockets,
 * epoll, timers, memory and signals, whose state the calls of one sequence share.
 * Linux and Whelk must print the same (test/fuzz/calls).
 *
 *   sequence DIR SEED COUNT [OFF]     OFF: "17,3-5": calls that are left out
 *
 * I1 a call's arguments depend on the seed and its number alone: leaving out others
 *    does not change them.
 * I2 nothing blocks: descriptors do not, and times are short.
 * I3 what may differ (addresses, times, identities) is printed as "ok".
 * I4 nothing outside of DIR and of this process is changed: names are relative,
 *    none begins with "..", descriptors 0 to 2 are spared, signals go to oneself. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

typedef uint64_t u64;
enum { PAGE = 4096, AREA_PAGES = 32, SHOWN = 10 };
/* Each with nothing mapped behind it: what runs over its end faults, the same everywhere. */
#define AREA ((unsigned char *)0x20000000) /* mapped, unmapped, protected by the calls */
#define IN ((unsigned char *)0x30000000)   /* a page that calls read */
#define OUT ((unsigned char *)0x31000000)  /* a page that calls write, zeroed before each */
#define TABLE ((unsigned char *)0x32000000) /* iovecs, polls, times: made for each call */

/* How arguments are made, a letter each:
 *   f descriptor  F where a descriptor may go   s path   o OUT  i IN  g AREA, any byte  p AREA, a page
 *   n length      N short length   k offset     w whence b small   m mode    O open's flags  M mmap's flags
 *   Q length in pages, or none  P protection  v iovecs  c how many of them  x polls  q how many  e event  E epoll's operation
 *   t a short time  T the same or NULL, of utimensat   y a timer's  S signal  H how  W signal set  Z its size
 *   l a length, in and out  a address of a local socket  A its length  B message flags  L level  j option
 *   u fcntl's command and argument (two)  r a word for futex  R futex's operation  d advice
 * and how the result is shown: = as it is, . whether it failed, # as it is and a sum of OUT. */
static const struct {
    int number;
    const char *name, *arguments, *result;
} calls[] = {
#define C(name, arguments, result) {SYS_##name, #name, arguments, result}
    C(openat, "DsOm", "="), C(openat, "DsOm", "="), C(openat, "DsOm", "="), C(openat, "DsOm", "="), C(openat, "DsOm", "="), C(creat, "sm", "="), C(close, "f", "="),
    C(read, "fon", "#"), C(read, "fon", "#"), C(pread64, "fonk", "#"), C(write, "fin", "="), C(write, "fin", "="), C(pwrite64, "fink", "="),
    C(write, "fgN", "="), C(read, "fgN", "="), C(pread64, "fgNk", "="), C(readv, "fvc", "#"), C(writev, "fvc", "="), C(preadv, "fvck", "#"),
    C(pwritev, "fvck", "="), C(lseek, "fkw", "="), C(lseek, "fkw", "="), C(ftruncate, "fk", "="), C(truncate, "sk", "="), C(sendfile, "ffzN", "="),
    C(access, "sb", "="), C(mkdir, "sm", "="), C(rmdir, "s", "="), C(unlink, "s", "="), C(rename, "ss", "="), C(renameat2, "DsDsb", "="),
    C(link, "ss", "="), C(linkat, "DsDsG", "="), C(symlink, "ss", "="), C(readlink, "soN", "#"), C(chmod, "sm", "="), C(fchmod, "fm", "="),
    C(unlinkat, "DsG", "="), C(faccessat, "Dsb", "="), C(utimensat, "DsTG", "="), C(umask, "m", "="), C(fsync, "f", "="), C(flock, "fh", "="),
    C(dup, "f", "="), C(dup2, "fF", "="), C(dup3, "fFO", "="), C(fcntl, "fu", "="), C(fcntl, "fu", "="), C(ioctl, "fIo", "#"),
    C(close_range, "FFz", "="), C(pipe2, "oY", "#"), C(eventfd2, "bY", "="), C(epoll_create1, "C", "="), C(epoll_ctl, "3Efe", "="),
    C(epoll_ctl, "3Efe", "="), C(epoll_ctl, "3Efe", "="), C(epoll_pwait, "foqbzZ", "="), C(poll, "xqb", "="), C(ppoll, "xqtzZ", "="), C(timerfd_create, "bY", "="),
    C(timerfd_settime, "fbyo", "="), C(timerfd_gettime, "fo", "="), C(socketpair, "1YzO", "."), C(socketpair, "1Yzo", "#"), C(socket, "1Yz", "="),
    C(bind, "faA", "="), C(listen, "fb", "="), C(connect, "faA", "="), C(accept4, "folY", "="), C(sendto, "finBzz", "="), C(recvfrom, "fonBzz", "#"),
    C(shutdown, "fU", "="), C(getsockname, "fol", "#"), C(getpeername, "fol", "#"), C(getsockopt, "fLjol", "#"), C(setsockopt, "fLjiN", "="),
    C(sendmsg, "fXB", "="), C(recvmsg, "fXB", "#"), C(mmap, "pQPMfk", "."), C(mmap, "pQPMfk", "."), C(munmap, "pQ", "="), C(mprotect, "pQP", "="),
    C(mremap, "pQQV", "."), C(madvise, "pQd", "="), C(msync, "pQb", "="), C(mincore, "pQo", "="), C(brk, "K", "."), C(rt_sigprocmask, "HWoZ", "="),
    C(rt_sigpending, "oZ", "#"), C(kill, "zS", "="), C(tgkill, "zzS", "="), C(rt_sigtimedwait, "WotZ", "="), C(sigaltstack, "zo", "="),
    C(futex, "rRbtrb", "="), C(futex, "rRbtrb", "="), C(nanosleep, "to", "="), C(clock_gettime, "bo", "."), C(getrandom, "oNb", "="), C(sched_yield, "", "="),
    C(getcwd, "oJ", "."), C(statfs, "so", "."), C(memfd_create, "sC", "="), C(fallocate, "fbkk", "="),
#undef C
};
/* Calls whose answer is taken apart: a status, the names of a directory, what is ready. */
enum { CALLS = sizeof calls / sizeof *calls, STAT = CALLS, FSTAT, NAMES, READY, ACTION, ALL };

static u64 state;
static unsigned next(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33);
}
#define PICK(...) pick((const u64[]){__VA_ARGS__}, sizeof((const u64[]){__VA_ARGS__}) / 8)
static u64 pick(const u64 *from, size_t n) { return from[next() % n]; }

static u64 bad(void) { return PICK(0, 1, 8, 1ull << 63, 0xffff800000001000u, 0x7ffffffff000u, 0x30001000u); }
static u64 at(const void *p) { return next() % 12 ? (u64)(uintptr_t)p : bad(); }

/* --- signals: counted --- */

static volatile int handled[65];
static void count(int s) { handled[s]++; }
static const int signals[] = {SIGUSR1, SIGUSR2, SIGPIPE, SIGWINCH, 40, 41};
enum { SIGNALS = sizeof signals / sizeof *signals };

/* --- arguments --- */

static const char *const paths[] = {"a", "b", "c", "d", "e", "d/a", "d/b", "d/e", "d/e/a", "l", "s", "d/../a", "./b", "a/b", "e/", "d/.", "", "gone"};
static u64 path(void) {
    unsigned n = next() % 24;
    if (n == 23) return bad();
    if (n == 22) memset(TABLE, 'x', 300), TABLE[300] = 0;
    else strcpy((char *)TABLE + 2000, paths[n % (sizeof paths / sizeof *paths)]);
    return (uintptr_t)TABLE + (n == 22 ? 0 : 2000);
}
/* A second one needs a place of its own. */
static u64 second_path(void) {
    const char *p = paths[next() % (sizeof paths / sizeof *paths)];
    return (uintptr_t)strcpy((char *)TABLE + 3000, p);
}

static u64 iovecs(void) {
    struct iovec *v = (struct iovec *)TABLE;
    static const u64 lengths[] = {0, 1, 3, 100, 4096, 8192, 1ull << 31, (u64)-1};
    for (int i = 0; i < 6; i++) {
        unsigned char *base = next() % 10 ? OUT + next() % 8 * 100 : (unsigned char *)(uintptr_t)bad();
        v[i] = (struct iovec){base, lengths[next() % (next() % 6 ? 4 : 8)]};
    }
    return at(v);
}
static u64 polls(void) {
    struct pollfd *p = (struct pollfd *)OUT;
    for (int i = 0; i < 6; i++) p[i] = (struct pollfd){next() % 8 ? 3 + (int)(next() % 12) : (int)PICK(-1, 100), (short)PICK(POLLIN, POLLOUT, POLLIN | POLLOUT, 0, POLLRDHUP | POLLPRI), 0};
    return at(p);
}
static u64 event(void) {
    struct epoll_event *e = (struct epoll_event *)(TABLE + 1000);
    e->events = (unsigned)PICK(EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT, EPOLLIN | EPOLLET, EPOLLIN | EPOLLONESHOT, 0);
    e->data.u64 = next() % 8;
    return at(e);
}
static u64 short_time(void) {
    static const struct timespec times[] = {{0, 0}, {0, 1}, {0, 1000}, {-1, 0}, {0, 1000000000}, {0, -1}};
    memcpy(TABLE + 1100, &times[next() % 6], 16);
    u64 a = at(TABLE + 1100);
    return a ? a : 8; /* none would be for ever: I2 */
}
/* Either off or so far away that it never comes. */
static u64 timer(void) {
    struct itimerspec t = {{0, 0}, {(time_t)PICK(0, 1000000, 1ull << 40, (u64)-1), (long)PICK(0, 0, 5, 1000000000)}};
    memcpy(TABLE + 1200, &t, sizeof t);
    return at(TABLE + 1200);
}
static u64 set_of_signals(void) {
    u64 set = 0;
    for (int i = 0; i < SIGNALS; i++) set |= (u64)(next() & 1) << (signals[i] - 1);
    memcpy(TABLE + 1300, &set, 8);
    return next() % 6 ? at(TABLE + 1300) : 0;
}
static u64 length_word(void) {
    unsigned n = (unsigned)PICK(0, 2, 4, 16, 110, 4096, 0xffffffff);
    memcpy(TABLE + 1400, &n, 4);
    return at(TABLE + 1400);
}
static u64 local_address(void) {
    struct sockaddr_un a = {.sun_family = (sa_family_t)PICK(AF_UNIX, AF_UNIX, AF_UNIX, 0, 77)};
    strcpy(a.sun_path, next() % 4 ? "s" : "a");
    memcpy(TABLE + 1500, &a, sizeof a);
    return at(TABLE + 1500);
}
static u64 message(void) {
    struct msghdr *m = (struct msghdr *)(TABLE + 1700);
    memset(m, 0, sizeof *m);
    m->msg_iov = (struct iovec *)(uintptr_t)iovecs();
    m->msg_iovlen = (size_t)PICK(0, 1, 2, 6, 1025, (u64)-1);
    return at(m);
}

static u64 descriptor(void) { return next() % 14 ? 3 + next() % 9 : PICK(-1, 100, 1000000, 1u << 31); }

static u64 argument(char kind, u64 *after) {
    switch (kind) {
    case 'f': return descriptor();
    case '3': return next() % 3 ? 7 : descriptor(); /* the epoll, as long as it is that */
    case 'F': return 3 + next() % 16;
    case 'D': return (u64)AT_FDCWD;
    case 's': return path();
    case '2': return second_path();
    case 'o': return at(OUT);
    case 'i': return at(IN);
    case 'g': return (uintptr_t)AREA + next() % (AREA_PAGES * PAGE);
    case 'p': return next() % 12 ? (uintptr_t)AREA + next() % AREA_PAGES * PAGE : PICK(0, 1, (uintptr_t)AREA + 5, 1ull << 63, 1ull << 47);
    case 'n': return PICK(0, 1, 7, 100, 4095, 4096, 4097, 8192, 3 * PAGE, 20000, 1ull << 31, 1ull << 62, (u64)-1, (u64)-4096);
    case 'Q': return PICK(0, 1, PAGE - 1, PAGE, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE, 20000, 1ull << 62, (u64)-1, (u64)-4096);
    case 'N': return PICK(0, 1, 4, 8, 100, 5000);
    case 'k': return PICK(0, 0, 1, 5, 100, 4095, 4096, 10000, 65536, (u64)-1, 1ull << 62, 1ull << 63);
    case 'w': return PICK(0, 1, 2, 3, 4, 5, (u64)-1);
    case 'b': return PICK(0, 0, 1, 1, 2, 3, 4, 7, 8);
    case 'm': return PICK(0, 0644, 0755, 0777, 0600, 07777);
    case 'O': return PICK(O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT, O_RDWR | O_CREAT, O_CREAT | O_EXCL | O_RDWR, O_RDONLY | O_DIRECTORY,
                          O_RDWR | O_TRUNC, O_WRONLY | O_APPEND, O_NOFOLLOW, O_PATH, O_CREAT | O_DIRECTORY, O_CLOEXEC) | O_NONBLOCK;
    case 'M': return PICK(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, MAP_PRIVATE | MAP_FIXED, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, MAP_FIXED, MAP_ANONYMOUS | MAP_FIXED);
    case 'P': return PICK(PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE);
    case 'v': return iovecs();
    case 'c': return PICK(0, 1, 2, 3, 6, 1025, (u64)-1);
    case 'x': return polls();
    case 'q': return PICK(0, 1, 2, 6);
    case 'e': return event();
    case 'E': return PICK(1, 1, 2, 3, 0, 9);
    case 't': return short_time();
    case 'T': return next() % 2 ? 0 : short_time();
    case 'y': return timer();
    case 'S': return PICK(0, SIGUSR1, SIGUSR2, SIGPIPE, SIGWINCH, 40, 41, 65, (u64)-1);
    case 'H': return PICK(0, 0, 1, 2, 3);
    case 'W': return set_of_signals();
    case 'Z': return PICK(8, 8, 8, 8, 4, 128);
    case 'l': return length_word();
    case 'a': return local_address();
    case 'A': return PICK(4, 4, 4, 2, 0, 110, 200, (u64)-1);
    case 'B': return PICK(0, MSG_DONTWAIT, MSG_PEEK, MSG_NOSIGNAL, MSG_TRUNC, MSG_WAITALL | MSG_DONTWAIT);
    case 'L': return PICK(SOL_SOCKET, SOL_SOCKET, SOL_SOCKET, 77);
    case 'j': return PICK(SO_TYPE, SO_ERROR, SO_ACCEPTCONN, SO_DOMAIN, SO_PROTOCOL, 999);
    case 'u':
        *after = PICK(0, FD_CLOEXEC, O_NONBLOCK, O_NONBLOCK | O_APPEND, 5, 20);
        return next() % 5 ? PICK(F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC) : (*after |= O_NONBLOCK, PICK(F_SETFL, 9999));
    case 'r': return at(IN + next() % 4 * 4 + (next() % 8 == 0));
    case 'R': return PICK(0, 1, 3, 4, 9, 10, 128, 129, 137, 77);
    case 'd': return PICK(0, 1, 2, 3, 4, 4, 8, 99);
    case 'G': return PICK(0, 0, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW, 1);
    case 'I': return PICK(0x541b /* FIONREAD */, 0x5451 /* FIOCLEX */, 0x12345);
    case 'h': return PICK(LOCK_SH, LOCK_EX, LOCK_UN, 0) | LOCK_NB;
    case 'Y': return PICK(O_NONBLOCK, O_NONBLOCK | O_CLOEXEC);
    case 'C': return PICK(0, 0, O_CLOEXEC, 3);
    case 'K': return 0;
    case 'U': return PICK(SHUT_WR, SHUT_WR, SHUT_RD, SHUT_RDWR, 3, (u64)-1);
    case 'V': return PICK(0, 1, 1, 1, 8);
    case 'J': return PICK(0, PAGE);
    case '1': return AF_UNIX;
    case 'X': return message();
    default: return 0;
    }
}

/* --- one call, shown --- */

static unsigned kind(u64 fd) {
    struct stat st;
    return fstat((int)fd, &st) ? 0 : st.st_mode & S_IFMT;
}

static unsigned sum(const unsigned char *p, size_t n) {
    unsigned s = 5381;
    for (size_t i = 0; i < n; i++) s = s * 33 + p[i];
    return s;
}

static void show_argument(u64 a) {
    if (a >= (uintptr_t)TABLE + 2000 && a < (uintptr_t)TABLE + PAGE) printf("\"%s\"", (char *)(uintptr_t)a);
    else printf("%#llx", (unsigned long long)a);
}

static void answer(long r, char how) {
    if (r == -1) printf(" = error %d", errno);
    else if (how == '.') printf(" = ok");
    else printf(" = %ld", r);
    if (r != -1 && how == '#') printf(" %x", sum(OUT, PAGE));
}

/* Of a kind that queues on Linux, and not here. */
static int waits_already(u64 s) {
    u64 set = 0;
    syscall(SYS_rt_sigpending, &set, 8);
    return s >= 32 && s <= 64 && set >> (s - 1) & 1;
}

static void plain(unsigned k) {
    u64 a[6] = {0}, after = 0;
    const char *letters = calls[k].arguments;
    int n = 0, had_path = 0;
    for (const char *c = letters; *c && n < 6; c++) {
        a[n++] = argument(*c == 's' && had_path++ ? '2' : *c, &after);
        if (*c == 'u') a[n++] = after;
    }
    if (calls[k].number == SYS_close_range) a[1] = a[0] + a[1] % 3 - 1;
    if (calls[k].number == SYS_mmap && !(a[3] & MAP_ANONYMOUS) && kind(a[4]) != S_IFREG) a[4] = (u64)-1; /* Linux unmaps what it replaces before it asks a socket to be mapped */
    unsigned of = calls[k].number == SYS_lseek ? kind(a[0]) : 0; /* where a directory ends, and a hole begins, is each file system's own affair */
    if ((of == S_IFDIR && a[2] == 2) || ((of == S_IFDIR || of == S_IFREG) && (a[2] == 3 || a[2] == 4))) a[2] = 0;
    if (calls[k].number == SYS_madvise && a[1] >> 62 == 1) a[1] = PAGE;        /* Linux would take our stack away: */
    if (calls[k].number == SYS_madvise && a[1] == (u64)-PAGE) a[1] = (u64)-1; /* it goes over holes */
    if (calls[k].number == SYS_kill) a[0] = (u64)getpid();
    if (calls[k].number == SYS_tgkill) a[0] = (u64)getpid(), a[1] = (u64)gettid();
    if ((calls[k].number == SYS_kill || calls[k].number == SYS_tgkill) && waits_already(a[n - 1])) a[n - 1] = 0;
    if (calls[k].number == SYS_socketpair || calls[k].number == SYS_socket) a[1] |= SOCK_STREAM;
    printf(" %s(", calls[k].name);
    for (int i = 0; i < n; i++) printf("%s", i ? ", " : ""), show_argument(calls[k].number == SYS_kill || calls[k].number == SYS_tgkill ? (i == n - 1 ? a[i] : 0) : a[i]);
    printf(")");
    fflush(stdout); /* should it not come back */
    errno = 0;
    answer(syscall(calls[k].number, a[0], a[1], a[2], a[3], a[4], a[5]), *calls[k].result);
    const struct pollfd *p = (struct pollfd *)OUT;
    if (*calls[k].arguments == 'x' && a[0] == (uintptr_t)OUT)
        for (u64 i = 0; i < a[1] && i < 6; i++) printf(" %d: %#x of %#x", p[i].fd, (unsigned)(unsigned short)p[i].revents, (unsigned)p[i].events);
}

static void status(int open) {
    struct stat st;
    u64 name = path(), fd = descriptor();
    long r = open ? fstat((int)fd, &st) : next() % 2 ? stat((void *)(uintptr_t)name, &st) : lstat((void *)(uintptr_t)name, &st);
    printf(" stat(%s%lld)", open ? "" : name >= (uintptr_t)TABLE + 2000 && name < (uintptr_t)TABLE + PAGE ? (char *)(uintptr_t)name : "?", open ? (long long)fd : 0);
    answer(r, '.');
    if (r) return;
    printf(" mode %o links %ld", st.st_mode, S_ISREG(st.st_mode) ? (long)st.st_nlink : 0);
    if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) printf(" size %ld", (long)st.st_size);
}

/* In no order: it is each file system's own. */
static void names(void) {
    static const char *const folders[] = {".", "d", "e", "d/e"};
    const char *name = folders[next() % 4];
    struct dirent *e;
    unsigned total = 0, n = 0;
    DIR *d = opendir(name);
    while (d && (e = readdir(d))) total += sum((void *)e->d_name, strlen(e->d_name)) + e->d_type, n++;
    printf(" names(%s) = %d", name, d ? (int)n : -errno);
    if (d) printf(" %x", total), closedir(d);
}

/* What epoll says, in no order. */
static void ready(void) {
    struct epoll_event e[16];
    int fd = (int)descriptor(), n = epoll_wait(fd, e, 16, 0);
    unsigned total = 0;
    for (int i = 0; i < n; i++) total += e[i].events * 31 + e[i].data.u32 * 1009;
    printf(" ready(%d)", fd);
    answer(n, '=');
    if (n > 0) printf(" %x", total);
}

static void action(void) {
    int s = signals[next() % SIGNALS];
    struct sigaction a = {.sa_flags = (int)PICK(0, SA_RESTART, SA_NODEFER)}, old;
    a.sa_handler = next() % 3 || s == SIGPIPE ? (s == SIGPIPE ? SIG_IGN : count) : SIG_IGN;
    printf(" action(%d)", s);
    answer(sigaction(s, &a, &old), '=');
    printf(" was %s %x", old.sa_handler == count ? "counted" : "ignored", (unsigned)old.sa_flags & ~0x04000000u);
}

static void one(u64 seed, unsigned number) {
    state = seed * 1000003 + number * 7919u + 12345;
    for (int i = 0; i < 8; i++) next();
    memset(OUT, 0, PAGE), memset(TABLE, 0, PAGE);
    unsigned k = next() % (ALL + SHOWN);
    printf("%u", number);
    if (k >= ALL) k = CALLS + k % (ALL - CALLS);
    if (k == STAT || k == FSTAT) status(k == FSTAT);
    else if (k == NAMES) names();
    else if (k == READY) ready();
    else if (k == ACTION) action();
    else plain(k);
    for (int i = 0; i < SIGNALS; i++)
        if (handled[signals[i]]) printf(" signal %d: %d", signals[i], handled[signals[i]]), handled[signals[i]] = 0;
    printf("\n");
    fflush(stdout);
}

static int is_off(const char *off, unsigned number) {
    while (off && *off) {
        char *end;
        unsigned long from = strtoul(off, &end, 10), to = from;
        if (*end == '-') to = strtoul(end + 1, &end, 10);
        if (number >= from && number <= to) return 1;
        off = *end ? end + 1 : end;
    }
    return 0;
}

/* Something to begin with. */
static void set_up(void) {
    int pair[2];
    for (int fd = 3; fd < 64; fd++) close(fd);
    mkdir("d", 0755), mkdir("d/e", 0755);
    int a = open("a", O_RDWR | O_CREAT, 0644), b = open("d/a", O_RDWR | O_CREAT | O_NONBLOCK, 0600);
    if (symlink("d/a", "l") || write(a, "0123456789abcdefghij", 20) != 20 || b < 0 || pipe2(pair, O_NONBLOCK) || epoll_create1(0) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
        perror("sequence: set-up"), exit(1);
}

static void page_at(unsigned char *p, size_t n) {
    if (mmap(p, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != p) perror("sequence: memory"), exit(1);
}

int main(int argc, char **argv) {
    const struct rlimit files = {64, 64}, size = {64 << 20, 64 << 20};
    if (argc < 4) return fprintf(stderr, "usage: sequence DIR SEED COUNT [OFF]\n"), 2;
    mkdir(argv[1], 0755);
    if (chdir(argv[1])) return perror(argv[1]), 1;
    setrlimit(RLIMIT_FSIZE, &size), setrlimit(RLIMIT_NOFILE, &files);
    umask(022);
    set_up();
    page_at(AREA, AREA_PAGES * PAGE), page_at(IN, PAGE), page_at(OUT, PAGE), page_at(TABLE, PAGE);
    for (int i = 0; i < PAGE; i++) IN[i] = (unsigned char)(i * 7);
    signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < SIGNALS; i++) signal(signals[i], signals[i] == SIGPIPE ? SIG_IGN : count);
    for (unsigned i = 0; i < (unsigned)atoi(argv[3]); i++)
        if (!is_off(argc > 4 ? argv[4] : NULL, i)) one(strtoull(argv[2], NULL, 10), i);
    printf("end\n");
    return 0;
}

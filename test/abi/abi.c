/* abi.c: a Linux program that checks what Linux promises it: threads, files,
 * pipes, epoll, memory, signals, clocks. Runs on Linux as well (but for what
 * Whelk refuses, with --whelk), so that the test itself is tested. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static unsigned passed, failed;
static void check(int ok, const char *what, int line) {
    if (ok) passed++;
    else failed++, printf("abi.c:%d: failed: %s (errno %d)\n", line, what, errno);
}
#define CHECK(e) check((e), #e, __LINE__)
#define FAILS(e, number) CHECK((e) == -1 && errno == (number))

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long counter;
static int turn;
static __thread int local = 7;

static void *count(void *arg) {
    local = (int)(long)arg;
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return local == (int)(long)arg ? arg : NULL;
}

static void *ping(void *arg) {
    int me = (int)(long)arg;
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != me) pthread_cond_wait(&condition, &mutex);
        turn = !me;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *pause_forever(void *arg) {
    for (;;) pause();
    return arg;
}

static void threads(void) {
    pthread_t t[8];
    void *r;
    for (long i = 0; i < 8; i++) CHECK(!pthread_create(&t[i], NULL, count, (void *)i));
    for (long i = 0; i < 8; i++) CHECK(!pthread_join(t[i], &r) && r == (void *)i);
    CHECK(counter == 160000 && local == 7);
    for (long i = 0; i < 2; i++) pthread_create(&t[i], NULL, ping, (void *)i);
    for (long i = 0; i < 2; i++) CHECK(!pthread_join(t[i], NULL));
    pthread_create(&t[0], NULL, pause_forever, NULL);
    usleep(10000);
    CHECK(!pthread_cancel(t[0]));
    CHECK(!pthread_join(t[0], &r) && r == PTHREAD_CANCELED);
}

static void files(void) {
    char b[100] = {0};
    struct stat st;
    int fd = open("/tmp/a", O_RDWR | O_CREAT | O_EXCL, 0644);
    CHECK(fd >= 0 && write(fd, "hello world", 11) == 11 && lseek(fd, 6, SEEK_SET) == 6);
    CHECK(read(fd, b, 100) == 5 && !strcmp(b, "world"));
    CHECK(!fstat(fd, &st) && st.st_size == 11 && S_ISREG(st.st_mode));
    CHECK(!ftruncate(fd, 3) && !ftruncate(fd, 11) && pread(fd, b, 100, 0) == 11 && !memcmp(b, "hel\0\0\0", 6));
    close(fd);
    FAILS(open("/tmp/a", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
    CHECK(!mkdir("/tmp/d", 0755) && !rename("/tmp/a", "/tmp/d/b"));
    FAILS(access("/tmp/a", F_OK), ENOENT);
    CHECK(!symlink("d/b", "/tmp/l") && readlink("/tmp/l", b, 100) == 3);
    CHECK(!stat("/tmp/l", &st) && S_ISREG(st.st_mode) && !lstat("/tmp/l", &st) && S_ISLNK(st.st_mode));
    FAILS(rmdir("/tmp/d"), ENOTEMPTY);
    CHECK(!chdir("/tmp/d") && getcwd(b, 100) && !strcmp(b, "/tmp/d"));
    CHECK(!unlink("../d/b") && !chdir("/") && !rmdir("/tmp/d") && !unlink("/tmp/l"));
    DIR *d = opendir("/");
    int n = 0;
    while (readdir(d)) n++;
    closedir(d);
    CHECK(n >= 5);
    CHECK((fd = open("/proc/self/maps", O_RDONLY)) >= 0 && read(fd, b, 20) == 20 && !close(fd));
    CHECK((fd = open("/dev/urandom", O_RDONLY)) >= 0 && read(fd, b, 16) == 16 && !close(fd));
    FAILS(write(1, (void *)0x1000, 5), EFAULT);
    FAILS(write(1, (void *)0xffff800000001000, 5), EFAULT);
    FAILS(open((char *)0xffffffff80100000, O_RDONLY), EFAULT);
    FAILS(read(99, b, 1), EBADF);
}

static void *write_later(void *arg) {
    usleep(20000);
    CHECK(write(*(int *)arg, "x", 1) == 1);
    return NULL;
}

static void pipes(void) {
    int p[2];
    char b[10];
    pthread_t t;
    CHECK(!pipe(p) && write(p[1], "abc", 3) == 3);
    struct pollfd one = {p[0], POLLIN, 0};
    CHECK(poll(&one, 1, 0) == 1 && one.revents == POLLIN && read(p[0], b, 10) == 3);
    CHECK(poll(&one, 1, 30) == 0);
    pthread_create(&t, NULL, write_later, &p[1]);
    CHECK(poll(&one, 1, 60000) == 1 && read(p[0], b, 1) == 1);
    pthread_join(t, NULL);
    fd_set set;
    struct timeval brief = {0, 10000};
    FD_ZERO(&set);
    FD_SET(p[0], &set);
    CHECK(select(p[0] + 1, &set, NULL, NULL, &brief) == 0);
    CHECK(write(p[1], "z", 1) == 1);
    FD_SET(p[0], &set);
    CHECK(select(p[0] + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(p[0], &set));
    signal(SIGPIPE, SIG_IGN);
    close(p[0]);
    FAILS(write(p[1], "x", 1), EPIPE);
    close(p[1]);
}

static void epolls(void) {
    int ep = epoll_create1(0), ev = eventfd(0, EFD_NONBLOCK), p[2];
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = 77}, out[4];
    eventfd_t v;
    pthread_t t;
    CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e) && epoll_wait(ep, out, 4, 0) == 0);
    CHECK(!eventfd_write(ev, 3) && epoll_wait(ep, out, 4, 0) == 1 && out[0].data.u64 == 77);
    CHECK(epoll_wait(ep, out, 4, 0) == 1); /* level */
    CHECK(!eventfd_read(ev, &v) && v == 3 && epoll_wait(ep, out, 4, 10) == 0);
    e.events = EPOLLIN | EPOLLET;
    CHECK(!epoll_ctl(ep, EPOLL_CTL_MOD, ev, &e) && !eventfd_write(ev, 1));
    CHECK(epoll_wait(ep, out, 4, 0) == 1 && epoll_wait(ep, out, 4, 0) == 0); /* edge */
    CHECK(!eventfd_write(ev, 1) && epoll_wait(ep, out, 4, 0) == 1);
    e.events = EPOLLIN | EPOLLONESHOT;
    CHECK(!epoll_ctl(ep, EPOLL_CTL_MOD, ev, &e) && epoll_wait(ep, out, 4, 0) == 1);
    CHECK(!eventfd_write(ev, 1) && epoll_wait(ep, out, 4, 0) == 0);
    e.events = EPOLLIN;
    CHECK(!pipe(p) && !epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
    FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e), EEXIST);
    pthread_create(&t, NULL, write_later, &p[1]);
    CHECK(epoll_wait(ep, out, 4, 60000) == 1);
    pthread_join(t, NULL);
    close(p[0]), close(p[1]), close(ev);
    CHECK(epoll_wait(ep, out, 4, 0) == 0); /* closing forgets */
    close(ep);
}

static void memory(void) {
    char *a = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(a != MAP_FAILED);
    memset(a, 5, 1 << 20);
    CHECK(!munmap(a + 4096, 4096) && a[0] == 5 && a[8192] == 5);
    CHECK(!mprotect(a, 4096, PROT_NONE) && !mprotect(a, 4096, PROT_READ) && a[1] == 5);
    CHECK(!madvise(a + 8192, 4096, MADV_DONTNEED) && a[8192] == 0);
    char *c = mremap(a + 12288, 8192, 1 << 16, MREMAP_MAYMOVE);
    CHECK(c != MAP_FAILED && c[0] == 5 && c[8191] == 5 && c[8192] == 0);
    int fd = open("/tmp/whelk-abi-mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(pwrite(fd, "file content", 12, 0) == 12);
    char *f = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(f != MAP_FAILED && !memcmp(f, "file content", 12) && !f[12]);
    close(fd);
    unlink("/tmp/whelk-abi-mapped");
    char *big = malloc(3 << 20);
    memset(big, 1, 3 << 20);
    CHECK(big[(3 << 20) - 1] == 1);
    free(big);
}

static volatile int got;
static sigjmp_buf back;
static void note(int s) { got = s; }
static void leap(int s, siginfo_t *info, void *context) {
    (void)info, (void)context;
    got = s;
    siglongjmp(back, 1);
}

static void signals(void) {
    struct sigaction leaping = {.sa_sigaction = leap, .sa_flags = SA_SIGINFO};
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    volatile int zero = 0, result = 0;
    char *volatile nowhere = (char *)8;
    signal(SIGUSR1, note);
    raise(SIGUSR1);
    CHECK(got == SIGUSR1);
    got = 0;
    kill(getpid(), SIGUSR1);
    CHECK(got == SIGUSR1);
    sigaction(SIGSEGV, &leaping, NULL);
    sigaction(SIGFPE, &leaping, NULL);
    if (!sigsetjmp(back, 1)) *nowhere = 1;
    CHECK(got == SIGSEGV);
    got = 0;
    if (!sigsetjmp(back, 1)) *(volatile char *)page = 1;
    CHECK(got == SIGSEGV);
    if (!sigsetjmp(back, 1)) result = 5 / zero;
    CHECK(got == SIGFPE && result == 0);
    signal(SIGSEGV, SIG_DFL);
    double x = 1.5;
    for (int i = 0; i < 10; i++) raise(SIGUSR1), x = x * 1.1;
    CHECK(x > 3.8 && x < 3.9);
}

static void clocks(void) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    usleep(50000);
    clock_gettime(CLOCK_MONOTONIC, &b);
    long us = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
    CHECK(us >= 50000 && us < 5000000);
    clock_gettime(CLOCK_REALTIME, &a);
    CHECK(a.tv_sec > 1600000000);
    a.tv_nsec += 20000000;
    if (a.tv_nsec >= 1000000000) a.tv_sec++, a.tv_nsec -= 1000000000;
    pthread_mutex_lock(&mutex);
    CHECK(pthread_cond_timedwait(&condition, &mutex, &a) == ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}

/* What Whelk refuses, it refuses by name and goes on. */
static void refusals(void) {
    FAILS(fork(), ENOSYS);
    FAILS(syscall(SYS_ptrace, 0, 0, 0, 0), ENOSYS);
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p == MAP_FAILED && errno == EACCES);
    FAILS(socket(AF_INET6, SOCK_STREAM, 0), EAFNOSUPPORT);
    int fd = open("/tmp/s", O_RDWR | O_CREAT, 0600);
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p == MAP_FAILED && errno == ENODEV);
    close(fd);
}

/* --- timers and locks --- */

static void timers(void) {
    uint64_t n = 0;
    struct itimerspec t = {{0, 20000000}, {100, 0}}, left;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct pollfd p = {fd, POLLIN, 0};
    CHECK(fd >= 0);
    FAILS(read(fd, &n, 8), EAGAIN);
    CHECK(!timerfd_settime(fd, 0, &t, NULL) && !timerfd_gettime(fd, &left));
    double seconds = (double)left.it_value.tv_sec + (double)left.it_value.tv_nsec / 1e9;
    CHECK(left.it_interval.tv_nsec == 20000000 && seconds > 40 && seconds <= 100);
    t.it_value = (struct timespec){0, 10000000};
    CHECK(!timerfd_settime(fd, 0, &t, NULL) && poll(&p, 1, 60000) == 1 && read(fd, &n, 8) == 8 && n >= 1);
    usleep(70000);
    CHECK(read(fd, &n, 8) == 8 && n >= 3);
    t = (struct itimerspec){{0, 0}, {0, 0}};
    CHECK(!timerfd_settime(fd, 0, &t, &left) && left.it_interval.tv_nsec == 20000000);
    CHECK(poll(&p, 1, 50) == 0);
    clock_gettime(CLOCK_REALTIME, &t.it_value); /* past by the time it is set */
    close(fd);
    fd = timerfd_create(CLOCK_REALTIME, 0);
    CHECK(!timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL) && read(fd, &n, 8) == 8 && n == 1);
    close(fd);
    struct itimerval every = {{0, 10000}, {0, 10000}}, none = {{0, 0}, {0, 0}}, was;
    signal(SIGALRM, note);
    got = 0;
    CHECK(!setitimer(ITIMER_REAL, &every, NULL));
    pause();
    CHECK(got == SIGALRM);
    CHECK(!setitimer(ITIMER_REAL, &none, &was) && was.it_interval.tv_usec == 10000);
    int exact = 0; /* rounded; and a busy host may keep us for half a second, but not each time */
    for (int i = 0; i < 5 && !exact; i++) exact = alarm(100) == 0 && alarm(0) == 100;
    CHECK(exact);
}

static void waits_for_signals(void) {
    sigset_t set, old;
    siginfo_t info;
    struct timespec soon = {0, 20000000};
    sigemptyset(&set), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGALRM);
    CHECK(!pthread_sigmask(SIG_BLOCK, &set, &old));
    FAILS(sigtimedwait(&set, &info, &soon), EAGAIN);
    kill(getpid(), SIGUSR1);
    CHECK(sigtimedwait(&set, &info, &soon) == SIGUSR1 && info.si_signo == SIGUSR1);
    struct itimerval once = {{0, 0}, {0, 20000}};
    setitimer(ITIMER_REAL, &once, NULL);
    CHECK(sigwaitinfo(&set, NULL) == SIGALRM);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* What is sent behind the end of its own file is there to be sent. */
static void send_to_itself(void) {
    char text[60] = {0};
    int to = open("/tmp/abi-send", O_CREAT | O_RDWR, 0600), from = open("/tmp/abi-send", O_RDONLY);
    CHECK(write(to, "0123456789", 10) == 10 && sendfile(to, from, NULL, 45) == 45);
    CHECK(pread(to, text, sizeof text, 0) == 55 && !memcmp(text + 40, "012345678901234", 15));
    close(to), close(from), unlink("/tmp/abi-send");
}

static void locks(void) {
    int a = open("/tmp/abi-lock", O_CREAT | O_RDWR, 0600), b = open("/tmp/abi-lock", O_RDWR), c = dup(a);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CHECK(!flock(a, LOCK_SH) && !flock(b, LOCK_SH | LOCK_NB));
    FAILS(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK(!flock(b, LOCK_UN) && !flock(c, LOCK_EX | LOCK_NB)); /* c is a's open file */
    FAILS(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    close(a);
    FAILS(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    close(c); /* the last one lets go */
    CHECK(!flock(b, LOCK_EX | LOCK_NB));
    CHECK(!fcntl(b, F_SETLK, &l) && !fcntl(b, F_GETLK, &l) && l.l_type == F_UNLCK);
    close(b), unlink("/tmp/abi-lock");
    int ends[2]; /* of one pipe, and so of one lock */
    CHECK(!pipe(ends) && !flock(ends[0], LOCK_EX));
    FAILS(flock(ends[1], LOCK_SH | LOCK_NB), EWOULDBLOCK);
    close(ends[0]);
    CHECK(!flock(ends[1], LOCK_EX | LOCK_NB));
    close(ends[1]);
    int e = eventfd(0, 0), p = epoll_create1(0); /* Linux has one inode for all of these */
    CHECK(!flock(e, LOCK_EX));
    FAILS(flock(p, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    close(e), close(p);
}

/* --- local sockets --- */

static struct sockaddr_un name_of(const char *path, socklen_t *n) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t at = *path == '@', length = strlen(path) - at;
    memcpy(a.sun_path + at, path + at, length);
    *n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + at + length + !at);
    return a;
}

static void *local_server(void *arg) {
    int fd = accept(*(int *)arg, NULL, NULL);
    char byte;
    while (read(fd, &byte, 1) == 1) byte ^= 1, send(fd, &byte, 1, MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static void local_by(const char *path) {
    socklen_t n, m;
    struct sockaddr_un a = name_of(path, &n), b;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char in[4] = "";
    pthread_t t;
    CHECK(connect(fd, (void *)&a, n) == -1 && (errno == ENOENT || errno == ECONNREFUSED));
    CHECK(!bind(listener, (void *)&a, n));
    FAILS(connect(fd, (void *)&a, n), ECONNREFUSED);
    FAILS(bind(fd, (void *)&a, n), EADDRINUSE);
    CHECK(!listen(listener, 4));
    pthread_create(&t, NULL, local_server, &listener);
    CHECK(!connect(fd, (void *)&a, n));
    FAILS(connect(fd, (void *)&a, n), EISCONN);
    for (int i = 0; i < 3; i++) CHECK(send(fd, "abc" + i, 1, 0) == 1 && recv(fd, in + i, 1, 0) == 1);
    CHECK(!memcmp(in, "`cb", 3));
    m = sizeof b;
    CHECK(!getpeername(fd, (void *)&b, &m) && m == n && !memcmp(&a, &b, n));
    m = sizeof b;
    CHECK(!getsockname(fd, (void *)&b, &m) && m == 2);
    CHECK(!shutdown(fd, SHUT_WR) && read(fd, in, 1) == 0);
    pthread_join(t, NULL);
    close(fd), close(listener);
    if (*path != '@') unlink(path);
}

static void local_sockets(void) {
    int s[2], type;
    socklen_t n = sizeof type;
    char big[1000] = {1}, in[1000];
    struct pollfd p = {0};
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
    CHECK(!getsockopt(s[0], SOL_SOCKET, SO_TYPE, &type, &n) && type == SOCK_STREAM);
    p = (struct pollfd){s[1], POLLIN | POLLOUT, 0};
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
    CHECK(write(s[0], "hello", 5) == 5 && poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT));
    CHECK(recv(s[1], in, sizeof in, MSG_DONTWAIT) == 5 && !memcmp(in, "hello", 5));
    FAILS(recv(s[1], in, sizeof in, MSG_DONTWAIT), EAGAIN);
    long sent = 0;
    for (ssize_t r; (r = send(s[0], big, sizeof big, MSG_DONTWAIT)) > 0;) sent += r;
    CHECK(errno == EAGAIN && sent >= 20000);
    close(s[0]);
    long had = 0;
    for (ssize_t r; (r = read(s[1], in, sizeof in)) > 0;) had += r;
    CHECK(had == sent && poll(&p, 1, 0) == 1 && p.revents & POLLHUP);
    FAILS(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    close(s[1]);
    local_by("/tmp/abi-socket");
    local_by("@abi");
}

int main(int argc, char **argv) {
    threads();
    files();
    pipes();
    epolls();
    memory();
    signals();
    clocks();
    timers();
    waits_for_signals();
    locks();
    send_to_itself();
    local_sockets();
    if (argc > 1 && !strcmp(argv[1], "--whelk")) refusals();
    printf("abi: %u passed, %u failed\n", passed, failed);
    return failed != 0;
}

/* host_code.c: where compiled code lies in a Linux process: what runs, what is beside it,
 * who may write it, and what becomes of it in a child, or when somebody closes its file. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/host_code.h"
#include "test/lib/test.h"

enum { PAGE = 4096, LARGE = 2 << 20, ANSWERS = 100, FD_MOST = 64 };

/* mov eax, value; ret */
static void *place(u32 value) {
    u8 code[6] = {0xb8, (u8)value, (u8)(value >> 8), (u8)(value >> 16), (u8)(value >> 24), 0xc3};
    void *exec = NULL;
    EQUAL(host_code_place(NULL, code, sizeof code, &exec), ERR_OK);
    return exec;
}

static u32 run(const void *exec) { return ((u32(*)(void))(uptr)exec)(); }

static void test_runs(void) {
    u8 *p[ANSWERS];
    for (u32 k = 0; k < ANSWERS; k++) p[k] = place(k * 1000003);
    for (u32 k = 0; k < ANSWERS; k++) EQUAL(run(p[k]), k * 1000003);
    for (u32 k = 0; k < ANSWERS; k++) host_code_free(NULL, p[k], 6);
}

/* Of what was there before nothing is left. */
static void test_rest(void) {
    static u8 nops[2 * PAGE];
    void *first;
    memset(nops, 0x90, sizeof nops);
    EQUAL(host_code_place(NULL, nops, sizeof nops, &first), ERR_OK);
    EQUAL(memcmp(first, nops, sizeof nops), 0);
    host_code_free(NULL, first, sizeof nops);
    u8 *again = place(7);
    CHECK(again == first);
    EQUAL(again[5], 0xc3);
    u32 others = 0;
    for (u32 k = 6; k < PAGE; k++) others += again[k] != 0xcc;
    EQUAL(others, 0);
    host_code_free(NULL, again, 6);
}

static void test_large(void) {
    u8 *code = calloc(1, LARGE + 1);
    void *exec;
    code[LARGE] = 0xc3;
    EQUAL(host_code_place(NULL, code, LARGE + 1, &exec), ERR_OK);
    EQUAL(memcmp(exec, code, LARGE + 1), 0);
    EQUAL(((u8 *)exec)[LARGE + 1], 0xcc);
    host_code_free(NULL, exec, LARGE + 1);
    free(code);
}

/* Mappings of the file: how many, and how many that can be written. */
static u32 views(u32 *writable) {
    char line[400];
    u32 n = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    *writable = 0;
    while (f && fgets(line, sizeof line, f)) {
        if (!strstr(line, "whelk-code")) continue;
        n++;
        *writable += strchr(line, ' ')[2] == 'w';
    }
    if (f) fclose(f);
    return n;
}

static void test_views(void) {
    u32 writable;
    void *exec = place(1);
    EQUAL(views(&writable), 1);
    EQUAL(writable, 0);
    host_code_free(NULL, exec, 6);
}

/* A daemon closes all descriptors; what it opens then has the same number. */
static void test_closed(void) {
    char path[] = "/tmp/whelk-host-code-XXXXXX", got[8];
    u8 *before = place(11);
    for (int fd = 3; fd < FD_MOST; fd++) close(fd);
    int file = mkstemp(path), copies[8];
    for (u32 k = 0; k < 8; k++) copies[k] = dup(file);
    EQUAL(write(file, "theirs", 6), 6);
    u8 *after = place(12);
    EQUAL(run(before), 11);
    EQUAL(run(after), 12);
    EQUAL(lseek(file, 0, SEEK_END), 6);
    EQUAL(pread(file, got, 8, 0), 6);
    EQUAL(memcmp(got, "theirs", 6), 0);
    host_code_free(NULL, before, 6);
    host_code_free(NULL, after, 6);
    for (u32 k = 0; k < 8; k++) close(copies[k]);
    close(file);
    unlink(path);
}

/* A child and its parent, in turn: what is free for both is not the same page. */
static void test_fork(void) {
    int down[2], up[2], status;
    char token = 0;
    u8 *kept = place(20), *gone = place(21);
    CHECK(!pipe(down) && !pipe(up));
    pid_t child = fork();
    if (!child) {
        bool ok = run(place(22)) == 22 && write(up[1], &token, 1) == 1 && read(down[0], &token, 1) == 1;
        host_code_free(NULL, kept, 6);
        _exit(!(ok && run(gone) == 21 && run(place(23)) == 23));
    }
    CHECK(read(up[0], &token, 1) == 1);
    u8 *mine = place(24);
    host_code_free(NULL, gone, 6);
    u8 *again = place(25);
    CHECK(again == gone);
    CHECK(write(down[1], &token, 1) == 1 && waitpid(child, &status, 0) == child);
    EQUAL(status, 0);
    EQUAL(run(mine), 24);
    EQUAL(run(again), 25);
    EQUAL(run(kept), 20);
    for (u32 k = 0; k < 2; k++) close(down[k]), close(up[k]);
    host_code_free(NULL, mine, 6);
    host_code_free(NULL, again, 6);
    host_code_free(NULL, kept, 6);
}

/* Three pages in a row, where there are none but behind thousands of others: a long search. */
static void *search(void *stop) {
    static u8 nops[3 * PAGE];
    for (void *exec; !__atomic_load_n((bool *)stop, __ATOMIC_RELAXED); host_code_free(NULL, exec, sizeof nops))
        if (host_code_place(NULL, nops, sizeof nops, &exec)) break;
    return NULL;
}

/* A child of one thread, while the other looks for pages: it finds pages, too. */
static void test_fork_threads(void) {
    enum { HELD = 8000, FORKS = 20 };
    static u8 *held[HELD];
    bool stop = false;
    pthread_t other;
    u32 good = 0;
    for (u32 k = 0; k < HELD; k++) held[k] = place(k);
    for (u32 k = 0; k < HELD; k += 2) host_code_free(NULL, held[k], 6);
    CHECK(!pthread_create(&other, NULL, search, &stop));
    for (u32 k = 0; k < FORKS && good == k; k++) {
        int status = 1;
        pid_t child = fork();
        if (!child) {
            alarm(60);
            _exit(run(place(k)) != k || run(held[1]) != 1);
        }
        good += waitpid(child, &status, 0) == child && !status;
    }
    EQUAL(good, FORKS);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(other, NULL);
    for (u32 k = 1; k < HELD; k += 2) host_code_free(NULL, held[k], 6);
}

int main(void) {
    test_runs();
    test_rest();
    test_large();
    test_views();
    test_fork();
    test_fork_threads();
    test_closed();
    return test_end("host_code");
}

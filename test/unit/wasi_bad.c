/* wasi/ with arguments that a hostile module would give: each answers an errno
 * and moves nothing. A small module passes raw arguments on. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/host_wasi.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "wasi/internal.h"

static struct test_engine T;

static void *take(void *self, size_t n) { return T.host.alloc(&T, n); }
static void give(void *self, void *p, size_t n) { T.host.free(&T, p, n); }
static const struct arena_source heap = {take, give, NULL};

/* p: path_open; the others by what they take. */
static const char text[] =
    "(module (import \"wasi_snapshot_preview1\" \"fd_read\" (func $read (param i32 i32 i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_pread\" (func $pread (param i32 i32 i32 i64 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"path_open\""
    "  (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"random_get\" (func $random (param i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"poll_oneoff\" (func $poll (param i32 i32 i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_seek\" (func $seek (param i32 i64 i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_readdir\" (func $readdir (param i32 i32 i32 i64 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_close\" (func $close (param i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"fd_renumber\" (func $renumber (param i32 i32) (result i32)))"
    " (import \"wasi_snapshot_preview1\" \"sock_send\" (func $send (param i32 i32 i32 i32 i32) (result i32)))"
    " (memory (export \"memory\") 1)"
    " (export \"read\" (func $read)) (export \"write\" (func $write)) (export \"pread\" (func $pread))"
    " (export \"random\" (func $random)) (export \"poll\" (func $poll)) (export \"seek\" (func $seek))"
    " (export \"readdir\" (func $readdir)) (export \"close\" (func $close)) (export \"renumber\" (func $renumber))"
    " (export \"send\" (func $send))"
    " (func (export \"open\") (param i32 i32) (result i32)"
    "  (call $open (i32.const 3) (i32.const 0) (local.get 0) (local.get 1) (i32.const 1) (i64.const -1)"
    "   (i64.const -1) (i32.const 0) (i32.const 512))))";

static struct test_run r;

static u32 call(const char *name, const u64 *args, u32 n) {
    union abi_value v[9] = {0};
    for (u32 i = 0; i < n; i++) v[i].i64 = args[i];
    EQUAL(test_call(&r, name, v), ABI_TRAP_NONE);
    return v[0].i32;
}
#define CALL(name, ...) call(name, (u64[]){__VA_ARGS__}, sizeof((u64[]){__VA_ARGS__}) / 8)

static u8 *memory(u32 at) { return rt_mem(rt_instance_ctx(r.instance), at, 1); }
static void put(u32 at, u32 a, u32 b) {
    memcpy(memory(at), &a, 4);
    memcpy(memory(at + 4), &b, 4);
}
static u32 word(u32 at) {
    u32 v;
    memcpy(&v, memory(at), 4);
    return v;
}

static void vectors(struct wasi *w) {
    static const u8 record[] = "0123456789";
    wasi_set_record(w, (struct bytes){record, 10});
    put(0, 1000, 4);
    put(8, 65535, 2); /* past the end */
    EQUAL(CALL("read", 0, 0, 2, 600), WASI_EFAULT);
    EQUAL(CALL("read", 0, 65532, 1, 600), WASI_EFAULT);
    EQUAL(CALL("read", 0, 0xfffffff8, 2, 600), WASI_EFAULT);
    EQUAL(CALL("read", 0, 0, 1, 65533), WASI_EFAULT);
    EQUAL(CALL("read", 0, 0, 0xffffffff, 600), WASI_EINVAL);
    EQUAL(CALL("read", 9, 0, 1, 600), WASI_EBADF);
    EQUAL(CALL("read", 0xffffffff, 0, 1, 600), WASI_EBADF);
    EQUAL(CALL("read", 1, 0, 1, 600), WASI_EBADF);
    EQUAL(CALL("write", 0, 0, 1, 600), WASI_EBADF);
    EQUAL(CALL("read", 3, 0, 1, 600), WASI_EISDIR);
    EQUAL(CALL("pread", 0, 0, 1, 0, 600), WASI_ESPIPE);
    EQUAL(CALL("pread", 3, 0, 1, UINT64_MAX, 600), WASI_EINVAL);
    EQUAL(CALL("send", 0, 0, 1, 0, 600), WASI_ENOTSOCK);
    EQUAL(CALL("send", 9, 0, 1, 0, 600), WASI_EBADF);
    /* Nothing was read by any of them. The vector may lie under its own bytes. */
    put(0, 0, 8);
    put(8, 2000, 100);
    EQUAL(CALL("read", 0, 0, 2, 600), WASI_OK);
    EQUAL(word(600), 10);
    CHECK(!memcmp(memory(0), "01234567", 8) && !memcmp(memory(2000), "89", 2));
    put(0, 1000, 4);
    EQUAL(CALL("read", 0, 0, 1, 600), WASI_OK);
    EQUAL(word(600), 0); /* end of the record */
    for (u32 k = 0; k < 4; k++) put(k * 8, 0, 65536);
    EQUAL(CALL("write", 1, 0, 4, 0), WASI_OK);
    EQUAL(word(0), 4 * 65536); /* standard output goes nowhere here, and says so in full */
}

static void paths(void) {
    static const struct {
        const char *path;
        u32 n, e;
    } cases[] = {
        {"..", 2, WASI_ENOTCAPABLE}, {"/etc/passwd", 11, WASI_ENOTCAPABLE},
        {"a/../..", 7, WASI_ENOTCAPABLE}, {"./../x", 6, WASI_ENOTCAPABLE}, {"a\0b", 3, WASI_EINVAL},
        {"", 0, WASI_ENOENT}, {"up/x", 4, WASI_ENOTCAPABLE}, {"none/x", 6, WASI_ENOENT},
        {"x", 5000, WASI_ENAMETOOLONG}, {"..//..", 6, WASI_ENOTCAPABLE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memcpy(memory(100), cases[i].path, strlen(cases[i].path) + 1);
        EQUAL(CALL("open", 100, cases[i].n), cases[i].e);
    }
    EQUAL(CALL("open", 65535, 10), WASI_EFAULT);
    EQUAL(CALL("open", 0xffffffff, 0xffffffff), WASI_ENAMETOOLONG);
    memcpy(memory(100), "f", 1);
    for (u32 k = 4; k < WASI_MAX_FDS; k++) /* until no descriptor is left */
        if (CALL("open", 100, 1)) break;
    EQUAL(CALL("open", 100, 1), WASI_EMFILE);
    EQUAL(CALL("close", 200), WASI_OK);
    EQUAL(CALL("close", 200), WASI_EBADF);
    EQUAL(CALL("renumber", 201, 200), WASI_EBADF);
    EQUAL(CALL("renumber", 201, 202), WASI_OK);
    EQUAL(CALL("close", 201), WASI_EBADF);
    EQUAL(CALL("seek", 202, INT64_MIN, 0, 600), WASI_EINVAL);
    EQUAL(CALL("seek", 202, 0, 7, 600), WASI_EINVAL);
    EQUAL(CALL("seek", 3, 0, 0, 600), WASI_EBADF);
    EQUAL(CALL("readdir", 202, 0, 100, 0, 600), WASI_ENOTDIR);
    EQUAL(CALL("readdir", 3, 60000, 60000, 0, 600), WASI_EFAULT);
    EQUAL(CALL("readdir", 3, 1000, 10, 0, 600), WASI_OK); /* cut, not overrun */
    EQUAL(word(600), 10);
}

static void others(void) {
    EQUAL(CALL("random", 65530, 7), WASI_EFAULT);
    EQUAL(CALL("random", 0, 65536), WASI_OK);
    EQUAL(CALL("poll", 0, 0, 0, 0), WASI_EINVAL);
    EQUAL(CALL("poll", 0, 0, 0xffffffff, 0), WASI_EINVAL);
    EQUAL(CALL("poll", 65500, 0, 1, 600), WASI_EFAULT);
    memset(memory(0), 0xff, 48); /* a subscription of nonsense: answered, with its error */
    EQUAL(CALL("poll", 0, 1000, 1, 600), WASI_OK);
    EQUAL(word(600), 1);
    EQUAL(word(1008) & 0xffff, WASI_EINVAL);
}

/* Somebody outside exchanges a directory for a link that leads out, all the time:
 * a walk meets the one or the other, and never what lies behind the link. */
static char race_top[60];
static bool racing;

static void *exchange(void *arg) {
    char a[100], b[100];
    snprintf(a, sizeof a, "%s/in/a", race_top);
    snprintf(b, sizeof b, "%s/in/b", race_top);
    while (__atomic_load_n(&racing, __ATOMIC_RELAXED)) renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
    return NULL;
}

static void race(void) {
    enum { TRIES = 20000 };
    u32 inside = 0, refused = 0;
    pthread_t t;
    __atomic_store_n(&racing, true, __ATOMIC_RELAXED);
    EQUAL(pthread_create(&t, NULL, exchange, NULL), 0);
    memcpy(memory(100), "a/f", 3);
    for (u32 k = 0; k < TRIES || ((!inside || !refused) && k < 100 * TRIES); k++) {
        u32 e = CALL("open", 100, 3), fd = word(512);
        refused += e == WASI_ENOTCAPABLE;
        if (e) continue;
        put(0, 700, 1);
        EQUAL(CALL("read", fd, 0, 1, 600), WASI_OK);
        if (*memory(700) != 'i') EQUAL(*memory(700), 'i');
        inside++;
        EQUAL(CALL("close", fd), WASI_OK);
    }
    __atomic_store_n(&racing, false, __ATOMIC_RELAXED);
    pthread_join(t, NULL);
    CHECK(inside && refused); /* it met both */
}

/* A failure of memory at each step leaves nothing, and the preopen open. */
static void short_of_memory(void *dir) {
    static const char *const args[] = {"a", "b"};
    struct wasi_preopen p = {"/", dir};
    struct wasi_config c = {.host = &host_wasi, .source = &heap, .args = args, .arg_count = 2, .preopens = &p,
                            .preopen_count = 1};
    struct wasi *w;
    size_t before = T.bytes;
    test_engine_fail(&T, 1);
    EQUAL(wasi_new(&c, &w), ERR_NOMEM);
    test_engine_fail(&T, 0);
    EQUAL(T.bytes, before);
}

int main(void) {
    char top[] = "/tmp/whelk-bad-XXXXXX", command[200];
    struct rt_linker *l;
    struct wasi *w;
    if (!mkdtemp(top)) return 1;
    strcpy(race_top, top);
    snprintf(command, sizeof command, "cd %s && mkdir -p in/a out && printf i > in/a/f && printf o > out/f"
             " && ln -s ../out in/b && ln -s .. in/up", top);
    EQUAL(system(command), 0);
    snprintf(command, sizeof command, "%s/in", top);
    test_engine_open(&T);
    struct wasi_preopen p = {"/", host_wasi_dir(command)};
    struct wasi_config c = {.host = &host_wasi, .source = &heap, .preopens = &p, .preopen_count = 1};
    short_of_memory(p.dir);
    EQUAL(wasi_new(&c, &w), ERR_OK);
    EQUAL(rt_linker_new(T.engine, &l), ERR_OK);
    EQUAL(wasi_define(l), ERR_OK);
    test_run_open(&T, &r, text, l, NULL);
    wasi_attach(w, r.store);
    vectors(w);
    race();
    paths();
    others();
    test_run_close(&r);
    rt_linker_free(l);
    wasi_free(w);
    test_engine_close(&T);
    snprintf(command, sizeof command, "rm -rf %s", top);
    EQUAL(system(command), 0);
    return test_end("wasi_bad");
}

/* wasi/ with real programs: C through wasi-libc, Rust through its std. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/host_wasi.h"
#include "test/lib/engine.h"
#include "test/lib/test.h"
#include "test/lib/wat.h"

static struct test_engine T;
static char said[4096];
static size_t said_n;

static i64 hear(void *self, const void *p, size_t n) {
    size_t part = n < sizeof said - 1 - said_n ? n : sizeof said - 1 - said_n;
    memcpy(said + said_n, p, part);
    said[said_n += part] = 0;
    return (i64)n;
}

static void *take(void *self, size_t n) { return T.host.alloc(&T, n); }
static void give(void *self, void *p, size_t n) { T.host.free(&T, p, n); }
static const struct arena_source heap = {take, give, NULL};

struct program {
    struct test_run run;
    struct rt_linker *linker;
    struct wasi *wasi;
};

static void program_open(struct program *p, const char *path, const char *dir) {
    static const char *const args[] = {"program", "one", ""}, *const env[] = {"WHO=me"};
    struct wasi_preopen data = {"/data", host_wasi_dir(dir)};
    struct wasi_config c = {.host = &host_wasi, .source = &heap, .args = args, .arg_count = 3, .env = env,
                            .env_count = 1, .preopens = &data, .preopen_count = 1};
    struct rt_error e = {0};
    c.streams[1] = c.streams[2] = (struct wasi_stream){.write = hear, .tty = true};
    struct bytes b = read_all(path);
    said[said_n = 0] = 0;
    CHECK(data.dir != NULL);
    EQUAL(wasi_new(&c, &p->wasi), ERR_OK);
    EQUAL(rt_linker_new(T.engine, &p->linker), ERR_OK);
    EQUAL(wasi_define(p->linker), ERR_OK);
    EQUAL(rt_store_new(T.engine, NULL, &p->run.store), ERR_OK);
    wasi_attach(p->wasi, p->run.store);
    enum err err = rt_module_load(T.engine, b, NULL, &p->run.module, &e);
    if (!err) err = rt_instantiate(p->run.store, p->run.module, p->linker, &p->run.instance, NULL, &e);
    if (err) printf("%s: %s: %s\n", path, err_text(err), e.text);
    if (err) exit(1);
    free((void *)(uptr)b.p);
}

static void program_close(struct program *p) {
    test_run_close(&p->run);
    rt_linker_free(p->linker);
    wasi_free(p->wasi);
}

static void write_file(const char *dir, const char *name, const char *text) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0);
    if (f) fclose(f);
}

static int sh(const char *format, const char *dir) {
    char command[300];
    snprintf(command, sizeof command, format, dir, dir, dir, dir);
    return system(command);
}

static void files(const char *top) {
    char data[100], kept[150];
    struct program p;
    union abi_value v[1];
    struct stat s;
    snprintf(data, sizeof data, "%s/data", top);
    program_open(&p, "build/wasi/files.wasm", data);
    EQUAL(test_call(&p.run, "_start", v), ABI_TRAP_EXIT);
    EQUAL(wasi_exit_code(p.wasi), 42);
    EQUAL_TEXT(said, "ok\n");
    program_close(&p);
    snprintf(kept, sizeof kept, "%s/outside/secret", top);
    CHECK(!stat(kept, &s));
    snprintf(kept, sizeof kept, "%s/evil", top);
    CHECK(stat(kept, &s));
}

/* Thousands of records through one instance; the file holds exactly them. */
static void records(const char *top, const char *path, const char *start) {
    enum { COUNT = 2000 };
    char data[100], log[150], record[1500];
    struct program p;
    union abi_value v[1];
    snprintf(data, sizeof data, "%s/data", top);
    program_open(&p, path, data);
    EQUAL(test_call(&p.run, start, v), ABI_TRAP_NONE);
    for (u32 i = 0; i < COUNT; i++) {
        memset(record, (int)i, sizeof record);
        wasi_set_record(p.wasi, (struct bytes){(u8 *)record, i % sizeof record});
        enum abi_trap t = test_call(&p.run, "handle", v);
        if (t) EQUAL(t, ABI_TRAP_NONE);
    }
    program_close(&p);
    snprintf(log, sizeof log, "%s/log", data);
    struct bytes b = read_all(log);
    size_t at = 0;
    for (u32 i = 0; i < COUNT; i++) {
        u32 n = 0;
        if (at + 4 > b.n) break;
        memcpy(&n, b.p + at, 4);
        if (n != i % sizeof record || at + 4 + n > b.n || (n && b.p[at + 4] != (u8)i)) break;
        at += 4 + n;
    }
    EQUAL(at, b.n);
    CHECK(b.n > 1000000);
    free((void *)(uptr)b.p);
}

/* file's function ends in trap, and this is all that was said. */
static void says(const char *file, const char *func, const char *top, enum abi_trap trap, const char *text) {
    struct program p;
    union abi_value v[1];
    program_open(&p, file, top);
    EQUAL(test_call(&p.run, func, v), trap);
    EQUAL_TEXT(said, text);
    program_close(&p);
}

static void voices(const char *top) {
    struct program p;
    union abi_value v[1];
    says("build/wasi/record.wasm", "say", top, ABI_TRAP_NONE, "hello log\n");
    program_open(&p, "build/wasi/record_rs.wasm", top);
    EQUAL(test_call(&p.run, "panics", v), ABI_TRAP_UNREACHABLE);
    CHECK(strstr(said, "there is no such argument"));
    program_close(&p);
}

/* What Debian's compiler-rt lacks for 128-bit division is in sdk/c/stack_chk.c. */
static void wide(const char *top) {
    says("build/wasi/wide.wasm", "_start", top, ABI_TRAP_UNREACHABLE, "8683317618811886495518194401280000000\n8683317558028663589317549276\n608444\n");
}

int main(void) {
    char top[] = "/tmp/whelk-wasi-XXXXXX";
    if (!mkdtemp(top)) return 1;
    EQUAL(sh("cd %s && mkdir data outside && ln -s ../secret data/out && ln -s ../outside data/outdir"
             " && ln -s .. data/up", top), 0);
    write_file(top, "secret", "s");
    write_file(top, "outside/secret", "s");
    write_file(top, "data/keep", "k");
    test_engine_open(&T);
    files(top);
    records(top, "build/wasi/record.wasm", "_initialize");
    records(top, "build/wasi/record_rs.wasm", "_start");
    voices(top);
    wide(top);
    test_engine_close(&T);
    sh("rm -rf %s", top);
    return test_end("wasi_run");
}

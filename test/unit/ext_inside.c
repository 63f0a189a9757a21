/* ext/inside.c: a program's connection, its messages written down beforehand, and
 * what it answers; then anything at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/host_rt.h"
#include "ext/inside.h"
#include "test/ext/kernel.h"
#include "test/lib/test.h"

enum { ROOM = 1 << 20 };
static u8 in[ROOM], out[ROOM];
static size_t in_bytes, in_at, out_bytes;
static u32 ended;

static enum err port_read(void *self, void *buf, size_t cap, size_t *got) {
    if (in_at == in_bytes) return ERR_CLOSED;
    size_t piece = 1 + (size_t)rand() % 700, left = in_bytes - in_at;
    *got = MIN(cap, MIN(piece, left));
    memcpy(buf, in + in_at, *got);
    in_at += *got;
    return ERR_OK;
}
static enum err port_write(void *self, const void *p, size_t n) {
    CHECK(n <= ROOM - out_bytes);
    memcpy(out + out_bytes, p, n);
    out_bytes += n;
    return ERR_OK;
}
static void port_end(void *self) { ended++; }

static void put(const void *p, size_t n) {
    if (n) memcpy(in + in_bytes, p, n);
    in_bytes += n;
}
static void say(u16 kind, u32 id, const void *head, size_t head_bytes, const void *p, size_t n) {
    struct ctl_header h = {CTL_MAGIC, CTL_VERSION, kind, id, (u32)(head_bytes + n)};
    put(&h, sizeof h), put(head, head_bytes), put(p, n);
}

static void define(u32 id, const char *module, const char *name, const char *type) {
    char text[300];
    struct ctl_define d = {(u16)strlen(module), (u16)strlen(name), (u16)strlen(type), 0};
    int n = snprintf(text, sizeof text, "%s%s%s", module, name, type);
    say(CTL_DEFINE, id, &d, sizeof d, text, (size_t)n);
}
static void load(u32 id, const char *name, const char *path) {
    static u8 module[8192];
    FILE *f = fopen(path, "rb");
    struct ctl_load l = {.name_length = (u16)strlen(name)};
    size_t at = strlen(name), n = f ? fread(module + at, 1, sizeof module - at, f) : 0;
    memcpy(module, name, at);
    if (f) fclose(f);
    CHECK(n > 8);
    say(CTL_LOAD, id, &l, sizeof l, module, at + n);
}
static void call(u32 id, const char *name, const char *input) {
    char text[100];
    struct ctl_call k = {.name_length = (u16)strlen(name)};
    int n = snprintf(text, sizeof text, "%s%s", name, input);
    say(CTL_CALL, id, &k, sizeof k, text, (size_t)n);
}
static void answer(u32 upcall, u64 result, u32 failed) {
    struct ctl_return r = {result, failed, 0};
    say(CTL_RETURN, upcall, &r, sizeof r, NULL, 0);
}
static void memory(u16 kind, u32 id, u32 at, u32 length, const char *p) {
    struct ctl_memory m = {at, length};
    say(kind, id, &m, sizeof m, p, p ? strlen(p) : 0);
}

static void run(void) {
    const struct inside_port port = {port_read, port_write, port_end, NULL};
    in_at = out_bytes = 0;
    EQUAL(inside_open(&port), ERR_OK);
    kernel_run_thread();
}

/* The next answer: its kind and id, and where its text is. */
static size_t look;
static const u8 *next(u16 kind, u32 id) {
    struct ctl_header h;
    CHECK(out_bytes - look >= sizeof h);
    memcpy(&h, out + look, sizeof h);
    const u8 *p = out + look + sizeof h;
    look += sizeof h + h.length;
    EQUAL(h.kind, kind);
    EQUAL(h.id, id);
    CHECK(look <= out_bytes);
    return p;
}

static void start(void) { in_bytes = look = 0; }

/* rule_bulk asks for the cost, then for the name, which is poked. */
static void conversation(void) {
    start();
    say(CTL_HELLO, 1, NULL, 0, NULL, 0);
    define(2, "shop", "cost", "i:I");
    define(3, "shop", "name", "iii:i");
    load(4, "rule", "build/ext/rule_bulk.wasm");
    call(5, "rule", "2 10");
    answer(1, 100, 0);
    memory(CTL_PEEK, 6, 0, 4, NULL);
    memory(CTL_PEEK, 7, 0xfffffff0, 400, NULL); /* outside */
    memory(CTL_POKE, 8, 0, 4, "abc");           /* fewer bytes than it says */
    call(9, "rule", "1 1");                     /* not now */
    answer(77, 1, 0);                           /* of no upcall */
    answer(2, 0, 0);
    call(10, "rule", "0 1");
    answer(3, 5, 1); /* failed: a trap */
    call(12, "rule", "0 1");
    answer(4, 5, 1);
    call(13, "rule", "0 1");
    answer(5, 5, 1); /* the third: quarantine */
    call(14, "rule", "0 1");
    say(CTL_RESUME, 15, NULL, 0, "rule", 4);
    call(11, "rule", "0 1"); /* the line ends amid this one */
    run();
    next(CTL_OK, 1);
    EQUAL(*next(CTL_OK, 2), 0);
    EQUAL(*next(CTL_OK, 3), 1);
    next(CTL_OK, 4);
    struct ctl_upcall u;
    memcpy(&u, next(CTL_UPCALL, 1), sizeof u);
    CHECK(u.function == 0 && u.count == 1 && u.arguments[0] == 2);
    memcpy(&u, next(CTL_UPCALL, 2), sizeof u);
    CHECK(u.function == 1 && u.count == 3 && u.arguments[0] == 2);
    next(CTL_OK, 6);
    next(CTL_ERROR, 7), next(CTL_ERROR, 8), next(CTL_ERROR, 9), next(CTL_ERROR, 77);
    CHECK(!memcmp(next(CTL_OK, 5), "10 : 900", 8));
    next(CTL_UPCALL, 3);
    CHECK(strstr((const char *)next(CTL_ERROR, 10) + 4, "host function failed") != NULL);
    next(CTL_UPCALL, 4), next(CTL_ERROR, 12);
    next(CTL_UPCALL, 5), next(CTL_ERROR, 13);
    CHECK(strstr((const char *)next(CTL_ERROR, 14) + 4, "quarantined: host function failed") != NULL);
    next(CTL_OK, 15);
    next(CTL_UPCALL, 6);
    next(CTL_ERROR, 11);
    EQUAL(look, out_bytes);
    EQUAL(ended, 0); /* the rule is still there, linked with this connection */
    struct ext_error error;
    EQUAL(ext_unload((struct bytes){(const u8 *)"rule", 4}, &error), ERR_OK);
    EQUAL(ended, 1);
}

static void refused(void) {
    static const struct {
        const char *module, *name, *type;
    } bad[] = {{"whelk", "x", ":"}, {"env", "now", ":I"}, {"a", "b", "iiiiii:"}, {"a", "b", "f:"}, {"a", "b", "i:ii"},
               {"a", "b", "i"}, {"wasi_snapshot_preview1", "x", ":"}};
    start();
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) define(10 + i, bad[i].module, bad[i].name, bad[i].type);
    define(20, "a", "b", "iIiIi:I");
    define(21, "a", "b", "i:i"); /* again */
    say(CTL_DEFINE, 22, "abc", 3, NULL, 0);
    memory(CTL_PEEK, 23, 0, 4, NULL); /* of whom? */
    answer(24, 0, 0);
    say(CTL_STOP, 25, NULL, 0, NULL, 0); /* the host's */
    for (u32 i = 1; i < CTL_FUNCTIONS; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%u", i);
        define(100 + i, "a", name, ":");
    }
    define(200, "a", "last", ":"); /* one too many */
    run();
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) next(CTL_ERROR, 10 + i);
    next(CTL_OK, 20);
    for (u32 id = 21; id <= 25; id++) next(CTL_ERROR, id);
    for (u32 i = 1; i < CTL_FUNCTIONS; i++) EQUAL(*next(CTL_OK, 100 + i), i);
    next(CTL_ERROR, 200);
    EQUAL(look, out_bytes);
    EQUAL(ended, 2);
}

/* Honest messages with bytes changed, but for the module's code: it has no timer here. */
static void garbage(void) {
    struct ext_error error;
    enum { spared = 600 }; /* of the module's end */
    for (int i = 0; i < 2000; i++) {
        start();
        define(2, "shop", "cost", "i:I");
        define(3, "shop", "name", "iii:i");
        load(4, "rule", "build/ext/rule_bulk.wasm");
        size_t module = in_bytes - spared;
        call(5, "rule", "2 10");
        memory(CTL_POKE, 6, 0, 3, "abc");
        answer(1, 100, 0);
        answer(2, 3, 0);
        for (int k = rand() % 6; k >= 0; k--) {
            size_t at = (size_t)rand() % (in_bytes - spared);
            in[at < module ? at : at + spared] = (u8)rand();
        }
        run();
        for (char *list = malloc(1 << 16); list; list = NULL) {
            size_t n = ext_list(list, 1 << 16);
            char *name = n ? strstr(list, "\"name\":\"") + 8 : NULL;
            if (name) ext_unload((struct bytes){(const u8 *)name, strcspn(name, "\"")}, &error);
            free(list);
        }
        EQUAL(ext_count(), 0);
    }
}

int main(void) {
    struct rt_host host;
    struct rt_engine *engine;
    host_rt_fill(&host);
    EQUAL(rt_engine_init(&engine, &host), ERR_OK);
    EQUAL(host_rt_install(engine), ERR_OK);
    EQUAL(host_rt_thread(), ERR_OK);
    const struct ext_config c = {.engine = engine, .tick_ns = 5000000};
    EQUAL(ext_start(&c), ERR_OK);
    u64 before = kernel_heap_bytes;
    conversation();
    refused();
    garbage();
    EQUAL(kernel_heap_bytes, before);
    EQUAL(ended, 2002);
    return test_end("ext_inside");
}

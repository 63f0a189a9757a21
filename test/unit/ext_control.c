/* ext/control: a host's whole conversation, with garbage in it, against the
 * answers. The control thread runs until the host is gone. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "cli/host_rt.h"
#include "ext/control.h"
#include "ext/internal.h"
#include "test/ext/kernel.h"
#include "test/lib/test.h"

static u8 script[1 << 16], answers[1 << 20];
static size_t script_n, script_at, answers_n;
static u32 hosts = 1;

static enum err port_read(void *self, void *buf, size_t cap, size_t *got) {
    *got = MIN(MIN(cap, (size_t)7), script_n - script_at); /* in small pieces */
    memcpy(buf, script + script_at, *got);
    script_at += *got;
    return *got ? ERR_OK : ERR_CLOSED;
}
static enum err port_write(void *self, const void *p, size_t n) {
    assert(answers_n + n <= sizeof answers);
    memcpy(answers + answers_n, p, n);
    answers_n += n;
    return ERR_OK;
}
static enum err port_wait(void *self) { return hosts-- ? ERR_OK : ERR_IO; }

static void add(const void *p, size_t n) {
    assert(script_n + n <= sizeof script);
    if (n) memcpy(script + script_n, p, n);
    script_n += n;
}
static void ask(u16 kind, u32 id, const void *payload, size_t n) {
    struct ctl_header h = {CTL_MAGIC, CTL_VERSION, kind, id, (u32)n};
    add(&h, sizeof h);
    add(payload, n);
}
static void ask_text(u16 kind, u32 id, const char *text) { ask(kind, id, text, strlen(text)); }

static void ask_load(u32 id, const char *name, const char *file) {
    static u8 payload[1 << 15];
    struct ctl_load l = {.name_length = (u16)strlen(name)};
    size_t n = sizeof l;
    memcpy(payload, &l, sizeof l);
    memcpy(payload + n, name, strlen(name));
    n += strlen(name);
    FILE *f = fopen(file, "rb");
    CHECK(f != NULL);
    if (f) {
        n += fread(payload + n, 1, sizeof payload - n, f);
        fclose(f);
    }
    ask(CTL_LOAD, id, payload, n);
}

static void converse(void) {
    static const u8 short_load[] = {1, 2, 3};
    struct ctl_load lies = {.name_length = 60000};
    struct ctl_load flags = {.flags = 1u << 31};
    add("GET / HTTP/1.0\r\n\r\n", 18);
    ask_text(CTL_HELLO, 1, "");
    ask_load(2, "t", "build/ext/tracer.wasm");
    ask_text(CTL_LIST, 3, "");
    ask_text(CTL_STAT, 4, "");
    ask_text(CTL_STAT, 5, "nobody");
    ask_text(CTL_STREAM, 6, "t");
    ask_text(CTL_STREAM, 7, "nobody");
    ask(CTL_LOAD, 8, short_load, sizeof short_load);
    ask(CTL_LOAD, 9, &lies, sizeof lies);
    ask(CTL_LOAD, 10, &flags, sizeof flags);
    ask(CTL_CALL, 11, short_load, sizeof short_load);
    ask(333, 12, NULL, 0);
    ask_text(CTL_READ, 13, "/etc/passwd");
    ask_text(CTL_UNLOAD, 14, "t");
    ask_text(CTL_UNLOAD, 15, "t");
    ask_text(CTL_STOP, 16, "done");
    ask_load(17, "u", "build/ext/tracer.wasm");
    ask_text(CTL_RESUME, 20, "u");
    ask_text(CTL_RESUME, 21, "nobody");
    ask_text(CTL_STREAM, 18, "u");
    ask_text(CTL_LIST, 19, "cut"); /* the host goes in the middle of a message */
    script_n -= 1;
}

static void check_answers(void) {
    static const struct {
        u16 kind;
        u32 id;
        const char *part;
    } want[] = {
        {CTL_ERROR, 0, "not a control message"},
        {CTL_OK, 1, "whelk"},
        {CTL_OK, 2, "t net.tap:net.tap"},
        {CTL_OK, 3, "\"name\":\"t\""},
        {CTL_OK, 4, "\"pages_recounted\":600"},
        {CTL_ERROR, 5, "no extension nobody"},
        {CTL_OK, 6, ""},
        {CTL_DATA, 6, "\x4d\x3c\xb2\xa1"},
        {CTL_ERROR, 7, "no such extension"},
        {CTL_ERROR, 8, "without its header"},
        {CTL_ERROR, 9, "names longer than the message"},
        {CTL_ERROR, 10, "unknown flags"},
        {CTL_ERROR, 11, "without its header"},
        {CTL_ERROR, 0, "unknown kind"},
        {CTL_ERROR, 13, "no such file"},
        {CTL_END, 6, "unloaded: 0 records, 0 lost"},
        {CTL_OK, 14, ""},
        {CTL_ERROR, 15, "no extension t"},
        {CTL_ERROR, 16, "cannot be stopped"},
        {CTL_OK, 17, "u net.tap"},
        {CTL_ERROR, 20, "extension u is not quarantined"},
        {CTL_ERROR, 21, "no extension nobody"},
        {CTL_OK, 18, ""},
        {CTL_DATA, 18, ""},
    };
    size_t at = 0;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct ctl_header h;
        if (answers_n - at < sizeof h) break;
        memcpy(&h, answers + at, sizeof h);
        at += sizeof h;
        EQUAL(h.kind, want[i].kind);
        EQUAL(h.id, want[i].id);
        size_t n = strlen(want[i].part);
        bool found = n == 0;
        for (size_t k = 0; !found && k + n <= h.length; k++) found = !memcmp(answers + at + k, want[i].part, n);
        if (!found) fprintf(stderr, "  answer %u: %.*s\n", h.id, (int)h.length, answers + at);
        CHECK(found);
        at += h.length;
    }
    EQUAL(at, answers_n);
}

int main(void) {
    struct rt_engine *engine;
    struct rt_host host;
    host_rt_fill(&host);
    EQUAL(rt_engine_init(&engine, &host), ERR_OK);
    EQUAL(host_rt_install(engine), ERR_OK);
    EQUAL(host_rt_thread(), ERR_OK);
    const struct ext_config c = {.engine = engine, .tick_ns = 5000000};
    const struct control_config port = {.read = port_read, .write = port_write, .wait_host = port_wait};
    EQUAL(ext_start(&c), ERR_OK);
    EQUAL(control_start(&port), ERR_OK);
    kernel_pump = ext_record_step;
    converse();
    kernel_thread(NULL);
    check_answers();
    EQUAL(ext_count(), 1); /* what was running goes on */
    EQUAL(ext_find((struct bytes){(const u8 *)"u", 1})->subscriber_count, 0); /* without its reader */
    return test_end("ext_control");
}

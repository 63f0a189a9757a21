/* console.c: a port as a byte stream (not whelk.ctl, which ext/ reads): echoes what the host sends,
 * which is test/vm/console_peer.py; no byte is lost either way, and the host
 * may hang up and call again. */
#include "dev/console.h"

#include "init/init.h"
#include "kern/time.h"
#include "test/lib/test.h"

enum { SENT = 300000 };

static u64 soon(void) { return time_mono_ns() + 60ull * 1000000000; }
static u8 pattern(u32 i) { return (u8)('a' + i % 23); }

static void echo(struct console_port *p) {
    static u8 buf[5000];
    size_t got, total = 0;
    u32 wrong = 0;
    enum err e = ERR_OK;
    while (total < SENT && !(e = console_read(p, buf, sizeof buf, &got, soon()))) {
        for (size_t i = 0; i < got; i++) wrong += buf[i] != pattern((u32)(total + i));
        total += got;
        if (console_connected(p)) console_write(p, buf, got, NULL, soon());
    }
    EQUAL(e, ERR_OK);
    EQUAL(total, SENT);
    EQUAL(wrong, 0);
}

/* The host hung up and called again: told once, then served. */
static void second_call(struct console_port *p) {
    u8 b[16];
    size_t got = 0;
    EQUAL(console_read(p, b, sizeof b, &got, soon()), ERR_CLOSED);
    EQUAL(console_wait_host(p, soon()), ERR_OK);
    EQUAL(console_generation(p), 2);
    EQUAL(console_read(p, b, sizeof b, &got, soon()), ERR_OK);
    EQUAL(got, 5);
    EQUAL(console_write(p, "ok", 2, &got, soon()), ERR_OK);
    EQUAL(console_flush(p, soon()), ERR_OK);
    EQUAL(console_read(p, b, sizeof b, &got, soon()), ERR_CLOSED);
}

int vm_test(void) {
    struct console_port *p = console_find("whelk.test", soon());
    CHECK(p != NULL);
    CHECK(!console_find("no.such.port", time_mono_ns() + 1000000));
    if (p) {
        EQUAL(console_wait_host(p, soon()), ERR_OK);
        EQUAL(console_generation(p), 1);
        echo(p);
        second_call(p);
    }
    return test_end("console");
}

/* shop.c: a program that its own users extend while it runs: a shop whose prices
 * are worked out by a rule that anybody may upload as a WebAssembly module.
 *
 *   shop PORT      over TCP, one request a connection:
 *     RULE NAME BYTES\n<module>    loads the module, in place of an older one
 *     PRICE NAME ITEM COUNT\n      what the rule says
 *     DROP NAME\n                  unloads it
 *   Answers: "OK TEXT\n" or "NO REASON\n".
 *
 * A rule exports ctl.call: it gets "ITEM COUNT" and answers with its price as
 * text. It may import from the shop:
 *     shop.cost(item) -> i64       cents for one piece; -1: there is no such item
 *     shop.name(item, at, cap)     writes the item's name; its length */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libwhelk.h"

enum { MODULE_MAX = 1 << 20, LINE = 200 };
static const struct {
    const char *name;
    long cents;
} items[] = {{"anchor", 12900}, {"rope", 850}, {"shell", 120}};
enum { ITEMS = sizeof items / sizeof *items };

static uint64_t cost(struct whelk_caller *c, const uint64_t *a, void *data) {
    (void)c, (void)data;
    return a[0] < ITEMS ? (uint64_t)items[a[0]].cents : UINT64_MAX;
}

static uint64_t name(struct whelk_caller *c, const uint64_t *a, void *data) {
    (void)data;
    if (a[0] >= ITEMS) return 0;
    size_t n = strlen(items[a[0]].name);
    if (n <= a[2] && whelk_poke(c, (uint32_t)a[1], items[a[0]].name, (uint32_t)n)) whelk_fail(c);
    return n;
}

static int read_line(int fd, char line[LINE]) {
    for (int n = 0; n + 1 < LINE; n++) {
        if (read(fd, line + n, 1) != 1) return -1;
        if (line[n] == '\n') return line[n] = 0;
    }
    return -1;
}

static int read_module(int fd, unsigned char *to, size_t n) {
    for (size_t done = 0; done < n;) {
        ssize_t r = read(fd, to + done, n - done);
        if (r <= 0) return -1;
        done += (size_t)r;
    }
    return 0;
}

static void answer(int fd, int ok, const char *text) {
    char line[600];
    int n = snprintf(line, sizeof line, "%s %s\n", ok ? "OK" : "NO", text);
    if (write(fd, line, (size_t)n) != n) perror("shop: write");
}

static void serve(struct whelk *w, int fd) {
    static unsigned char module[MODULE_MAX];
    char line[LINE], rule[64], out[100], in[64];
    unsigned long size;
    unsigned item, count;
    if (read_line(fd, line)) return;
    if (sscanf(line, "RULE %63s %lu", rule, &size) == 2) {
        if (size > MODULE_MAX || read_module(fd, module, size)) return answer(fd, 0, "no such many bytes");
        int bad = whelk_replace(w, rule, NULL, module, size);
        answer(fd, !bad, bad ? whelk_error(w) : rule);
    } else if (sscanf(line, "PRICE %63s %u %u", rule, &item, &count) == 3) {
        int length = snprintf(in, sizeof in, "%u %u", item, count);
        long n = whelk_call(w, rule, NULL, in, (size_t)length, out, sizeof out - 1);
        out[n < 0 ? 0 : n < (long)sizeof out ? n : (long)sizeof out - 1] = 0;
        answer(fd, n >= 0, n < 0 ? whelk_error(w) : out);
    } else if (sscanf(line, "DROP %63s", rule) == 1) {
        int bad = whelk_unload(w, rule);
        answer(fd, !bad, bad ? whelk_error(w) : rule);
    } else {
        answer(fd, 0, "RULE, PRICE or DROP");
    }
}

int main(int argc, char **argv) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "7000"))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct whelk *w = whelk_open();
    if (!w) return perror("shop: /dev/whelk"), 1;
    if (whelk_define(w, "shop", "cost", "i:I", cost, NULL) || whelk_define(w, "shop", "name", "iii:i", name, NULL))
        return fprintf(stderr, "shop: %s\n", whelk_error(w)), 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) || listen(listener, 8)) return perror("shop: bind"), 1;
    printf("shop: open on port %d\n", ntohs(a.sin_port));
    fflush(stdout);
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) serve(w, fd);
    return 1;
}

#include "cli/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

enum { DUMP_SECONDS = 300, QUIT_SECONDS = 5, STEP_MS = 100 };

static void send(struct monitor *m, const char *text) {
    m->answered = m->failed = false;
    if (m->fd >= 0) write_all(m->fd, text, strlen(text));
}

void monitor_start(struct monitor *m, int fd) {
    *m = (struct monitor){.fd = fd};
    fcntl(fd, F_SETFL, O_NONBLOCK);
    send(m, "{\"execute\":\"qmp_capabilities\"}\n");
}

static void copy_reason(struct monitor *m) {
    const char *at = strstr(m->line, "\"desc\": \"");
    snprintf(m->why, sizeof(m->why), "%.199s", at ? at + 9 : m->line);
    m->why[strcspn(m->why, "\"")] = 0;
}

static void take_line(struct monitor *m) {
    m->line[m->n] = 0;
    m->n = 0;
    if (strstr(m->line, "\"event\": \"GUEST_PANICKED\"")) m->panicked = true;
    else if (!strncmp(m->line, "{\"return\"", 9)) m->answered = true;
    else if (!strncmp(m->line, "{\"error\"", 8)) m->answered = m->failed = true, copy_reason(m);
}

void monitor_poll(struct monitor *m) {
    char buf[1024];
    ssize_t n;
    while (m->fd >= 0 && (n = read(m->fd, buf, sizeof(buf))) > 0)
        for (ssize_t i = 0; i < n; i++) {
            if (buf[i] == '\n') take_line(m);
            else if (m->n + 1 < sizeof(m->line)) m->line[m->n++] = buf[i];
        }
}

static bool await(struct monitor *m, int seconds) {
    for (int i = 0; i < seconds * 1000 / STEP_MS && !m->answered; i++) {
        struct pollfd p = {.fd = m->fd, .events = POLLIN};
        poll(&p, 1, STEP_MS);
        monitor_poll(m);
        if (p.revents & POLLHUP) break;
    }
    if (!m->answered) snprintf(m->why, sizeof(m->why), "no answer from QEMU");
    return m->answered && !m->failed;
}

/* As a string of JSON. false: too long. */
static bool quote(const char *text, char *out, size_t cap) {
    size_t n = 0;
    for (; *text && n + 7 < cap; text++) {
        u8 c = (u8)*text;
        if (c == '"' || c == '\\') out[n++] = '\\';
        if (c < 0x20) n += (size_t)snprintf(out + n, cap - n, "\\u%04x", c);
        else out[n++] = (char)c;
    }
    out[n] = 0;
    return !*text;
}

bool monitor_dump(struct monitor *m, const char *path) {
    char quoted[4096], command[4200];
    if (!quote(path, quoted, sizeof(quoted))) return fail("%s: path too long", path), false;
    snprintf(command, sizeof(command),
             "{\"execute\":\"dump-guest-memory\",\"arguments\":{\"paging\":true,\"protocol\":\"file:%s\"}}\n", quoted);
    send(m, command);
    if (await(m, DUMP_SECONDS)) return true;
    return fail("%s: QEMU could not write the core: %s", path, m->why), false;
}

bool monitor_quit(struct monitor *m) {
    send(m, "{\"execute\":\"quit\"}\n");
    return await(m, QUIT_SECONDS);
}
